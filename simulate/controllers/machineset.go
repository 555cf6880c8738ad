package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileSet keeps as many Machines as the set asks for: all missing ones are
// made in one pass, the surplus is deleted in one pass (observed.md 6.3). What
// changes in place goes to those that are there, and those that failed their
// health check are replaced. Its status is of the Machines as they were found.
func (m *Manager) reconcileSet(u *unstructured.Unstructured) (time.Duration, error) {
	v, cluster := m.view(u), m.clusterFor(u)
	if cluster == nil {
		return 0, nil
	}
	last, _ := v.taken.(setTaken)
	squad := m.squadOf(v)
	if last.stays && last.changed == squad.changed && !m.view(cluster).pauses {
		return 0, nil
	}
	d := m.edit(u)
	if !v.deleting && !v.hasFinalizer(finalizerSet) {
		claim(d, finalizerSet, finalizerSetTopology)
		return 0, m.commit(actorCore, d)
	}
	if m.halts(d, v, cluster) {
		return 0, m.commit(actorCore, d)
	}
	members := m.membersOf(v)
	machines := machinesOf(members)
	if v.deleting {
		return m.deleteSet(d, machines)
	}
	again, err := m.remediate(u, cluster, machines)
	if err != nil {
		return 0, err
	}
	if err := m.syncMachines(u, machines, members, last.members); err != nil {
		return 0, err
	}
	changed := squad.changed
	scale, blocked := faultRetry, ""
	if m.whole(members) {
		if scale, blocked, err = m.scaleMachines(u, cluster, machines); err != nil {
			return 0, err
		}
	}
	views := m.viewsOf(machines)
	summarizeSet(d, views, blocked)
	again = soonest(again, scale)
	stays := again == 0 && !slices.ContainsFunc(views, undecided)
	return again, m.settle(actorCore, d, setTaken{members, changed, stays})
}

// setTaken is what a pass of a MachineSet took in. It stays so until the squad changes,
// where nothing is waited for that no Machine tells of.
type setTaken struct {
	members []parts
	changed uint64
	stays   bool
}

// undecided says of a Machine that the status of its owner is to change though the
// Machine does not: it has not said whether it is up to date, or is to be replaced.
func undecided(machine *view) bool {
	return machine.condition("UpToDate").Type == "" || machine.remediationAsked()
}

func summarizeSet(d *draft, machines []*view, blocked string) {
	desired := resource.Int(d.root, "spec", "replicas")
	going := d.deleting()
	if going {
		desired = 0
	}
	t := tallyOf(machines)
	t.write(d)
	t.scaling(d, desired, blocked)
	t.conditions(d, machines)
	summarizeRemediation(d, machines, "MachineSet")
	if !going {
		d.condition("Deleting", "False", "NotDeleting", "")
	}
}

// deleteSet deletes all Machines at once and waits until they are gone.
func (m *Manager) deleteSet(d *draft, machines []*unstructured.Unstructured) (time.Duration, error) {
	summarizeSet(d, m.viewsOf(machines), "")
	if len(machines) == 0 {
		d.condition("Deleting", "True", "Deleting", "Deletion completed")
		return 0, m.letGo(actorCore, d, finalizerSet)
	}
	d.condition("Deleting", "True", "Deleting", deletingMachines(machines))
	for _, machine := range machines {
		if err := m.remove(actorCore, machine); err != nil {
			return 0, err
		}
	}
	return 0, m.commit(actorCore, d)
}
