package supervisor

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// dynamicFor is a dynamic client that reads lists at once. apimachinery's own
// decoder decodes every item twice and scans the text around them five times,
// which was most of what it cost to list a thousand Clusters.
func dynamicFor(config *rest.Config, client *http.Client) (dynamic.Interface, error) {
	config = dynamic.ConfigFor(config)
	config.NegotiatedSerializer = listsAtOnce{config.NegotiatedSerializer}
	c, err := rest.UnversionedRESTClientForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	return dynamic.New(c), nil
}

type listsAtOnce struct{ runtime.NegotiatedSerializer }

// DecoderToVersion decodes answers; the events of watches have another decoder.
func (s listsAtOnce) DecoderToVersion(d runtime.Decoder, gv runtime.GroupVersioner) runtime.Decoder {
	return listDecoder{s.NegotiatedSerializer.DecoderToVersion(d, gv)}
}

type listDecoder struct{ runtime.Decoder }

// Decode reads lists. What is none, or is wrong, is for the decoder below to judge.
func (d listDecoder) Decode(text []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	if list, ok := into.(*unstructured.UnstructuredList); ok && decodeList(text, list) {
		gvk := list.GroupVersionKind()
		return list, &gvk, nil
	}
	return d.Decoder.Decode(text, defaults, into)
}

func decodeList(text []byte, into *unstructured.UnstructuredList) bool {
	var list struct {
		APIVersion string           `json:"apiVersion"`
		Kind       string           `json:"kind"`
		Metadata   map[string]any   `json:"metadata"`
		Items      []map[string]any `json:"items"`
	}
	if json.Unmarshal(text, &list) != nil || list.APIVersion == "" || list.Kind == "" || list.Metadata == nil || list.Items == nil {
		return false
	}
	items := make([]unstructured.Unstructured, len(list.Items))
	for i, item := range list.Items {
		if item == nil {
			return false
		}
		items[i].Object = item
		if items[i].GetKind() == "" && items[i].GetAPIVersion() == "" { // Kubernetes' own kinds say it once
			item["kind"], item["apiVersion"] = strings.TrimSuffix(list.Kind, "List"), list.APIVersion
		}
	}
	into.Object = map[string]any{"apiVersion": list.APIVersion, "kind": list.Kind, "metadata": list.Metadata}
	into.Items = items
	return true
}
