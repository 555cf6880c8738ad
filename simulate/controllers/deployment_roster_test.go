package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

func TestADivisionHasTheSetsOfItsDeployment(t *testing.T) {
	t.Parallel()
	m := &Manager{roster: newRoster(), views: map[*unstructured.Unstructured]*view{}}
	stored := map[string]*unstructured.Unstructured{}
	change := func(name, deployment string) {
		var set *unstructured.Unstructured
		if deployment != "" {
			set = &unstructured.Unstructured{Object: fields{"metadata": fields{"namespace": "team-a", "name": name, "labels": fields{labelDeployment: deployment}}}}
		}
		m.noteSet(kubeapi.Change{Key: kindMachineSet.key("team-a", name), Before: stored[name], After: set})
		stored[name] = set
	}
	for _, name := range []string{"b", "a", "c", "b"} {
		change(name, "one")
	}
	change("c", "two")
	names := func(deployment string) (names string) {
		for _, set := range m.roster.divisions[objectName{"team-a", deployment}] {
			if set != stored[nameOf(set)] {
				t.Errorf("the set %s is one that was replaced", nameOf(set))
			}
			names += nameOf(set)
		}
		return names
	}
	if one, two := names("one"), names("two"); one != "ab" || two != "c" {
		t.Errorf("the sets are %q and %q, want ab and c", one, two)
	}
	for _, name := range []string{"a", "b", "c"} {
		change(name, "")
	}
	if len(m.roster.divisions) > 0 {
		t.Errorf("%d divisions without sets are left", len(m.roster.divisions))
	}
}
