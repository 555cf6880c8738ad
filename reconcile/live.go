package reconcile

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

// told are the kinds whose changes go into the journals of live runs: what a
// cluster is made of, and the Events about that. Secrets are not among them, so
// nobody has to be allowed to read them.
var told = []schema.GroupKind{
	kindCluster, {Kind: "Namespace"}, {Kind: "Service"}, kindEvent,
	{Group: resource.GroupCluster, Kind: "Machine"},
	{Group: resource.GroupCluster, Kind: "MachineSet"},
	{Group: resource.GroupCluster, Kind: "MachineDeployment"},
	{Group: "controlplane.cluster.x-k8s.io", Kind: "KubeadmControlPlane"},
	{Group: "bootstrap.cluster.x-k8s.io", Kind: "KubeadmConfig"},
	{Group: "vmware.infrastructure.cluster.x-k8s.io", Kind: "VSphereCluster"},
	{Group: "vmware.infrastructure.cluster.x-k8s.io", Kind: "VSphereMachine"},
	kindVM,
	{Group: kindVM.Group, Kind: "VirtualMachineService"},
	{Group: kindVM.Group, Kind: "VirtualMachineSetResourcePolicy"},
	{Group: "crd.nsx.vmware.com", Kind: "SubnetSet"},
	{Group: "crd.nsx.vmware.com", Kind: "SubnetPort"},
	{Group: "netoperator.vmware.com", Kind: "NetworkInterface"},
	{Group: "vmware.com", Kind: "VirtualNetwork"},
	{Group: "vmware.com", Kind: "VirtualNetworkInterface"},
}

var (
	kindEvent = schema.GroupKind{Kind: "Event"}
	kindVM    = schema.GroupKind{Group: "vmoperator.vmware.com", Kind: "VirtualMachine"}
)

// A history tells live runs what happens in the Supervisor and in vCenter. In a
// simulation the world itself does. It is safe for concurrent use.
type history struct {
	engine   *Engine
	begin    sync.Mutex // held while it begins
	follower *supervisor.Follower

	mu sync.Mutex // guards what is below
	// begun says that everything there was when it began has been heard of.
	begun       bool
	attribution *phase.Attribution
	objects     map[resource.Addr]*unstructured.Unstructured
	machines    map[string]*unstructured.Unstructured // VirtualMachines by their id in vCenter
	gone        []string                              // the ids of those that are not there any more
	listeners   map[listener]bool
	held        []change // in the order in which they came
	timer       *time.Timer
	vcenter     poller
}

func newHistory(e *Engine) *history {
	h := &history{
		engine: e, objects: map[resource.Addr]*unstructured.Unstructured{}, machines: map[string]*unstructured.Unstructured{},
		listeners: map[listener]bool{},
	}
	h.attribution = phase.NewAttribution(func(a resource.Addr) *unstructured.Unstructured { return h.objects[a] })
	return h
}

// follow begins to follow the Supervisor, unless that is done already. A kind that
// may not be read is missing in journals and stops nothing.
func (h *history) follow(ctx context.Context) error {
	h.begin.Lock()
	defer h.begin.Unlock()
	if h.follower != nil {
		return nil
	}
	follower, err := h.engine.kube.Follow(ctx, told, h.hear)
	if err != nil {
		return err
	}
	h.follower = follower
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun = true
	for _, u := range h.objects {
		h.attribution.Of(u) // while its owners are there
	}
	return nil
}

func (h *history) close() {
	h.begin.Lock()
	defer h.begin.Unlock()
	if h.follower != nil {
		h.follower.Close()
	}
	h.mu.Lock()
	if h.timer != nil {
		h.timer.Stop()
	}
	h.mu.Unlock()
	h.vcenter.end()
}

// unread are the kinds that are missing, with the reason.
func (h *history) unread() []plan.Unread {
	h.begin.Lock()
	defer h.begin.Unlock()
	var out []plan.Unread
	if h.follower != nil {
		for _, u := range h.follower.Unfollowed() {
			out = append(out, plan.Unread{Kind: u.Kind.String(), Reason: u.Reason})
		}
	}
	if reason := h.vcenter.lastError(); reason != "" {
		out = append(out, plan.Unread{Kind: "vCenter events", Reason: reason})
	}
	return out
}

// add has a listener told what happens from now on. First calls it before, while
// nothing else is told.
func (h *history) add(l listener, first func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first()
	h.listeners[l] = true
}

func (h *history) drop(l listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

// tell passes an event on. It is called with mu held.
func (h *history) tell(at place, e journal.Event) {
	now := h.engine.world.Now()
	for l := range h.listeners {
		l.tell(now, at, e)
	}
}

// hear is called for every change, and before h has begun for every object.
func (h *history) hear(before, after *unstructured.Unstructured) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.begun:
		h.put(changeOf(before, after))
	case after != nil && after.GetKind() != kindEvent.Kind:
		h.keep(after, true)
	}
}

