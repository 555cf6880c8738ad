package kubeapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FuzzRequest sends anything to the handler: it must answer, and leave a store
// whose objects are where their metadata says.
func FuzzRequest(f *testing.F) {
	const path = "/apis/cluster.x-k8s.io/v1beta2/namespaces/team-a/clusters"
	const c2 = `{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"name":"c2","labels":{"a":"b"}},"spec":{"topology":{"variables":[{"name":"a","value":1.5}]}}}`
	for _, seed := range [][4]string{
		{"GET", "/api", "", ""},
		{"GET", path + "?labelSelector=a%3Db,c+in+(d)&fieldSelector=metadata.name%3Dc1&limit=5", "", ""},
		{"POST", path + "?fieldManager=fuzz&dryRun=All", "application/json", c2},
		{"POST", path, "application/yaml", "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: &m {generateName: x-, a: *m}"},
		{"PUT", path + "/c1", "application/json", strings.Replace(c2, `"c2"`, `"c1","resourceVersion":"2"`, 1)},
		{"PUT", path + "/c1/status", "application/json", `{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"resourceVersion":"2"},"status":{"conditions":[{"type":1},{"type":1},null]}}`},
		{"PATCH", path + "/c2?fieldManager=fuzz&force=true", "application/apply-patch+yaml", c2},
		{"PATCH", path + "/c1?fieldManager=fuzz", "application/apply-patch+yaml", strings.Replace(c2, "c2", "c1", 1)},
		{"PATCH", path + "/c1", "application/merge-patch+json", `{"metadata":{"finalizers":["a/b"],"managedFields":[{}],"ownerReferences":[{"uid":"u"}]},"spec":null}`},
		{"PATCH", path + "/c1", "application/json-patch+json", `[{"op":"copy","from":"","path":"/spec/x"},{"op":"move","from":"/spec/x","path":"/metadata/annotations"}]`},
		{"PATCH", path + "/c1/status?fieldManager=s", "application/apply-patch+yaml", `{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","status":{"conditions":[{}]}}`},
		{"DELETE", path + "/c1?propagationPolicy=Foreground", "application/json", `{"preconditions":{"uid":"uid-2"}}`},
		{"DELETE", path + "?labelSelector=!a", "application/yaml", "dryRun: [All]"},
		{"DELETE", "/api/v1/namespaces/team-a", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, target, media, body string) {
		w := newWorld(t)
		w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": map[string]any{"x": []any{"y"}},
		})
		at, err := url.Parse(target)
		if err != nil || at.Query().Has("watch") || method == "" {
			return // no request without a stream can be made of this
		}
		request := (&http.Request{Method: method, URL: at, Header: http.Header{"Content-Type": {media}}, Body: http.NoBody}).WithContext(t.Context())
		request.Body = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).Body
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, request)
		if answer.Code < 200 || answer.Code > 599 {
			t.Errorf("answers %d", answer.Code)
		}
		w.clock.advance(1 << 30)
		for _, u := range w.Dump() {
			checkStored(t, w, u)
		}
	})
}

func checkStored(t *testing.T, w *world, u *unstructured.Unstructured) {
	t.Helper()
	_ = u.DeepCopy() // panics on values that are not JSON
	if u.GetName() == "" || u.GetUID() == "" || u.GetResourceVersion() == "" || u.GetCreationTimestamp().Time.IsZero() {
		t.Errorf("stored without name, uid, version or time: %v", u.Object)
	}
	if ns := u.GetNamespace(); (ns == "") != (u.GetKind() == "Namespace") {
		t.Errorf("stored in namespace %q: %v", ns, u.Object)
	}
	before := w.Version()
	if _, err := w.Put("again", u.DeepCopy()); err != nil || w.Version() != before {
		t.Errorf("putting what is stored: version %d after %d, %v: %v", w.Version(), before, err, u.Object)
	}
}
