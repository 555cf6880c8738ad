package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// What is gone must not stay in memory, nor be known to those it owned.
func TestSubjectsAreForgottenWithTheirLastTurn(t *testing.T) {
	t.Parallel()
	clock := &stoppedClock{}
	m := &Manager{clock: clock, store: kubeapi.New(kubeapi.Config{Kinds: Kinds(), Clock: clock}), watches: watches(), views: map[*unstructured.Unstructured]*view{}}
	set, machine := kindMachineSet.key("n", "set"), kindMachine.key("n", "machine")
	owned := kubeapi.Change{Key: machine, After: &unstructured.Unstructured{Object: fields{"metadata": fields{
		"ownerReferences": []any{fields{"apiVersion": kindMachineSet.apiVersion, "kind": set.Kind, "name": set.Name}},
	}}}}
	s := m.subjectOf(machine)
	first := m.ownersOf(s, owned)
	if len(first) != 1 || first[0] != m.subjectOf(set) {
		t.Fatalf("the owners are %v, want the set", first)
	}
	m.enqueueAll(first[0], time.Second)
	for i := range first[0].turns {
		if known := m.watches[set.Kind].subjects; len(known) != 1 {
			t.Errorf("before turn %d, %d sets are known", i, len(known))
		}
		m.run(&first[0].turns[i], first[0].turns[i].next)
	}
	if known := m.watches[set.Kind].subjects; len(known) != 0 {
		t.Errorf("%d sets are known though there is none", len(known))
	}
	if again := m.ownersOf(s, owned); len(again) != 1 || again[0] == first[0] || again[0] != m.subjectOf(set) {
		t.Error("a machine knows a set that was forgotten")
	}
}
