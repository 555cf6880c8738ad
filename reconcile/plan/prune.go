package plan

import (
	"slices"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// prune deals with what this source owns and no longer asks for. Nothing of it
// is deleted without the policy, and nothing at all past the policy's limit.
func (m *maker) prune() {
	surplus := m.surplus()
	if len(surplus) == 0 {
		m.plan.Findings = append(m.plan.Findings, Finding{Severity: OK, Code: CodePrune, Message: "everything that is owned is desired"})
		return
	}
	if !m.policy.Prune {
		for _, live := range surplus {
			m.find(Warn, CodePrune, live, "run with --prune to delete it", "it is owned and no longer desired")
		}
		return
	}
	goes := 0
	for _, live := range surplus {
		a := Action{Addr: live.Addr(), Verb: Delete, Phase: phaseOf(live), UID: uidOf(live), Reason: "it is owned and no longer desired"}
		if a.Skip = m.keptBecause(live); a.Skip == "" {
			goes++
		}
		m.act(a)
	}
	if limit := m.policy.PruneLimit; limit > 0 && goes > limit {
		m.keepAll(goes)
	}
	m.keepInhabited()
}

// keepAll takes back every deletion: so many are more likely a mistake.
func (m *maker) keepAll(goes int) {
	m.plan.Findings = append(m.plan.Findings, Finding{
		Severity: Fail, Code: CodePrune,
		Message: plural(goes, "resource") + " would be deleted, which is more than one run may delete; none is",
		Hint:    "raise --prune-limit if this is meant",
	})
	for i, a := range m.plan.Actions {
		if a.Verb == Delete && a.Skip == "" {
			m.plan.Actions[i].Skip = "the limit on deletions is exceeded"
		}
	}
}

// keptBecause is why a resource is not deleted whatever the policy says; empty
// when nothing speaks against it.
func (m *maker) keptBecause(live resource.Object) string {
	carrier := live
	if live.GetKind() == resource.KindVSphereNamespace {
		carrier, _ = m.observed.Live.Get(kubernetesNamespace(live.Addr()))
	}
	switch {
	case Protected(carrier):
		m.find(Warn, CodePrune, live, "remove the annotation "+resource.AnnotationProtection+" when it may go", "it is protected from deletion")
		return "it is protected from deletion"
	case Paused(live):
		m.find(Warn, CodePrune, live, "unpause it first", "it is paused, and would not go until it is unpaused")
		return "it is paused, and would not go"
	}
	return ""
}

// surplus lists what is owned and not desired, in order.
func (m *maker) surplus() []resource.Object {
	var out []resource.Object
	for addr, live := range m.observed.Live.All() {
		if _, desired := m.desired.Get(addr); desired {
			continue
		}
		switch addr.Kind {
		case resource.KindCluster:
			if isOwned(live, m.policy) {
				out = append(out, live)
			}
		case resource.KindVSphereNamespace:
			if namespace, ok := m.observed.Live.Get(kubernetesNamespace(addr)); ok && isOwned(namespace, m.policy) {
				out = append(out, live)
			}
		}
	}
	return out
}

// keepInhabited takes back the deletion of a vSphere Namespace in which a
// cluster stays, since it would take the cluster with it.
func (m *maker) keepInhabited() {
	deleted := map[resource.Addr]bool{}
	for _, a := range m.plan.Actions {
		deleted[a.Addr] = a.Verb == Delete && a.Skip == ""
	}
	inhabitants := map[string]resource.Addr{}
	note := func(addr resource.Addr) {
		if _, known := inhabitants[addr.Namespace]; !known && addr.Kind == resource.KindCluster && !deleted[addr] {
			inhabitants[addr.Namespace] = addr
		}
	}
	for addr := range m.observed.Live.All() {
		note(addr)
	}
	for addr := range m.desired.All() {
		note(addr)
	}
	for i, a := range m.plan.Actions {
		cluster, inhabited := inhabitants[a.Addr.Name]
		if a.Verb != Delete || a.Addr.Kind != resource.KindVSphereNamespace || !inhabited || a.Skip != "" {
			continue
		}
		m.plan.Actions[i].Skip = cluster.String() + " stays in it"
		live, _ := m.observed.Live.Get(a.Addr)
		m.find(Fail, CodePrune, live, "delete the cluster first, or keep the vSphere Namespace", "it cannot be deleted: %s stays in it", cluster)
	}
}

func phaseOf(o resource.Object) phase.ID {
	if slices.Contains([]string{resource.KindVSphereNamespace, "Namespace"}, o.GetKind()) {
		return phase.Prerequisites
	}
	return phase.Topology
}
