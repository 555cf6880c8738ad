package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func workerOf(set string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: fields{"metadata": fields{"labels": fields{labelSet: set}}}}
}

func TestASquadHasTheMachinesOfItsSet(t *testing.T) {
	t.Parallel()
	r := newRoster()
	for _, name := range []string{"b", "a", "c"} {
		r.note(changed(kindVM, name, &unstructured.Unstructured{}))
		r.note(changed(kindMachine, name, workerOf("one")))
	}
	r.note(changed(kindMachine, "c", workerOf("two")))
	names := func(set string) (names string) {
		for _, k := range r.squads[objectName{"team-a", set}].kits {
			names += k.name.name
		}
		return names
	}
	if one, two := names("one"), names("two"); one != "ab" || two != "c" {
		t.Errorf("the machines are %q and %q, want ab and c", one, two)
	}
	for _, name := range []string{"a", "b", "c"} {
		r.note(changed(kindMachine, name, nil))
	}
	if len(r.squads) > 0 || len(r.kits) != 3 {
		t.Errorf("%d squads and %d kits are left, want 0 and the 3 whose VM is there", len(r.squads), len(r.kits))
	}
	for _, name := range []string{"a", "b", "c"} {
		r.note(changed(kindVM, name, nil))
	}
	if len(r.kits) > 0 {
		t.Errorf("%d kits of nothing are left", len(r.kits))
	}
}

func TestASquadNeverLooksAsItDidBeforeAChange(t *testing.T) {
	t.Parallel()
	r := newRoster()
	seen := map[uint64]bool{}
	for i := range 3 {
		for _, change := range []bool{true, true, false} {
			var machine *unstructured.Unstructured
			if change {
				machine = workerOf("set")
			}
			r.note(changed(kindMachine, "one", machine))
			s := r.squads[objectName{"team-a", "set"}]
			if s == nil {
				continue
			}
			if seen[s.changed] {
				t.Errorf("round %d: the squad changed at %d, again", i, s.changed)
			}
			seen[s.changed] = true
		}
	}
}
