package supervisor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// FuzzLists holds the decoder of lists to apimachinery's.
func FuzzLists(f *testing.F) {
	for _, text := range []string{
		`{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"ClusterList","metadata":{"resourceVersion":"7","continue":"x","remainingItemCount":3},"items":[
			{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"name":"c"},"spec":{"n":3,"f":1.5,"e":1e3,"t":true,"z":null,"l":[1,"\u00e9"]}}]}`,
		`{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}},{"kind":"Other","metadata":{"name":"b"}}]}`,
		`{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}`,
		`{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":null}`,
		`{"kind":"NamespaceList","apiVersion":"v1","items":[null]}`,
		`{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":[null]}`,
		`{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":[3]}`,
		`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no","code":500}`,
		`{"kind":"ClusterList","apiVersion":"cluster.x-k8s.io/v1beta2","items":[`,
		`{"metadata":{},"items":[]}`,
		``,
	} {
		f.Add([]byte(text))
	}
	serializer := dynamic.ConfigFor(&rest.Config{}).NegotiatedSerializer
	theirs := serializer.DecoderToVersion(serializer.SupportedMediaTypes()[0].Serializer, nil)
	ours := atOnce{serializer}.DecoderToVersion(serializer.SupportedMediaTypes()[0].Serializer, nil)
	f.Fuzz(func(t *testing.T, text []byte) {
		var want, got unstructured.UnstructuredList
		_, wantKind, wantErr := theirs.Decode(text, nil, &want)
		_, gotKind, gotErr := ours.Decode(text, nil, &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("decoding %s: %v, want %v", text, gotErr, wantErr)
		}
		if wantErr != nil {
			return
		}
		for name := range want.Object { // a list has nothing else
			if name != "apiVersion" && name != "kind" && name != "metadata" {
				delete(want.Object, name)
				delete(got.Object, name)
			}
		}
		if d := cmp.Diff([]any{want.Items, want.Object, wantKind}, []any{got.Items, got.Object, gotKind}); d != "" {
			t.Errorf("decoding %s (-want +got):\n%s", text, d)
		}
	})
}
