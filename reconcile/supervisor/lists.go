package supervisor

import (
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/resource"
)

// dynamicFor is a dynamic client that reads lists and watches at once. apimachinery's
// own decoder decodes every item twice and scans the text around them five times,
// which was most of what it cost to list a thousand Clusters and to follow them. With
// versions, the objects of a watch share what does not change, and must not be written
// to: it is for who keeps them whole, as else it takes more memory than it saves.
func dynamicFor(config *rest.Config, client *http.Client, versions bool) (dynamic.Interface, error) {
	config = dynamic.ConfigFor(config)
	quick := atOnce{config.NegotiatedSerializer}
	config.NegotiatedSerializer = quick
	if versions {
		config.NegotiatedSerializer = versioned{quick}
	}
	c, err := rest.UnversionedRESTClientForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	return dynamic.New(c), nil
}

type atOnce struct{ runtime.NegotiatedSerializer }

// SupportedMediaTypes are those of apimachinery, where JSON has another stream.
func (s atOnce) SupportedMediaTypes() []runtime.SerializerInfo {
	types := slices.Clone(s.NegotiatedSerializer.SupportedMediaTypes())
	for i, t := range types {
		if t.MediaType == runtime.ContentTypeJSON && t.StreamSerializer != nil {
			types[i].StreamSerializer = quickStream(t.StreamSerializer)
		}
	}
	return types
}

// DecoderToVersion decodes answers, and the objects in the events of a watch.
func (s atOnce) DecoderToVersion(d runtime.Decoder, gv runtime.GroupVersioner) runtime.Decoder {
	return &decoder{Decoder: s.NegotiatedSerializer.DecoderToVersion(d, gv)}
}

// versioned is atOnce where the objects of a watch share what does not change.
type versioned struct{ atOnce }

// DecoderToVersion decodes as that of atOnce does.
func (s versioned) DecoderToVersion(d runtime.Decoder, gv runtime.GroupVersioner) runtime.Decoder {
	return &decoder{Decoder: s.NegotiatedSerializer.DecoderToVersion(d, gv), versions: true}
}

// decoder is that of one answer: it is not for concurrent use.
type decoder struct {
	runtime.Decoder
	versions bool
	parser   resource.Parser
}

// Decode reads lists, and objects of any kind but those of the protocol itself, such
// as a Status. What is neither, or is wrong, is for the decoder below to judge.
func (d *decoder) Decode(text []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	if into == nil {
		if u, ok := d.decodeObject(text); ok {
			gvk := u.GroupVersionKind()
			return u, &gvk, nil
		}
	}
	if list, ok := into.(*unstructured.UnstructuredList); ok && d.decodeList(text, list) {
		gvk := list.GroupVersionKind()
		return list, &gvk, nil
	}
	return d.Decoder.Decode(text, defaults, into)
}

// protocol are the kinds that clients know as Go types.
var protocol = func() *runtime.Scheme {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	return s
}()

func (d *decoder) decodeObject(text []byte) (*unstructured.Unstructured, bool) {
	read := d.parser.Object
	if d.versions {
		read = d.parser.Version
	}
	content, err := read(text)
	if err != nil {
		return nil, false
	}
	u := &unstructured.Unstructured{Object: content}
	gvk := u.GroupVersionKind()
	return u, gvk.Kind != "" && gvk.Version != "" && !protocol.Recognizes(gvk)
}

func (d *decoder) decodeList(text []byte, into *unstructured.UnstructuredList) bool {
	list, err := d.parser.Object(text)
	if err != nil {
		return false
	}
	apiVersion, kind := resource.Text(list, "apiVersion"), resource.Text(list, "kind")
	content, ok := list["items"].([]any)
	if apiVersion == "" || kind == "" || resource.Fields(list, "metadata") == nil || !ok {
		return false
	}
	delete(list, "items")
	items := make([]unstructured.Unstructured, len(content))
	for i, item := range content {
		if items[i].Object, ok = item.(map[string]any); !ok {
			return false
		}
		if items[i].GetKind() == "" && items[i].GetAPIVersion() == "" { // Kubernetes' own kinds say it once
			items[i].SetKind(strings.TrimSuffix(kind, "List"))
			items[i].SetAPIVersion(apiVersion)
		}
	}
	into.Object, into.Items = list, items
	return true
}
