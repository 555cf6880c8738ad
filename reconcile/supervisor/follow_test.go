package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

var eventGK = schema.GroupKind{Kind: "Event"}

// told are the changes a follower told of: "created Cluster team-a/c1".
type told struct {
	mu      sync.Mutex
	steps   []string
	objects []*unstructured.Unstructured
}

func (l *told) each(before, after *unstructured.Unstructured) {
	change, differs := resource.Diff(before, after)
	l.mu.Lock()
	defer l.mu.Unlock()
	if after != nil {
		l.objects = append(l.objects, after)
	}
	if differs {
		step := fmt.Sprintf("%s %s %s", change.Verb, change.Kind, change.Name)
		if change.Replicas != nil && change.Verb == resource.Updated {
			step += fmt.Sprintf(" to %d", change.Replicas.Desired)
		}
		l.steps = append(l.steps, step)
	}
}

// take are the steps since it was last asked.
func (l *told) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.steps
	l.steps = nil
	return out
}

func (s *server) follow(t *testing.T, l *told, kinds ...schema.GroupKind) *supervisor.Follower {
	t.Helper()
	f, err := s.connect(t).Follow(t.Context(), kinds, l.each)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func wants(t *testing.T, l *told, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, l.take()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func replicasSpec(n int64) map[string]any {
	return map[string]any{"spec": map[string]any{"replicas": n}}
}

func TestFollowTellsOfEveryChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := serve(t), &told{}
		s.putCluster(t, "c1", replicasSpec(1))
		s.follow(t, l, clusterGK, namespaceGK)
		if first := l.take(); len(first) != 2 {
			t.Errorf("at first %q, want what is there", first)
		}
		synctest.Wait()
		s.putCluster(t, "c1", replicasSpec(3))
		synctest.Wait()
		wants(t, l, "updated Cluster c1 to 3")
		s.putCluster(t, "c2", nil)
		synctest.Wait()
		s.remove(t, "c1")
		synctest.Wait()
		wants(t, l, "created Cluster c2", "deleted Cluster c1")
	})
}

// What happens while the watches are down is told of once they are back.
func TestFollowMissesNothingInBetween(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"the server is away": func(_ http.ResponseWriter, r *http.Request) bool { panic(http.ErrAbortHandler) },
		"the server is ill": func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return true
		},
		"the version is gone": func(w http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("watch") {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","message":"too old resource version","code":410}}`+"\n")
			return true
		},
		"an error event": func(w http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("watch") {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","message":"etcd","code":500}}`+"\n")
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, l := serve(t), &told{}
				s.putCluster(t, "goes", nil)
				s.putCluster(t, "stays", replicasSpec(1))
				s.putCluster(t, "anew", nil)
				f := s.follow(t, l, clusterGK)
				synctest.Wait()
				l.take()
				s.breakBy(broken)
				s.endWatches()
				synctest.Wait()
				s.remove(t, "goes")
				s.remove(t, "anew")
				s.putCluster(t, "anew", nil)
				s.putCluster(t, "stays", replicasSpec(5))
				s.putCluster(t, "comes", nil)
				time.Sleep(3 * time.Second)
				s.breakBy(nil)
				time.Sleep(2 * time.Minute)
				got := map[string]int{}
				for _, step := range l.take() {
					got[step]++
				}
				want := map[string]int{
					"deleted Cluster goes": 1, "updated Cluster stays to 5": 1, "created Cluster comes": 1,
					"deleted Cluster anew": 1, "created Cluster anew": 1,
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
				if left := f.Unfollowed(); len(left) != 0 {
					t.Errorf("unfollowed %v although all is well", left)
				}
			})
		})
	}
}

func TestAForbiddenKindIsReportedAndAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := serve(t), &told{}
		s.putCluster(t, "c1", nil)
		s.fail("/clusters", http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"a long story","code":403}`)
		zone := schema.GroupKind{Group: "topology.tanzu.vmware.com", Kind: "Zone"}
		f := s.follow(t, l, clusterGK, namespaceGK, zone)
		want := []supervisor.Unread{
			{Kind: clusterGK, Reason: "forbidden to list clusters.cluster.x-k8s.io"},
			{Kind: zone, Reason: "the Supervisor does not serve Zone.topology.tanzu.vmware.com"},
		}
		if diff := cmp.Diff(want, f.Unfollowed()); diff != "" {
			t.Errorf("Unfollowed (-want +got):\n%s", diff)
		}
		wants(t, l, "created Namespace team-a") // the others are not held up
		before := s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters")
		time.Sleep(time.Hour)
		if asked := s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters") - before; asked < 15 || asked > 45 {
			t.Errorf("asked %d times in an hour, want every 1.5 to 3 minutes", asked)
		}
		s.breakBy(nil)
		time.Sleep(4 * time.Minute)
		wants(t, l, "created Cluster c1")
		if diff := cmp.Diff(want[1:], f.Unfollowed()); diff != "" {
			t.Errorf("Unfollowed once it is allowed (-want +got):\n%s", diff)
		}
	})
}

func TestFollowKeepsNothingLargeOrSecret(t *testing.T) {
	t.Parallel()
	const canary = "Y2FuYXJ5LWZvbGxvdw"
	synctest.Test(t, func(t *testing.T) {
		s, l := serve(t), &told{}
		s.put(t, "v1", "Secret", "team-a", "prod-ca", map[string]any{"data": map[string]any{"tls.key": canary}})
		s.putCluster(t, "c1", map[string]any{
			"metadata": map[string]any{"annotations": map[string]any{"note": canary}, "labels": map[string]any{"tier": "prod"}},
			"spec":     map[string]any{"replicas": int64(2), "topology": map[string]any{"variables": []any{map[string]any{"name": "v", "value": canary}}}},
			"status":   map[string]any{"phase": "Provisioned", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}, "other": canary},
		})
		s.follow(t, l, secretGK, clusterGK)
		s.applyAs(t, "kubectl", cluster("c2", replicasSpec(1)))
		synctest.Wait()
		l.take()
		if m := l.objects[len(l.objects)-1].GetManagedFields(); len(m) != 1 || m[0].Manager != "kubectl" || m[0].FieldsV1 != nil {
			t.Errorf("managers %v, want who it was without fields", m)
		}
		s.put(t, "v1", "Secret", "team-a", "prod-ca", map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}, "data": map[string]any{"tls.key": canary + "2"}})
		synctest.Wait()
		steps := l.take()
		if len(steps) != 1 || steps[0] != "updated Secret prod-ca" {
			t.Errorf("told %q", steps)
		}
		for _, o := range l.objects {
			if text := fmt.Sprint(o.Object); strings.Contains(text, canary) {
				t.Errorf("%s %s holds %s", o.GetKind(), o.GetName(), text)
			}
			if o.GetName() != "c1" {
				continue
			}
			if resource.Int(o.Object, "spec", "replicas") != 2 || resource.Text(o.Object, "status", "phase") != "Provisioned" || o.GetLabels()["tier"] != "prod" {
				t.Errorf("what a Diff looks at is missing in %v", o.Object)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if sent := s.answers.String(); strings.Count(sent, canary+"2") != 0 {
			t.Error("the data of a Secret went over the wire")
		}
	})
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.breakBy(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	if _, err := c.Follow(ctx, []schema.GroupKind{clusterGK}, (&told{}).each); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
}
