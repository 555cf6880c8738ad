package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// What is gone must not stay in memory, whoever looked at it when.
func TestViewsAreOfWhatIsStored(t *testing.T) {
	t.Parallel()
	store := kubeapi.New(kubeapi.Config{Kinds: Kinds(), Clock: &stoppedClock{}})
	m := &Manager{views: map[*unstructured.Unstructured]*view{}}
	store.Subscribe(func(c kubeapi.Change) { m.outdate(c) })
	put := func(phase string) *unstructured.Unstructured {
		u, err := store.Put("test", &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": kindMachine.apiVersion, "kind": kindMachine.Kind,
			"metadata": map[string]any{"namespace": "n", "name": "one"}, "status": map[string]any{"phase": phase},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	seen, unseen := put("Pending"), put("Provisioning")
	m.view(seen)
	last := put("Running")
	m.view(unseen)
	m.view(last)
	m.dropOutdated()
	if len(m.views) != 1 || m.views[last] == nil {
		t.Errorf("%d objects have a view, want the last one alone", len(m.views))
	}
	if err := store.Delete("test", keyOf(last)); err != nil {
		t.Fatal(err)
	}
	m.dropOutdated()
	if len(m.views) != 0 {
		t.Errorf("%d objects have a view though none is left", len(m.views))
	}
}

// A view is the same whether or not the one before it was known.
func TestAViewTakesOverOnlyWhatIsTheSame(t *testing.T) {
	t.Parallel()
	condition := func(kind, status string) any { return fields{"type": kind, "status": status} }
	content := func(labels fields, conditions ...any) map[string]any {
		return fields{"kind": "Machine", "metadata": fields{"name": "one", "labels": labels}, "status": fields{"conditions": conditions}}
	}
	ready, old := condition("Ready", "True"), fields{labelCluster: "a"}
	before := viewOf(content(old, ready, condition("Available", "False")), nil)
	after := viewOf(content(fields{labelCluster: "b", labelControlPlane: ""}, ready, condition("Available", "True"), condition("UpToDate", "True")), before)
	if !after.isTrue("Ready") || !after.isTrue("Available") || !after.isTrue("UpToDate") {
		t.Errorf("the conditions are %v", after.conditions.items)
	}
	if after.cluster != "b" || !after.controlPlane || after.name != "one" {
		t.Errorf("it is %v", *after.identity)
	}
	if same := viewOf(content(old), before); same.cluster != "a" || same.conditions != nil {
		t.Errorf("it belongs to %q and says %v", same.cluster, same.conditions)
	}
}
