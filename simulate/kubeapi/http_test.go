package kubeapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/simulate/kubeapi"
)

func TestCreateReadUpdateDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := dynamicClient(t, w).Resource(clusters).Namespace("team-a")
	u, err := api.Create(t.Context(), object(capi+"Cluster team-a/c1", map[string]any{
		"spec": map[string]any{"paused": true}, "status": map[string]any{"phase": "sneaked in"},
	}), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if u.Object["status"] != nil {
		t.Errorf("a creation sets the status: %v", u.Object["status"])
	}
	diff(t, "managers", managersOf(u), []string{"tester Update  00:00:00"})
	if _, err := api.Create(t.Context(), object(capi+"Cluster team-a/c1", nil), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("creating twice: %v", err)
	}
	stale := u.DeepCopy()
	u.SetLabels(map[string]string{"a": "b"})
	if u, err = api.Update(t.Context(), u, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = api.Update(t.Context(), stale, metav1.UpdateOptions{})
	if !apierrors.IsConflict(err) {
		t.Errorf("updating from a stale version: %v", err)
	}
	diff(t, "conflict", err.Error(), `Operation cannot be fulfilled on clusters.cluster.x-k8s.io "c1": the object has been modified; please apply your changes to the latest version and try again`)
	got, err := api.Get(t.Context(), "c1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "read back", got.Object, u.Object)
	wrong := types.UID("other")
	if err := api.Delete(t.Context(), "c1", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}}); !apierrors.IsConflict(err) {
		t.Errorf("deleting another uid: %v", err)
	}
	if err := api.Delete(t.Context(), "c1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = api.Get(t.Context(), "c1", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("reading what is gone: %v", err)
	}
	diff(t, "not found", err.Error(), `clusters.cluster.x-k8s.io "c1" not found`)
	if _, err := api.Update(t.Context(), u, metav1.UpdateOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("updating what is gone: %v", err)
	}
}