// tellChange tells of a change, in the order in which the server made it. It is
// called with mu held.
func (h *history) tellChange(before, after *unstructured.Unstructured) {
	u := after
	if u == nil {
		u = before
	}
	if u.GetKind() == kindEvent.Kind {
		if after != nil {
			h.hearEvent(after)
		}
		return
	}
	h.keep(u, after != nil)
	at, id := h.whereabouts(u)
	if after == nil {
		h.attribution.Forget(u)
	}
	if u.GroupVersionKind().GroupKind() == kindCluster {
		for l := range h.listeners {
			l.meet(before, after)
		}
	}
	change, differs := resource.Diff(before, after)
	if !differs {
		return
	}
	h.tell(at, journal.Event{Object: &journal.Object{Actor: writer(before, after), Change: change, Cluster: at.cluster, PhaseID: id}})
}

// keep remembers an object for those that it owns.
func (h *history) keep(u *unstructured.Unstructured, exists bool) {
	addr := resource.AddrOf(u, "")
	id := ""
	if addr.GroupKind() == kindVM {
		id = resource.Text(u.Object, "status", "uniqueID")
	}
	if exists {
		h.objects[addr] = u
		if id != "" {
			h.machines[id] = u
		}
		return
	}
	delete(h.objects, addr)
	if id == "" {
		return
	}
	// That a machine was removed in vCenter is told after the object is gone, so its
	// id stays known for a while.
	if h.gone = append(h.gone, id); len(h.gone) > rememberGone {
		delete(h.machines, h.gone[0])
		h.gone = h.gone[1:]
	}
}

// rememberGone is how many machines that are gone are remembered.
const rememberGone = 1000

// hearEvent takes in a Kubernetes Event, if it is a warning about something known.
func (h *history) hearEvent(e *unstructured.Unstructured) {
	if resource.Text(e.Object, "type") != "Warning" {
		return
	}
	about := resource.Fields(e.Object, "involvedObject")
	gk := schema.FromAPIVersionAndKind(resource.Text(about, "apiVersion"), resource.Text(about, "kind")).GroupKind()
	u := h.objects[resource.Addr{Group: gk.Group, Kind: gk.Kind, Namespace: resource.Text(about, "namespace"), Name: resource.Text(about, "name")}]
	if u == nil {
		return
	}
	at, id := h.whereabouts(u)
	h.tell(at, journal.Event{Warning: &journal.Warning{
		Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName(), Cluster: at.cluster, PhaseID: id,
		Reason: resource.Text(e.Object, "reason"), Message: resource.Redact(resource.Text(e.Object, "message")),
	}})
}

// writer is the field manager that made the step from before to after, as far as
// the server tells: the latest of those whose entry is new. A deletion has none.
func writer(before, after *unstructured.Unstructured) string {
	if after == nil {
		return ""
	}
	type entry struct{ manager, operation, subresource, at string }
	entries := func(u *unstructured.Unstructured) []entry {
		if u == nil {
			return nil
		}
		var out []entry
		for _, f := range resource.Items(u.Object, "metadata", "managedFields") {
			out = append(out, entry{resource.Text(f, "manager"), resource.Text(f, "operation"), resource.Text(f, "subresource"), resource.Text(f, "time")})
		}
		return out
	}
	old := map[entry]bool{}
	for _, e := range entries(before) {
		old[e] = true
	}
	var fresh, latest entry
	for _, e := range entries(after) {
		if !old[e] && e.at >= fresh.at {
			fresh = e
		}
		if e.at >= latest.at {
			latest = e
		}
	}
	if fresh.manager == "" {
		return latest.manager // it wrote twice within a second
	}
	return fresh.manager
}

// recorded is o with a journal that is told of what happens, and at first of what
// there is of the clusters that are to be changed.
func (e *Engine) recorded(ctx context.Context, p *plan.Plan, o *apply.Options) (end func(), err error) {
	if o.Journal == nil {
		o.Journal = journal.NewRecorder(o.World.Now())
	}
	a := newAudience(p, o.Journal)
	h := e.history
	if h == nil { // the world itself tells what happens
		if world, is := o.World.(teller); is {
			o.Begun = func() { a.recall(o.World.Now(), world.Present(a.changes)) }
		}
		return func() {}, nil
	}
	if err := h.follow(ctx); err != nil {
		return nil, err
	}
	o.Begun = func() {
		h.add(a, func() { a.recall(o.World.Now(), h.present(a.changes)) })
	}
	o.Settle = h.settle
	h.vcenter.begin(ctx, h, pollVCenter)
	return func() {
		h.vcenter.release()
		h.drop(a)
	}, nil
}

// pollVCenter is how often vCenter is asked what happened to machines.
const pollVCenter = 10 * time.Second
