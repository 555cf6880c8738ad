package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// changed is a change of an object of team-a, to after, or of one that is gone.
func changed(k kind, name string, after *unstructured.Unstructured) kubeapi.Change {
	return kubeapi.Change{Key: k.key("team-a", name), After: after}
}

func controlPlaneMachine(cluster string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: fields{"metadata": fields{"labels": fields{
		labelCluster: cluster, labelControlPlane: "",
	}}}}
}

func TestTheRosterForgetsMachinesThatAreGone(t *testing.T) {
	t.Parallel()
	r := newRoster()
	for _, name := range []string{"b", "a", "c"} {
		r.note(changed(kindMachine, name, controlPlaneMachine("prod")))
	}
	r.note(changed(kindMachine, "worker", &unstructured.Unstructured{Object: fields{}}))
	var names string
	for _, e := range r.census(clusterName{"team-a", "prod"}).machines {
		names += e.name.name
	}
	if names != "abc" {
		t.Errorf("the machines are %s, want abc", names)
	}
	r.note(changed(kindMachine, "a", controlPlaneMachine("moved")))
	for _, name := range []string{"a", "b", "c", "worker"} {
		r.note(changed(kindMachine, name, nil))
	}
	if len(r.kits)+len(r.clusters) > 0 {
		t.Errorf("%d machines of %d clusters are left", len(r.kits), len(r.clusters))
	}
}

func TestALullEndsWithAChangeOfWhatIsLookedAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change kubeapi.Change
		ends   bool
	}{
		"a Machine":                  {changed(kindMachine, "one", controlPlaneMachine("prod")), true},
		"its VM":                     {changed(kindVM, "one", nil), true},
		"another Machine":            {changed(kindMachine, "two", controlPlaneMachine("prod")), true},
		"a Secret that is gone":      {changed(kindSecret, "prod-kubeconfig", nil), true},
		"a Secret that is there":     {changed(kindSecret, "prod-ca", &unstructured.Unstructured{}), false},
		"a Machine somewhere else":   {changed(kindMachine, "two", controlPlaneMachine("test")), false},
		"a Secret of somebody else":  {changed(kindSecret, "production-ca", nil), false},
		"the VM of another machine":  {changed(kindVM, "two", nil), false},
		"a Secret with another name": {changed(kindSecret, "prod", nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoster()
			r.note(changed(kindMachine, "one", controlPlaneMachine("prod")))
			census := r.census(clusterName{"team-a", "prod"})
			census.lull = &lull{}
			r.note(c.change)
			if ended := census.lull == nil; ended != c.ends {
				t.Errorf("the lull ended: %t, want %t", ended, c.ends)
			}
		})
	}
}
