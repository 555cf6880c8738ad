package resource

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func machine(change func(content map[string]any)) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine",
		"metadata": map[string]any{
			"namespace": "ns", "name": "m",
			"labels":          map[string]any{"a": "1"},
			"finalizers":      []any{"keep"},
			"ownerReferences": []any{map[string]any{"kind": "MachineSet", "name": "s", "controller": true}},
		},
		"spec": map[string]any{"replicas": int64(3)},
		"status": map[string]any{
			"phase": "Pending",
			"conditions": []any{
				map[string]any{"type": "Ready", "status": "False", "reason": "NotReady", "message": "waits"},
				map[string]any{"type": "Paused", "status": "False", "reason": "NotPaused"},
			},
		},
	}}
	if change != nil {
		u = u.DeepCopy()
		change(u.Object)
	}
	return u
}

func TestDiffHoldsWhatChangedAndNothingElse(t *testing.T) {
	t.Parallel()
	head := Change{Verb: Updated, APIVersion: "cluster.x-k8s.io/v1beta2", Kind: "Machine", Namespace: "ns", Name: "m"}
	with := func(f func(*Change)) Change { c := head; f(&c); return c }
	for _, c := range []struct {
		name   string
		change func(map[string]any)
		want   Change
		tells  bool
	}{
		{"a bookkeeping write is not told", func(o map[string]any) { SetField(o, "2", "metadata", "resourceVersion") }, head, false},
		{"a condition with another reason", func(o map[string]any) {
			SetField(o, []any{
				map[string]any{"type": "Ready", "status": "True", "reason": "Ready", "message": ""},
				map[string]any{"type": "Paused", "status": "False", "reason": "NotPaused"},
			}, "status", "conditions")
		}, with(func(c *Change) { c.Conditions = []Condition{{Type: "Ready", Status: "True", Reason: "Ready"}} }), true},
		{"a condition that was removed", func(o map[string]any) {
			SetField(o, []any{map[string]any{"type": "Ready", "status": "False", "reason": "NotReady", "message": "waits"}}, "status", "conditions")
		}, with(func(c *Change) { c.Conditions = []Condition{{Type: "Paused"}} }), true},
		{"another owner", func(o map[string]any) {
			SetField(o, []any{map[string]any{"kind": "Machine", "name": "x"}}, "metadata", "ownerReferences")
		}, with(func(c *Change) { c.Owners = []Owner{{Kind: "Machine", Name: "x"}} }), true},
		{"another label", func(o map[string]any) { SetField(o, "2", "metadata", "labels", "b") },
			with(func(c *Change) { c.Labels = map[string]string{"a": "1", "b": "2"} }), true},
		{"another finalizer", func(o map[string]any) { SetField(o, []any{"keep", "new"}, "metadata", "finalizers") },
			with(func(c *Change) { c.Finalizers = []string{"keep", "new"} }), true},
		{"a phase", func(o map[string]any) { SetField(o, "Running", "status", "phase") }, with(func(c *Change) { c.Phase = "Running" }), true},
		{"a replica count", func(o map[string]any) { SetField(o, int64(2), "status", "replicas") },
			with(func(c *Change) { c.Replicas = &Replicas{Desired: 3, Current: 2} }), true},
		{"a deletion mark", func(o map[string]any) { SetField(o, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp") },
			with(func(c *Change) { c.Deleting = true }), true},
	} {
		got, tells := Diff(machine(nil), machine(c.change))
		if tells != c.tells {
			t.Errorf("%s: Diff tells %t, want %t", c.name, tells, c.tells)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestDiffOfACreationHoldsEverythingAndOfARemovalTheName(t *testing.T) {
	t.Parallel()
	made, tells := Diff(nil, machine(nil))
	want := Change{
		Verb: Created, APIVersion: "cluster.x-k8s.io/v1beta2", Kind: "Machine", Namespace: "ns", Name: "m",
		Owners: []Owner{{Kind: "MachineSet", Name: "s", Controller: true}}, Labels: map[string]string{"a": "1"}, Finalizers: []string{"keep"},
		Conditions: []Condition{{Type: "Paused", Status: "False", Reason: "NotPaused"}, {Type: "Ready", Status: "False", Reason: "NotReady", Message: "waits"}},
		Phase:      "Pending", Replicas: &Replicas{Desired: 3},
	}
	if diff := cmp.Diff(want, made); diff != "" || !tells {
		t.Errorf("creation, told %t (-want +got):\n%s", tells, diff)
	}
	gone, tells := Diff(machine(nil), nil)
	if diff := cmp.Diff(Change{Verb: Deleted, APIVersion: want.APIVersion, Kind: "Machine", Namespace: "ns", Name: "m"}, gone); diff != "" || !tells {
		t.Errorf("removal, told %t (-want +got):\n%s", tells, diff)
	}
}
