package simulate

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A changeLog turns what happened in the world into journal events, in the order
// in which it happened. Changes are noted while the store is locked, and told
// when the run waits.
type changeLog struct {
	now    func() time.Time
	store  *kubeapi.Store
	record func(time.Time, journal.Event)

	mu      sync.Mutex
	pending []happening
	// clusters remembers the cluster of objects that carry no label of it, by UID.
	clusters map[string]string
	// phases remembers the phase of objects that have it from their owner, by UID.
	phases map[string]phase.ID
}

// A happening is a change of an object or of a virtual machine.
type happening struct {
	at     time.Time
	change kubeapi.Change
	vm     *controllers.VMEvent
}

func (l *changeLog) add(c kubeapi.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, happening{at: l.now(), change: c})
}

func (l *changeLog) addVM(e controllers.VMEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, happening{at: l.now(), vm: &e})
}

// drain tells what is pending and says whether any of it concerns a kind that
// some client watches.
func (l *changeLog) drain() (watched bool) {
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, h := range pending {
		var event journal.Event
		switch {
		case h.vm != nil:
			event.VM = vmEvent(h.vm)
		default:
			watched = watched || l.store.Watched(kindOf(h.change))
			change, differs := resource.Diff(h.change.Before, h.change.After)
			if !differs {
				continue
			}
			event.Object = l.objectEvent(h.change, change)
		}
		if l.record != nil {
			l.record(h.at, event)
		}
	}
	return watched
}

func kindOf(c kubeapi.Change) schema.GroupKind {
	return subject(c).GroupVersionKind().GroupKind()
}

// subject is the object a change is about.
func subject(c kubeapi.Change) *unstructured.Unstructured {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

func (l *changeLog) objectEvent(c kubeapi.Change, change resource.Change) *journal.Object {
	u := subject(c)
	labels, owners := u.GetLabels(), resource.OwnersOf(u.Object)
	return &journal.Object{
		Actor:   c.Actor,
		Change:  change,
		Cluster: l.clusterOf(u, labels, owners),
		PhaseID: l.phaseOf(u, labels, owners),
	}
}

// phaseOf is the phase of an object. What says nothing of its role itself, such
// as a bootstrap Secret or a SubnetPort, has that of the machine that owns it.
func (l *changeLog) phaseOf(u *unstructured.Unstructured, labels map[string]string, owners []resource.Owner) phase.ID {
	uid := string(u.GetUID())
	if id, known := l.phases[uid]; known {
		return id
	}
	id := phase.Of(u.GetKind(), labels, owners)
	for _, ref := range u.GetOwnerReferences() {
		if ref.Kind != "KubeadmConfig" && ref.Kind != "VirtualMachine" {
			continue
		}
		if owner := l.ownerOf(u, ref); owner != nil {
			id = phase.Of(u.GetKind(), owner.GetLabels(), owners)
			l.phases[uid] = id // the owner may be gone when u goes
		}
	}
	return id
}

func (l *changeLog) ownerOf(u *unstructured.Unstructured, ref metav1.OwnerReference) *unstructured.Unstructured {
	gk := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
	return l.store.Get(kubeapi.Key{Group: gk.Group, Kind: gk.Kind, Namespace: u.GetNamespace(), Name: ref.Name})
}

// clusterOf is the name of the cluster an object belongs to: by label, or
// through its owners.
func (l *changeLog) clusterOf(u *unstructured.Unstructured, labels map[string]string, owners []resource.Owner) string {
	if name := phase.ClusterOf(u.GetKind(), u.GetName(), labels, owners); name != "" {
		return name
	}
	uid := string(u.GetUID())
	if name, known := l.clusters[uid]; known {
		return name
	}
	name := ""
	for _, ref := range u.GetOwnerReferences() {
		if name = l.clusters[string(ref.UID)]; name != "" {
			break
		}
		if owner := l.ownerOf(u, ref); owner != nil {
			if name = l.clusterOf(owner, owner.GetLabels(), resource.OwnersOf(owner.Object)); name != "" {
				break
			}
		}
	}
	l.clusters[uid] = name
	return name
}

func vmEvent(e *controllers.VMEvent) *journal.VM {
	labels := e.VM.GetLabels()
	return &journal.VM{
		Op: e.Op, Task: e.Task,
		Namespace: e.VM.GetNamespace(), Name: e.VM.GetName(),
		Cluster: phase.ClusterOf(e.VM.GetKind(), e.VM.GetName(), labels, nil),
		Zone:    e.Spot.Zone, Host: e.Spot.Host, Datastore: e.Spot.Datastore, IP: e.IP,
		PhaseID: phase.Of(e.VM.GetKind(), labels, resource.OwnersOf(e.VM.Object)),
	}
}
