package plan

import (
	"strings"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// bringCluster adds the action for a desired Cluster.
func (m *maker) bringCluster(want resource.Object) {
	want = owned(want, m.policy)
	addr := want.Addr()
	live, exists := m.observed.Live.Get(addr)
	switch {
	case !exists:
		m.act(Action{Addr: addr, Verb: Create, Phase: phase.Topology, Pos: want.Source, Changes: creation(want), Force: m.policy.ForceConflicts, Object: want})
		m.refuse(want, resource.Object{}, nil)
		m.refused(want)
	case live.GetDeletionTimestamp() != nil:
		m.act(Action{
			Addr: addr, Verb: Create, Phase: phase.Topology, Pos: want.Source, Changes: creation(want), Object: want,
			UID: uidOf(live), Reason: "once the one that is being deleted is gone",
		})
	default:
		m.updateCluster(want, live)
	}
}

func (m *maker) updateCluster(want, live resource.Object) {
	changes := m.clusterChanges(want, live)
	reached, lack := phase.Reached(live)
	if len(changes) == 0 {
		m.refused(want)
		if !reached {
			m.wait(want, live, phase.Topology, lack)
		}
		return
	}
	m.refuse(want, live, changes)
	a := Action{
		Addr: want.Addr(), Verb: Update, Phase: phase.Topology, Pos: want.Source, Changes: changes, Effect: strongest(changes),
		UID: uidOf(live), Object: want, Force: m.policy.ForceConflicts || m.observed.Reclaimed[want.Addr()],
	}
	if a.Effect != Forbidden {
		a.Parts, a.Peak = m.explain(want, live, changes)
	}
	if !mayTouch(live, m.policy) {
		a.Skip = m.foreign(want, live.GetLabels()[resource.LabelSource], Fail)
	}
	m.refused(want)
	m.paused(want, live)
	m.act(a)
}

// paused notes that a change is stored and then has no effect for now.
func (m *maker) paused(want, live resource.Object) {
	_, decided := resource.Fields(want.Object, "spec")["paused"]
	if !Paused(live) || decided || Paused(want) || noiseOf(live, want).pausedForUpgrade {
		return
	}
	m.find(Warn, CodePaused, want, "unpause it: kubectl patch, or spec.paused: false in the manifest", "it is paused: the change is stored, and nobody acts on it until it is unpaused")
}

// clusterChanges lists what applying want changes: the server's word where it
// gave one, else what can be seen without it.
func (m *maker) clusterChanges(want, live resource.Object) []Change {
	if m.observed.Same[want.Addr()] {
		return nil
	}
	var changes []Change
	if predicted, asked := m.observed.Predicted[want.Addr()]; asked {
		changes = predictedChanges(live, predicted)
	} else {
		changes, _ = compareCluster(live, want)
	}
	before, desired := topologyOf(live), topologyOf(want)
	for i, c := range changes {
		changes[i].Effect, changes[i].Affects = clusterEffect(c, before, desired)
	}
	return changes
}

// refused notes that the API server refused a dry run, unless it is for what has
// been said already.
func (m *maker) refused(want resource.Object) {
	text := m.observed.Refused[want.Addr()]
	for _, r := range m.said[want.Addr()] {
		if strings.Contains(text, r.Message) {
			return
		}
	}
	if text != "" {
		m.find(Fail, CodeDryRun, want, "", "the API server refuses it: %s", resource.Redact(text))
	}
}
