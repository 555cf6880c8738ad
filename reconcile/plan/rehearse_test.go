package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

func liveNamespace(name, status string) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{resource.LabelSource: "default"}},
		"spec":     map[string]any{"supervisor": "lab"},
		"status":   map[string]any{"configStatus": status},
	})
}

// liveCluster is a Cluster as a server of v1beta1 shows it, with all that others
// write into it.
func liveCluster(namespace, name string, replicas int64) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster",
		"metadata": map[string]any{
			"name": name, "namespace": namespace, "uid": "1", "resourceVersion": "7", "generation": int64(2),
			"finalizers":    []any{"cluster.cluster.x-k8s.io"},
			"managedFields": []any{map[string]any{"manager": "vksync"}},
			"labels": map[string]any{
				resource.LabelSource: "default", "stage": "dev",
				"run.tanzu.vmware.com/tkr": "v1.34.1", "cluster.x-k8s.io/cluster-name": name, "topology.cluster.x-k8s.io/owned": "",
			},
			"annotations": map[string]any{"contact": "a@lab.example", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
		},
		"spec": map[string]any{
			"paused":               true,
			"controlPlaneEndpoint": map[string]any{"host": "192.0.2.1"},
			"infrastructureRef":    map[string]any{"name": name + "-x"},
			"controlPlaneRef":      map[string]any{"name": name + "-y"},
			"topology": map[string]any{
				"class": "builtin", "version": "v1.34.1", "controlPlane": map[string]any{"replicas": replicas},
				"variables": []any{map[string]any{"name": "TKR_DATA", "value": "x"}, map[string]any{"name": "vmClass", "value": "small"}},
			},
		},
		"status": map[string]any{"phase": "Provisioned"},
	})
}

// manifestOf is what is left of liveCluster.
func manifestOf(namespace, name string, replicas int64) map[string]any {
	return map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
		"metadata": map[string]any{
			"name": name, "namespace": namespace,
			"labels":      map[string]any{resource.LabelSource: "default", "stage": "dev"},
			"annotations": map[string]any{"contact": "a@lab.example"},
		},
		"spec": map[string]any{"topology": map[string]any{
			"classRef": map[string]any{"name": "builtin"}, "version": "v1.34.1", "controlPlane": map[string]any{"replicas": replicas},
			"variables": []any{map[string]any{"name": "vmClass", "value": "small"}},
		}},
	}
}

func wanted(namespace, name string, replicas int64) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
		"metadata": map[string]any{"name": name, "namespace": namespace},
		"spec": map[string]any{"topology": map[string]any{
			"classRef": map[string]any{"name": "builtin"}, "version": "v1.34.1", "controlPlane": map[string]any{"replicas": replicas},
		}},
	})
}

func TestRehearsalHoldsWhatExistsAndWhatItBecomes(t *testing.T) {
	t.Parallel()
	var desired resource.Set
	for _, o := range []resource.Object{wanted("team-a", "new", 1), wanted("team-a", "grows", 3), wanted("team-a", "stays", 1)} {
		desired.Put(o)
	}
	predicted := liveCluster("team-a", "grows", 3)
	delete(resource.Fields(predicted.Object, "spec"), "paused")
	observed := &plan.Observed{Predicted: map[resource.Addr]resource.Object{predicted.Addr(): predicted}}
	removing := liveNamespace("team-c", "REMOVING")
	goes := liveCluster("team-a", "goes", 1)
	delete(resource.Fields(goes.Object, "spec"), "paused") // what is paused is not deleted
	classless := resource.NewObject(map[string]any{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": map[string]any{"name": "by-hand", "namespace": "team-a"}})
	for _, o := range []resource.Object{
		liveNamespace("team-a", "RUNNING"), liveNamespace("team-b", "RUNNING"), removing, classless,
		liveCluster("team-a", "grows", 1), liveCluster("team-a", "stays", 1), goes, liveCluster("team-b", "other", 1),
	} {
		observed.Live.Put(o)
	}
	p := plan.Make(&desired, observed, plan.Policy{Source: "default", Prune: true, PruneLimit: 3})
	r := p.Rehearse(4)

	if r.Elsewhere != 1 || !r.Policy.Prune || r.Policy.PruneLimit != 0 || r.Policy.Source != "default" {
		t.Errorf("%d clusters elsewhere, policy %+v", r.Elsewhere, r.Policy)
	}
	wantSet(t, "before", &r.Before, map[string]map[string]any{
		"goes": manifestOf("team-a", "goes", 1), "grows": manifestOf("team-a", "grows", 1), "stays": manifestOf("team-a", "stays", 1), "team-a": nil,
	})
	created := wanted("team-a", "new", 1)
	created.SetLabels(map[string]string{resource.LabelSource: "default"})
	after := map[string]map[string]any{
		"grows": manifestOf("team-a", "grows", 3), "stays": manifestOf("team-a", "stays", 1), "new": created.Object, "team-a": nil,
	}
	wantSet(t, "after", &r.After, after)

	// Where it is too much, it is what is around the changes.
	desired.Put(wanted("team-b", "other", 1))
	observed.Same = map[resource.Addr]bool{wanted("team-b", "other", 1).Addr(): true}
	if all := plan.Make(&desired, observed, p.Policy).Rehearse(6); all.Before.Len() != 6 || all.Elsewhere != 0 {
		t.Errorf("with all namespaces: %d, and %d elsewhere", all.Before.Len(), all.Elsewhere)
	}
	if part := plan.Make(&desired, observed, p.Policy).Rehearse(5); part.Before.Len() != 4 || part.Elsewhere != 1 {
		t.Errorf("with those of the changes: %d, and %d elsewhere", part.Before.Len(), part.Elsewhere)
	}

	// What cannot be played stays as it was, or is not there at all.
	r.LeaveOut(predicted.Addr(), false)
	r.LeaveOut(created.Addr(), false)
	r.LeaveOut(wanted("team-a", "stays", 1).Addr(), true)
	wantSet(t, "after, with less", &r.After, map[string]map[string]any{"grows": manifestOf("team-a", "grows", 1), "team-a": nil})
	if _, there := r.Before.Get(wanted("team-a", "stays", 1).Addr()); there {
		t.Error("what cannot be made is made")
	}
	// What was observed is not written to.
	live, _ := observed.Live.Get(predicted.Addr())
	if diff := cmp.Diff(liveCluster("team-a", "grows", 1).Object, live.Object); diff != "" {
		t.Errorf("the observed object was written to:\n%s", diff)
	}
}

// wantSet compares a set by names; nil content is not compared.
func wantSet(t *testing.T, what string, got *resource.Set, want map[string]map[string]any) {
	t.Helper()
	for addr, o := range got.All() {
		content, there := want[addr.Name]
		if !there {
			t.Errorf("%s: there is %s", what, addr)
		}
		if content != nil && !cmp.Equal(content, o.Object) {
			t.Errorf("%s: %s (-want +got):\n%s", what, addr, cmp.Diff(content, o.Object))
		}
	}
	if got.Len() != len(want) {
		t.Errorf("%s: there are %d objects, want %d", what, got.Len(), len(want))
	}
}
