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
	listeners   map[*listener]bool
	held        []change // in the order in which they came
	timer       *time.Timer
	vcenter     poller
}

// A listener is a run that is told what concerns its goals.
type listener struct {
	recorder   *journal.Recorder
	clusters   map[resource.Addr]bool
	namespaces map[string]bool
}

func newHistory(e *Engine) *history {
	h := &history{
		engine: e, objects: map[resource.Addr]*unstructured.Unstructured{}, machines: map[string]*unstructured.Unstructured{},
		listeners: map[*listener]bool{},
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

// listen has a run told what concerns the goals of its plan, until it ends.
func (h *history) listen(ctx context.Context, p *plan.Plan, recorder *journal.Recorder) (end func(), err error) {
	if err := h.follow(ctx); err != nil {
		return nil, err
	}
	l := &listener{recorder: recorder, clusters: map[resource.Addr]bool{}, namespaces: map[string]bool{}}
	for _, g := range p.Goals {
		if g.Addr.Kind == resource.KindCluster {
			l.clusters[resource.Addr{Namespace: g.Addr.Namespace, Name: g.Addr.Name}] = true
			l.namespaces[g.Addr.Namespace] = true
			continue
		}
		l.namespaces[g.Addr.Name] = true
	}
	h.mu.Lock()
	h.listeners[l] = true
	h.mu.Unlock()
	h.vcenter.begin(ctx, h)
	return func() {
		h.vcenter.release()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners, l)
	}, nil
}

// concerns says whether a run is about a cluster, or about what clusters of a
// namespace share.
func (l *listener) concerns(namespace, cluster string) bool {
	if cluster == "" {
		return l.namespaces[namespace]
	}
	return l.clusters[resource.Addr{Namespace: namespace, Name: cluster}]
}

// tell records an event in the journals that it concerns. It is called with mu held.
func (h *history) tell(namespace, cluster string, e journal.Event) {
	now := h.engine.world.Now()
	for l := range h.listeners {
		if l.concerns(namespace, cluster) {
			l.recorder.Record(now, e)
		}
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
	cluster, id := h.attribution.Of(u)
	if after == nil {
		h.attribution.Forget(u)
	}
	change, differs := resource.Diff(before, after)
	if !differs {
		return
	}
	namespace := u.GetNamespace()
	if u.GetKind() == "Namespace" {
		namespace = u.GetName()
	}
	h.tell(namespace, cluster, journal.Event{Object: &journal.Object{Actor: writer(before, after), Change: change, Cluster: cluster, PhaseID: id}})
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
	cluster, id := h.attribution.Of(u)
	h.tell(u.GetNamespace(), cluster, journal.Event{Warning: &journal.Warning{
		Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName(), Cluster: cluster, PhaseID: id,
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

// recorded is o with a journal that is told of what happens.
func (e *Engine) recorded(ctx context.Context, p *plan.Plan, o *apply.Options) (end func(), err error) {
	if e.history == nil {
		return func() {}, nil
	}
	if o.Journal == nil {
		o.Journal = journal.NewRecorder(o.World.Now())
	}
	o.Settle = e.history.settle
	return e.history.listen(ctx, p, o.Journal)
}

// pollVCenter is how often vCenter is asked what happened to machines.
const pollVCenter = 10 * time.Second
