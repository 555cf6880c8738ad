package supervisor_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

func replicas(n int64) map[string]any {
	return map[string]any{"spec": map[string]any{"topology": map[string]any{"controlPlane": map[string]any{"replicas": n}}}}
}

func replicasOf(o map[string]any) int64 {
	return resource.Int(o, "spec", "topology", "controlPlane", "replicas")
}

// applyAs has another field manager apply a Cluster.
func (s *server) applyAs(t *testing.T, manager string, o resource.Object) {
	t.Helper()
	client, err := dynamic.NewForConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	clusters := client.Resource(schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"})
	if _, err := clusters.Namespace(o.GetNamespace()).Apply(t.Context(), o.GetName(), o.Unstructured, metav1.ApplyOptions{FieldManager: manager}); err != nil {
		t.Fatal(err)
	}
}

func TestApplyStoresAndReturnsTheObject(t *testing.T) {
	t.Parallel()
	s := serve(t)
	stored, err := s.connect(t).Apply(t.Context(), cluster("c1", replicas(3)), false)
	if err != nil {
		t.Fatal(err)
	}
	there := s.Get(key(cluster("c1", nil)))
	if there == nil || replicasOf(there.Object) != 3 || fmt.Sprint(s.Version()) != stored.GetResourceVersion() {
		t.Errorf("stored %v, returned %v", there, stored.Object)
	}
	if m := stored.GetManagedFields(); len(m) != 1 || m[0].Manager != resource.FieldManager {
		t.Errorf("managed fields %v, want those of %s", m, resource.FieldManager)
	}
}

func TestAConflictNamesTheManagerAndTheFieldsAndForceTakesThemOver(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.applyAs(t, "kubectl", cluster("c1", replicas(1)))
	c := s.connect(t)
	want := cluster("c1", replicas(3))
	for way, apply := range map[string]func() error{
		"Apply":       func() error { _, err := c.Apply(t.Context(), want, false); return err },
		"DryRunApply": func() error { _, err := c.DryRunApply(t.Context(), want, false); return err },
	} {
		var e *supervisor.Error
		if err := apply(); !errors.As(err, &e) {
			t.Fatalf("%s over another's field: %v", way, err)
		}
		got := []any{e.Class, e.Manager, e.Fields, e.Addr, e.Message}
		if diff := cmp.Diff([]any{
			supervisor.Conflict, "kubectl", []string{"spec.topology.controlPlane.replicas"}, want.Addr(),
			"field manager kubectl owns spec.topology.controlPlane.replicas (--force-conflicts takes over)",
		}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", way, diff)
		}
	}
	if n := replicasOf(s.Get(key(want)).Object); n != 1 {
		t.Errorf("a conflict stored %d replicas", n)
	}
	if _, err := c.Apply(t.Context(), want, true); err != nil {
		t.Errorf("with force: %v", err)
	}
	if n := replicasOf(s.Get(key(want)).Object); n != 3 {
		t.Errorf("force stored %d replicas, want 3", n)
	}
}

func TestADryRunStoresNothing(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.putCluster(t, "exists", nil)
	c := s.connect(t)
	before := s.Version()
	for _, name := range []string{"exists", "new"} {
		predicted, err := c.DryRunApply(t.Context(), cluster(name, replicas(3)), false)
		if err != nil {
			t.Fatal(err)
		}
		if n := replicasOf(predicted.Object); n != 3 {
			t.Errorf("%s: predicted %d replicas, want 3", name, n)
		}
	}
	if after := s.Version(); after != before {
		t.Errorf("the store went from version %d to %d", before, after)
	}
}

func TestDeleteWantsTheObjectThatWasSeen(t *testing.T) {
	t.Parallel()
	s := serve(t)
	uid := string(s.putCluster(t, "c1", nil).GetUID())
	c := s.connect(t)
	addr := cluster("c1", nil).Addr()
	for _, step := range []struct {
		name, uid string
		want      supervisor.Class
		there     bool
	}{
		{"another uid", "somebody-elses", supervisor.Conflict, true},
		{"its uid", uid, "", false},
		{"once more", uid, supervisor.NotFound, false},
	} {
		err := c.Delete(t.Context(), addr, step.uid)
		if got := supervisor.ClassOf(err); got != step.want || step.want == "" && err != nil {
			t.Errorf("%s: class %q of %v, want %q", step.name, got, err, step.want)
		}
		if there := s.Get(key(cluster("c1", nil))) != nil; there != step.there {
			t.Errorf("%s: there is %t, want %t", step.name, there, step.there)
		}
	}
}

func TestAnOlderVersionIsAppliedAsItIsWritten(t *testing.T) {
	t.Parallel()
	s := serve(t)
	old := object("cluster.x-k8s.io/v1beta1", "Cluster", "team-a", "c1", replicas(3))
	stored, err := s.connect(t).Apply(t.Context(), old, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := stored.GetManagedFields()[0].APIVersion; got != "cluster.x-k8s.io/v1beta1" {
		t.Errorf("fields are owned in %s, want the version of the manifest", got)
	}
	if got := s.count("PATCH /apis/cluster.x-k8s.io/v1beta1/"); got != 1 {
		t.Errorf("%d requests in v1beta1, want 1", got)
	}
}

func TestTheDefaultsOfGetAndOfKindsThatAreNotServed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.putCluster(t, "c1", replicas(1))
	c := s.connect(t)
	if o, err := c.Get(t.Context(), cluster("c1", nil).Addr()); err != nil || replicasOf(o.Object) != 1 {
		t.Errorf("Get: %v, %v", o, err)
	}
	if _, err := c.Get(t.Context(), cluster("c2", nil).Addr()); supervisor.ClassOf(err) != supervisor.NotFound {
		t.Errorf("Get of what is not there: %v", err)
	}
	unknown := object("example.com/v1", "Thing", "team-a", "c1", nil)
	_, err := c.Apply(t.Context(), unknown, false)
	if diff := cmp.Diff("applying Thing team-a/c1: not served: the Supervisor does not serve Thing.example.com", err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
