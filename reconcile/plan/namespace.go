package plan

import (
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// LabelChange is the path of the Change by which taking over a vSphere Namespace
// shows. The label is on the Kubernetes Namespace and not in vCenter.
const LabelChange = "metadata.labels[" + resource.LabelSource + "]"

// bringNamespace adds the action for a desired vSphere Namespace.
func (m *maker) bringNamespace(want resource.Object) {
	addr := want.Addr()
	live, exists := m.observed.Live.Get(addr)
	create := Action{Addr: addr, Verb: Create, Phase: phase.Prerequisites, Pos: want.Source, Changes: creation(want), Object: owned(want, m.policy)}
	switch {
	case !exists:
		m.act(create)
	case resource.Text(live.Object, "status", "configStatus") == "REMOVING":
		create.Reason = "once the one that is being removed is gone"
		m.act(create)
	default:
		m.updateNamespace(want, live)
	}
}

func (m *maker) updateNamespace(want, live resource.Object) {
	changes := compareNamespace(live, want)
	for i, c := range changes {
		changes[i].Effect, changes[i].Affects = namespaceEffect(c)
		if changes[i].Effect == Forbidden {
			m.find(Fail, CodeImmutable, want, "undo the change, or make another vSphere Namespace",
				"%s cannot be changed from %s to %s: %s", c.Path, compact(c.Old), compact(c.New), changes[i].Affects)
		}
	}
	namespace, there := m.observed.Live.Get(kubernetesNamespace(want.Addr()))
	reached, lack := phase.Reached(live)
	if reason := m.unread("Namespace"); reason != "" {
		m.unknownOwner(want, live, changes, reason)
		return
	}
	switch {
	case len(changes) == 0 && (!reached || !there):
		if reached {
			lack = phase.Link{Condition: "Kubernetes Namespace", Reason: "Missing"}
		}
		m.wait(want, live, phase.Prerequisites, lack)
		return
	case !there && owner(live, namespace, there) == m.policy.Source && m.policy.Source != "":
		// made by this source a moment ago; the label follows
	case !there:
		m.unknownOwner(want, live, changes, "its Kubernetes Namespace, which carries the label, does not exist")
		return
	case !m.mayTouchNamespace(owner(live, namespace, there)):
		severity := Warn
		if len(changes) > 0 {
			severity = Fail
		}
		skip := m.foreign(want, owner(live, namespace, there), severity)
		if len(changes) > 0 {
			m.act(m.namespaceUpdate(want, live, changes, skip))
		}
		return
	case m.policy.Source != "" && !isOwned(namespace, m.policy):
		label := Change{Path: LabelChange, New: m.policy.Source, Effect: InPlace}
		if other := namespace.GetLabels()[resource.LabelSource]; other != "" {
			label.Old = other
		}
		changes = append([]Change{label}, changes...)
	}
	if len(changes) > 0 {
		m.act(m.namespaceUpdate(want, live, changes, ""))
	}
}

// owner is the source that a vSphere Namespace belongs to. The label on its
// Kubernetes Namespace has the last word; without one it is the mark that a
// creation leaves in vCenter, so that a run that ended between the creation and
// the label loses nothing. To delete one the label itself is needed.
func owner(live, namespace resource.Object, there bool) string {
	if there {
		if source := namespace.GetLabels()[resource.LabelSource]; source != "" {
			return source
		}
	}
	return live.GetLabels()[resource.LabelSource]
}

func (m *maker) mayTouchNamespace(owner string) bool {
	return m.policy.Adopt || m.policy.Source != "" && owner == m.policy.Source
}

// unknownOwner deals with a vSphere Namespace whose label cannot be read.
func (m *maker) unknownOwner(want, live resource.Object, changes []Change, reason string) {
	if len(changes) == 0 {
		m.find(Unknown, CodeOwnership, want, "", "who owns it cannot be known: %s", reason)
		return
	}
	skip := ""
	if !m.policy.Adopt {
		skip = "who owns it cannot be known"
		m.find(Fail, CodeOwnership, want, "see to it that vksync can read its Namespace, or run with --adopt", "who owns it cannot be known: %s", reason)
	}
	m.act(m.namespaceUpdate(want, live, changes, skip))
}

func (m *maker) unread(kind string) string {
	for _, u := range m.observed.Unread {
		if u.Kind == kind {
			return u.Reason
		}
	}
	return ""
}

func (m *maker) namespaceUpdate(want, live resource.Object, changes []Change, skip string) Action {
	return Action{
		Addr: want.Addr(), Verb: Update, Phase: phase.Prerequisites, Pos: want.Source, Changes: changes,
		Effect: strongest(changes), UID: uidOf(live), Object: owned(want, m.policy), Skip: skip,
	}
}

// kubernetesNamespace is the Namespace of a vSphere Namespace.
func kubernetesNamespace(a resource.Addr) resource.Addr {
	return resource.Addr{Supervisor: a.Supervisor, Kind: "Namespace", Name: a.Name}
}
