package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

func TestConnectFindsWhatIsServed(t *testing.T) {
	t.Parallel()
	c := serve(t).connect(t)
	for gk, want := range map[schema.GroupKind]bool{
		clusterGK: true, namespaceGK: true, secretGK: true,
		{Group: "cluster.x-k8s.io", Kind: "Machine"}: false,
	} {
		if got := c.Serves(gk); got != want {
			t.Errorf("Serves(%s) = %t, want %t", gk, got, want)
		}
	}
	_, err := c.List(t.Context(), schema.GroupKind{Group: "topology.tanzu.vmware.com", Kind: "Zone"})
	if got := supervisor.ClassOf(err); got != supervisor.NotServed {
		t.Errorf("listing a kind that is not served: class %q of %v", got, err)
	}
}

func TestConnectFailsWhenTheSupervisorDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		code int
		want supervisor.Class
	}{
		{"credentials are refused", http.StatusUnauthorized, supervisor.Denied},
		{"the server is ill", http.StatusServiceUnavailable, supervisor.Transient},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.fail("/api", test.code, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","code":`+fmt.Sprint(test.code)+`}`)
			_, err := supervisor.Connect(t.Context(), s.config)
			if got := supervisor.ClassOf(err); got != test.want {
				t.Errorf("class %q of %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.breakBy(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done() // the server would never answer
		return true
	})
	if _, err := supervisor.Connect(ctx, s.config); !errors.Is(err, context.Canceled) {
		t.Errorf("Connect: %v, want a cancelled context", err)
	}
}

func TestAFailedListIsAnErrorAndNeverEmpty(t *testing.T) {
	t.Parallel()
	forbidden := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"clusters.cluster.x-k8s.io is forbidden: User \"dev\" cannot list","code":403}`
	for _, test := range []struct {
		name, body string
		code       int
		class      supervisor.Class
		text       string
	}{
		{"no rights", forbidden, http.StatusForbidden, supervisor.Denied, "forbidden to list clusters.cluster.x-k8s.io"},
		{"a server error", `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","message":"etcd is gone","code":500}`, http.StatusInternalServerError, supervisor.Transient, "etcd is gone"},
		{"a proxy's page", "<html>bad gateway</html>", http.StatusBadGateway, supervisor.Transient, ""},
		{"an answer cut short", `{"kind":"ClusterList","apiVersion":"cluster.x-k8s.io/v1beta2","items":[`, http.StatusOK, supervisor.Transient, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.putCluster(t, "c1", nil)
			c := s.connect(t)
			s.fail("/clusters", test.code, test.body)
			for way, list := range map[string]func(context.Context, schema.GroupKind) ([]resource.Object, error){"List": c.List, "ListNames": c.ListNames} {
				got, err := list(t.Context(), clusterGK)
				var e *supervisor.Error
				if !errors.As(err, &e) || got != nil {
					t.Fatalf("%s = %v, %v; want an error", way, names(got), err)
				}
				if e.Class != test.class || test.text != "" && e.Text() != test.text {
					t.Errorf("%s: class %q, text %q; want %q, %q", way, e.Class, e.Text(), test.class, test.text)
				}
			}
			if w, err := c.Watch(t.Context(), clusterGK); err == nil {
				w.Close()
				t.Error("Watch succeeded without a list")
			}
		})
	}
}

func TestListReadsAllPages(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.breakBy(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/clusters") {
			return false
		}
		page := `{"kind":"ClusterList","apiVersion":"cluster.x-k8s.io/v1beta2","metadata":{"resourceVersion":"1","continue":%q},"items":[{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"namespace":"team-a","name":%q}}]}`
		w.Header().Set("Content-Type", "application/json")
		switch next := r.URL.Query().Get("continue"); next {
		case "":
			_, _ = fmt.Fprintf(w, page, "second", "c1")
		case "second":
			_, _ = fmt.Fprintf(w, page, "", "c2")
		}
		return true
	})
	got, err := s.connect(t).List(t.Context(), clusterGK)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Cluster team-a/c1", "Cluster team-a/c2"}, names(got)); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

func TestListDropsWhatNobodyCompares(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.putCluster(t, "c1", map[string]any{"metadata": map[string]any{"annotations": map[string]any{
		"kubectl.kubernetes.io/last-applied-configuration": "long", "kept": "yes",
	}}})
	c := s.connect(t)
	if _, err := c.Apply(t.Context(), cluster("c1", map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}}), false); err != nil {
		t.Fatal(err)
	}
	list, err := c.List(t.Context(), clusterGK)
	if err != nil || len(list) != 1 {
		t.Fatalf("List: %d objects, %v", len(list), err)
	}
	if diff := cmp.Diff(map[string]string{"kept": "yes"}, list[0].GetAnnotations()); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	var managers []string
	for _, m := range list[0].GetManagedFields() {
		managers = append(managers, m.Manager)
	}
	if diff := cmp.Diff([]string{resource.FieldManager}, managers); diff != "" {
		t.Errorf("managers (-want +got):\n%s", diff)
	}
}

func TestListNamesNeverTransfersTheDataOfSecrets(t *testing.T) {
	t.Parallel()
	const canary = "Y2FuYXJ5LWluLWEtc2VjcmV0"
	s := serve(t)
	s.put(t, "v1", "Secret", "team-a", "prod-ca", map[string]any{"data": map[string]any{"tls.key": canary}})
	got, err := s.connect(t).ListNames(t.Context(), secretGK)
	if err != nil {
		t.Fatal(err)
	}
	want := []resource.Object{object("v1", "Secret", "team-a", "prod-ca", nil)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ListNames (-want +got):\n%s", diff)
	}
	switch wire := s.wire(); {
	case !strings.Contains(wire, "prod-ca"):
		t.Error("the list of Secrets was not recorded")
	case strings.Contains(wire, canary):
		t.Error("the data of a Secret went over the wire")
	}
}

func TestRequestsGrowWithKindsAndNotWithObjects(t *testing.T) {
	t.Parallel()
	requests := map[int]int{}
	for _, n := range []int{10, 200} {
		s := serve(t)
		for i := range n {
			s.putCluster(t, fmt.Sprintf("c%03d", i), nil)
		}
		c := s.connect(t)
		w, err := c.Watch(t.Context(), clusterGK, namespaceGK)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		if list, err := c.List(t.Context(), clusterGK); err != nil || len(list) != n || len(w.Objects()) != n+1 {
			t.Fatalf("List: %d objects, %v; the cache has %d", len(list), err, len(w.Objects()))
		}
		// The watches begin on their own, after Watch has returned.
		requests[n] = s.count("") - s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters") - s.count("GET /api/v1/namespaces")
		if lists := s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters"); lists > 3 {
			t.Errorf("%d Clusters took %d requests for Clusters, want two lists and a watch", n, lists)
		}
	}
	if requests[10] != requests[200] {
		t.Errorf("requests beside lists and watches: %d for 10 Clusters, %d for 200", requests[10], requests[200])
	}
}