func TestStatusSubresource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := dynamicClient(t, w).Resource(clusters).Namespace("team-a")
	w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"spec": map[string]any{"n": int64(1)}})
	u, err := api.Get(t.Context(), "c1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	u.Object["spec"] = map[string]any{"n": int64(2)}
	u.Object["status"] = map[string]any{"phase": "Provisioned"}
	u.SetLabels(map[string]string{"a": "b"})
	got, err := api.UpdateStatus(t.Context(), u, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "spec", got.Object["spec"], any(map[string]any{"n": int64(1)}))
	diff(t, "status", got.Object["status"], any(map[string]any{"phase": "Provisioned"}))
	if got.GetGeneration() != 1 || got.GetLabels() != nil {
		t.Errorf("generation %d, labels %v", got.GetGeneration(), got.GetLabels())
	}
	u = got.DeepCopy()
	u.Object["status"] = map[string]any{"phase": "Failed"}
	u.Object["spec"] = map[string]any{"n": int64(3)}
	if got, err = api.Update(t.Context(), u, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	diff(t, "status after an update of the rest", got.Object["status"], any(map[string]any{"phase": "Provisioned"}))
	status := object(capi+"Cluster team-a/c1", map[string]any{"status": map[string]any{"phase": "Applied"}})
	if got, err = api.ApplyStatus(t.Context(), "c1", status, metav1.ApplyOptions{FieldManager: "agent", Force: true}); err != nil {
		t.Fatal(err)
	}
	diff(t, "status after an apply", got.Object["status"], any(map[string]any{"phase": "Applied"}))
	diff(t, "spec after an apply of the status", got.Object["spec"], any(map[string]any{"n": int64(3)}))
}

func TestPatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := dynamicClient(t, w)
	content := map[string]any{"spec": map[string]any{"a": "1", "list": []any{"x", "y"}, "deep": map[string]any{"b": nil}}}
	tests := []struct {
		name, body string
		how        types.PatchType
		want       any    // of spec
		fails      string // or the error
	}{
		{"merge: sets and removes", `{"spec":{"a":null,"c":2}}`, types.MergePatchType, map[string]any{"c": int64(2), "list": []any{"x", "y"}, "deep": map[string]any{"b": nil}}, ""},
		{"merge: replaces lists", `{"spec":{"list":["z"],"deep":null}}`, types.MergePatchType, map[string]any{"a": "1", "list": []any{"z"}}, ""},
		{"merge: stale version", `{"metadata":{"resourceVersion":"1"},"spec":{}}`, types.MergePatchType, nil, "the object has been modified"},
		{"merge: another name", `{"metadata":{"name":"c2"}}`, types.MergePatchType, nil, "does not match the name on the URL"},
		{"merge: not a map", `[]`, types.MergePatchType, nil, "unrecognized"},
		{"json: all operations", `[{"op":"test","path":"/spec/a","value":"1"},{"op":"add","path":"/spec/list/-","value":"z"},{"op":"remove","path":"/spec/list/0"},
			{"op":"replace","path":"/spec/a","value":5},{"op":"copy","from":"/spec/a","path":"/spec/c~1d"},{"op":"move","from":"/spec/deep/b","path":"/spec/list/0"}]`,
			types.JSONPatchType, map[string]any{"a": int64(5), "c/d": int64(5), "list": []any{nil, "y", "z"}, "deep": map[string]any{}}, ""},
		{"json: failed test", `[{"op":"test","path":"/spec/a","value":"2"}]`, types.JSONPatchType, nil, "operation 0, test"},
		{"json: no such path", `[{"op":"remove","path":"/spec/nothing"}]`, types.JSONPatchType, nil, `there is no "nothing"`},
		{"json: no such item", `[{"op":"replace","path":"/spec/list/2","value":1}]`, types.JSONPatchType, nil, `there is no item "2"`},
		{"json: below a null", `[{"op":"replace","path":"/spec/deep/b/c","value":1}]`, types.JSONPatchType, nil, "below a scalar"},
		{"json: into itself", `[{"op":"move","from":"/spec","path":"/spec/deep/x"}]`, types.JSONPatchType, nil, "is inside of"},
		{"json: the metadata", `[{"op":"remove","path":"/metadata"}]`, types.JSONPatchType, nil, "metadata must be a map"},
		{"json: no document left", `[{"op":"replace","path":"","value":1}]`, types.JSONPatchType, nil, "leaves no object"},
		{"strategic", `{}`, types.StrategicMergePatchType, nil, "unknown format"},
	}
	for _, test := range tests {
		name := "c" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return '-'
		}, test.name) + "x"
		w.put(t, "core", capi+"Cluster team-a/"+name, content)
		u, err := client.Resource(clusters).Namespace("team-a").Patch(t.Context(), name, test.how, []byte(test.body), metav1.PatchOptions{})
		switch {
		case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
			t.Errorf("%s: %v, want %q", test.name, err, test.fails)
		case test.fails == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case err == nil:
			diff(t, test.name, u.Object["spec"], test.want)
		}
	}
	w.put(t, "core", "v1 ConfigMap team-a/cm", map[string]any{"data": map[string]any{"a": "1"}})
	u, err := client.Resource(configmaps).Namespace("team-a").Patch(t.Context(), "cm", types.StrategicMergePatchType, []byte(`{"data":{"b":"2"}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "strategic merge of a core kind", u.Object["data"], any(map[string]any{"a": "1", "b": "2"}))
	if u.GetGeneration() != 0 {
		t.Errorf("a ConfigMap has generation %d", u.GetGeneration())
	}
}

func TestListSelectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := dynamicClient(t, w)
	w.put(t, "core", "v1 Namespace /team-b", nil)
	for _, id := range []string{"team-a/c1", "team-a/c2", "team-b/c1"} {
		w.put(t, "core", capi+"Cluster "+id, map[string]any{"metadata": map[string]any{"labels": map[string]any{"name": id[7:]}}})
	}
	tests := []struct {
		name      string
		namespace string
		options   metav1.ListOptions
		want      []string
	}{
		{"everything", "", metav1.ListOptions{}, []string{"Cluster team-a/c1", "Cluster team-a/c2", "Cluster team-b/c1"}},
		{"a namespace", "team-a", metav1.ListOptions{}, []string{"Cluster team-a/c1", "Cluster team-a/c2"}},
		{"a label set", "", metav1.ListOptions{LabelSelector: "name in (c1,c3)"}, []string{"Cluster team-a/c1", "Cluster team-b/c1"}},
		{"a label that is not there", "", metav1.ListOptions{LabelSelector: "!name"}, []string{}},
		{"a name", "", metav1.ListOptions{FieldSelector: "metadata.name=c2"}, []string{"Cluster team-a/c2"}},
		{"not a namespace", "", metav1.ListOptions{FieldSelector: "metadata.namespace!=team-a"}, []string{"Cluster team-b/c1"}},
	}
	for _, test := range tests {
		list, err := client.Resource(clusters).Namespace(test.namespace).List(t.Context(), test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []*unstructured.Unstructured
		for i := range list.Items {
			got = append(got, &list.Items[i])
		}
		diff(t, test.name, names(got), test.want)
		if list.GetResourceVersion() != "5" || list.GetKind() != "ClusterList" {
			t.Errorf("%s: %s at version %s", test.name, list.GetKind(), list.GetResourceVersion())
		}
	}
	if _, err := client.Resource(clusters).List(t.Context(), metav1.ListOptions{FieldSelector: "spec.paused=true"}); !apierrors.IsBadRequest(err) {
		t.Errorf("an unknown field: %v", err)
	}
	err := client.Resource(clusters).Namespace("team-a").DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "name=c2"})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "after deleting a collection", names(w.List(clusterGK, "", nil)), []string{"Cluster team-a/c1", "Cluster team-b/c1"})
}

func TestMetadataOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, err := metadata.NewForConfig(serve(t, w))
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, "core", capi+"Cluster team-a/c1", map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "spec": map[string]any{"big": "x"}})
	one, err := client.Resource(clusters).Namespace("team-a").Get(t.Context(), "c1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.Resource(clusters).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 || one.Labels["a"] != "b" || list.Items[0].UID != one.UID {
		t.Errorf("got %+v and %+v", one, list)
	}
	watch, err := client.Resource(clusters).Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	w.put(t, "core", capi+"Cluster team-a/c2", map[string]any{"spec": map[string]any{"big": "x"}})
	event := <-watch.ResultChan()
	if got, ok := event.Object.(*metav1.PartialObjectMetadata); !ok || got.Name != "c2" {
		t.Errorf("watch gives %#v", event.Object)
	}
}

func TestDeletePropagation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		policy metav1.DeletionPropagation
		want   []string
	}{
		{metav1.DeletePropagationBackground, []string{
			"tester removes Cluster c1", "garbage-collector removes Machine m1", "garbage-collector removes Secret s1"}},
		{metav1.DeletePropagationForeground, []string{
			"tester marks Cluster c1", "garbage-collector marks Machine m1", "garbage-collector removes Secret s1",
			"garbage-collector removes Machine m1", "garbage-collector removes Cluster c1"}},
		{metav1.DeletePropagationOrphan, []string{
			"garbage-collector updates Machine m1", "tester removes Cluster c1"}},
	}
	for _, test := range tests {
		w := newWorld(t)
		api := dynamicClient(t, w).Resource(clusters).Namespace("team-a")
		c := w.put(t, "core", capi+"Cluster team-a/c1", nil)
		m := w.put(t, "core", capi+"Machine team-a/m1", ownedBy(c))
		w.put(t, "core", "v1 Secret team-a/s1", ownedBy(m))
		log := follow(w)
		if err := api.Delete(t.Context(), "c1", metav1.DeleteOptions{PropagationPolicy: &test.policy}); err != nil {
			t.Errorf("%s: %v", test.policy, err)
		}
		w.clock.advance(time.Second)
		diff(t, string(test.policy), log.take(), test.want)
	}
}

func TestGenerateName(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	var first []string
	for run := range 2 {
		w := newWorld(t)
		api := dynamicClient(t, w).Resource(configmaps).Namespace("team-a")
		for i := range 3 {
			u := object("v1 ConfigMap team-a/x", nil)
			u.SetName("")
			u.SetGenerateName("cm-")
			u, err := api.Create(t.Context(), u, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if run == 0 {
				first = append(first, u.GetName())
				names[u.GetName()] = true
			} else if u.GetName() != first[i] {
				t.Errorf("second run gives %s, first gave %s", u.GetName(), first[i])
			}
		}
	}
	if len(names) != 3 {
		t.Errorf("names repeat: %v", first)
	}
}

func TestAdmissionDenial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *kubeapi.Config) {
		c.Admit = func(r kubeapi.Request) error {
			if r.Verb == "delete" && len(r.List(clusterGK, r.Old.GetNamespace(), nil)) < 2 {
				return errors.New(`admission webhook "keep.one" denied the request: the last cluster stays`)
			}
			return nil
		}
	})
	api := dynamicClient(t, w).Resource(clusters).Namespace("team-a")
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	err := api.Delete(t.Context(), "c1", metav1.DeleteOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("got %v, want forbidden", err)
	}
	diff(t, "message", err.Error(), `admission webhook "keep.one" denied the request: the last cluster stays`)
	if w.Get(clusterKey("c1")) == nil {
		t.Error("it is gone")
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, aggregated := range []bool{true, false} {
		client, err := discovery.NewDiscoveryClientForConfig(serve(t, w))
		if err != nil {
			t.Fatal(err)
		}
		client.UseLegacyDiscovery = !aggregated
		lists, err := client.ServerPreferredResources()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range lists {
			for _, r := range l.APIResources {
				if strings.Contains(r.Name, "/") {
					continue
				}
				got = append(got, l.GroupVersion+" "+r.Name+" "+r.Kind+" "+strings.Join(r.ShortNames, ","))
			}
		}
		slices.Sort(got) // the client gives them in the order of a map
		diff(t, "resources", got, []string{
			"authentication.k8s.io/v1 selfsubjectreviews SelfSubjectReview ",
			"authorization.k8s.io/v1 selfsubjectaccessreviews SelfSubjectAccessReview ",
			"authorization.k8s.io/v1 selfsubjectrulesreviews SelfSubjectRulesReview ",
			"cluster.x-k8s.io/v1beta2 clusters Cluster cl", "cluster.x-k8s.io/v1beta2 machines Machine ", "coordination.k8s.io/v1 leases Lease ", "events.k8s.io/v1 events Event ev",
			"v1 configmaps ConfigMap cm", "v1 endpoints Endpoints ep", "v1 events Event ev", "v1 namespaces Namespace ns",
			"v1 resourcequotas ResourceQuota quota", "v1 secrets Secret ", "v1 services Service svc",
		})
		all, err := client.ServerResourcesForGroupVersion("cluster.x-k8s.io/v1beta1")
		if err != nil || len(all.APIResources) != 4 {
			t.Errorf("v1beta1 has %v, %v", all, err)
		}
		version, err := client.ServerVersion()
		if err != nil || version.GitVersion != "v1.34.1" {
			t.Errorf("version %v, %v", version, err)
		}
	}
}

func TestUnusualRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	client, err := rest.HTTPClientFor(serve(t, w))
	if err != nil {
		t.Fatal(err)
	}
	const ns = "/apis/cluster.x-k8s.io/v1beta2/namespaces/team-a/clusters"
	const c1 = `{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"name":"c1"}}`
	tests := []struct {
		name, method, path, media, accept, body string
		code                                    int
		reason                                  metav1.StatusReason
	}{
		{"health", "GET", "/healthz", "", "", "", 200, ""},
		{"no OpenAPI v2", "GET", "/openapi/v2", "", "", "", 404, ""},
		{"an unknown group", "GET", "/apis/unknown.io/v1/things", "", "", "", 404, ""},
		{"an unknown version", "GET", "/apis/cluster.x-k8s.io/v1/clusters", "", "", "", 404, ""},
		{"an unknown subresource", "GET", ns + "/c1/scale", "", "", "", 404, ""},
		{"an object without its namespace", "GET", "/apis/cluster.x-k8s.io/v1beta2/clusters/c1", "", "", "", 404, ""},
		{"a table or JSON", "GET", ns + "/c1", "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "", 200, ""},
		{"protobuf or JSON", "GET", ns + "/c1", "", "application/vnd.kubernetes.protobuf,application/json", "", 200, ""},
		{"only protobuf", "GET", ns + "/c1", "", "application/vnd.kubernetes.protobuf", "", 406, "NotAcceptable"},
		{"a post to an object", "POST", ns + "/c1", "", "", c1, 405, "MethodNotAllowed"},
		{"a put to a collection", "PUT", ns, "", "", c1, 400, "BadRequest"},
		{"a delete of the status", "DELETE", ns + "/c1/status", "", "", "", 405, "MethodNotAllowed"},
		{"a delete in all namespaces", "DELETE", "/apis/cluster.x-k8s.io/v1beta2/clusters", "", "", "", 404, ""},
		{"no body", "POST", ns, "", "", "", 400, "BadRequest"},
		{"not JSON", "POST", ns, "", "", "{", 400, "BadRequest"},
		{"another kind", "POST", ns, "", "", strings.Replace(c1, "Cluster", "Machine", 1), 400, "BadRequest"},
		{"another version", "POST", ns, "", "", strings.Replace(c1, "v1beta2", "v1beta1", 1), 400, "BadRequest"},
		{"metadata of the wrong type", "POST", ns, "", "", strings.Replace(c1, `{"name":"c1"}`, `{"labels":[1]}`, 1), 400, "BadRequest"},
		{"YAML", "POST", ns, "application/yaml", "", "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: c2}\n", 201, ""},
		{"protobuf in", "POST", ns, "application/vnd.kubernetes.protobuf", "", c1, 415, "UnsupportedMediaType"},
		{"an update without version", "PUT", ns + "/c1", "", "", c1, 422, "Invalid"},
		{"an unknown dry run", "POST", ns + "?dryRun=Some", "", "", strings.Replace(c1, "c1", "c3", 1), 422, "Invalid"},
		{"too much", "POST", ns, "", "", c1 + strings.Repeat(" ", 3<<20), 413, "RequestEntityTooLarge"},
		{"too deep", "POST", ns, "", "", strings.Replace(c1, `"c1"`, `"c3","x":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000), 1), 400, "BadRequest"},
		{"a watch from the future", "GET", ns + "?watch=1&resourceVersion=999", "", "", "", 504, "Timeout"},
		{"a version that is none", "GET", ns + "?resourceVersion=new", "", "", "", 400, "BadRequest"},
	}
	for _, test := range tests {
		request, err := http.NewRequestWithContext(t.Context(), test.method, "http://supervisor"+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", test.media)
		request.Header.Set("Accept", test.accept)
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		var status metav1.Status
		if test.reason != "" {
			if err := json.Unmarshal(body, &status); err != nil || status.Kind != "Status" {
				t.Errorf("%s: %v in %q", test.name, err, body)
			}
		}
		if err != nil || response.StatusCode != test.code || status.Reason != test.reason {
			t.Errorf("%s: %d %s %v, want %d %s: %.300s", test.name, response.StatusCode, status.Reason, err, test.code, test.reason, body)
		}
	}
}
