package controllers

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/vcenter"
)

// Store is where the controllers find and write objects; kubeapi.Store is one.
// What Get and List return is shared and must not be written to.
type Store interface {
	Get(kubeapi.Key) *unstructured.Unstructured
	List(gk schema.GroupKind, namespace string, labels map[string]string) []*unstructured.Unstructured
	Put(actor string, u *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Delete(actor string, k kubeapi.Key) error
}

// Config is what the controllers act on. All fields but Latencies and OnVM are required.
type Config struct {
	Store     Store
	Clock     kubeapi.Clock
	VSphere   VSphere
	Inventory *inventory.Inventory
	// Chance draws names, UUIDs and durations.
	Chance Chance
	// Latencies says how long steps take; nil is DefaultLatencies.
	Latencies map[Step]Triangle
	// OnVM is told what happens to virtual machines in vCenter.
	OnVM func(VMEvent)
}

// Manager runs the controllers. Its methods are not safe for concurrent use: the
// clock must call one function at a time, and changes come to Observe from those
// functions or while none runs.
type Manager struct {
	store     Store
	clock     kubeapi.Clock
	vsphere   VSphere
	inventory *inventory.Inventory
	chance    Chance
	latencies map[Step]Triangle
	onVM      func(VMEvent)

	byKind    map[schema.GroupKind][]*controller
	queue     map[request]*turn
	addresses addressPlan
	checks    map[clusterName][]kubeapi.Key // MachineHealthChecks, by the cluster they are of
	settled   map[clusterName]bool          // Clusters whose topology is looked at, and true when there is nothing to do
	usage     map[storageClass]int64        // MiB of node disks per namespace and storage class
	rest      time.Duration                 // how long the reconcile that runs wants no other, see holdOff
	views     map[*unstructured.Unstructured]*view
	outdated  []*unstructured.Unstructured // have a view and were replaced, see dropOutdated
	onFault   Fault                        // nil: the first fault ends the simulation
	err       error
}

// A controller reconciles objects of one kind. It returns when it wants to look
// again although nothing changed; zero is never.
type controller struct {
	name      string
	reconcile func(*Manager, *unstructured.Unstructured) (time.Duration, error)
}

type request struct {
	controller *controller
	key        kubeapi.Key
}

// A turn is when a request ran last and when it will run next.
type turn struct {
	last, next time.Time // next is zero when nothing is scheduled
	hold       time.Time // not before this time, whatever changes
}

const (
	// hop is how long a change takes to reach a controller that watches it.
	hop = 40 * time.Millisecond
	// pace is the least time between two reconciles of one object by one
	// controller (gate ReconcilerRateLimiting, observed.md 6.2).
	pace = time.Second
	// messageDelay is how long a Cluster lets changes of mere messages collect.
	messageDelay = 10 * time.Second
	// faultRetry is how long a reconcile that failed waits for the next.
	faultRetry = 10 * time.Second
	// grain is what times are rounded up to. It lets what happens to many
	// clusters at nearly the same time happen in one instant, which a run looks
	// at once; the order within an instant is that of asking.
	grain = 50 * time.Millisecond
)

// New makes the controllers. They act once Observe is subscribed to the store.
func New(c Config) *Manager {
	m := &Manager{
		store: c.Store, clock: c.Clock, vsphere: c.VSphere, inventory: c.Inventory,
		chance: c.Chance, latencies: c.Latencies, onVM: c.OnVM,
		queue: map[request]*turn{}, views: map[*unstructured.Unstructured]*view{},
		usage: map[storageClass]int64{}, checks: map[clusterName][]kubeapi.Key{}, settled: map[clusterName]bool{},
	}
	if m.latencies == nil {
		m.latencies = DefaultLatencies
	}
	if m.onVM == nil {
		m.onVM = func(VMEvent) {}
	}
	m.addresses = newAddressPlan(c.Inventory)
	m.byKind = map[schema.GroupKind][]*controller{
		kindCluster.GroupKind:                 {{actorTopology, (*Manager).reconcileTopology}, {actorCore, (*Manager).reconcileCluster}},
		kindClusterClass.GroupKind:            {{actorCore, (*Manager).reconcileClass}},
		kindVSphereCluster.GroupKind:          {{actorProvider, (*Manager).reconcileVSphereCluster}},
		kindControlPlane.GroupKind:            {{actorKCP, (*Manager).reconcileControlPlane}},
		kindMachineDeployment.GroupKind:       {{actorCore, (*Manager).reconcileDeployment}, {actorCore, (*Manager).guardTemplates}},
		kindMachineSet.GroupKind:              {{actorCore, (*Manager).guardTemplates}, {actorCore, (*Manager).reconcileSet}},
		kindMachine.GroupKind:                 {{actorCore, (*Manager).reconcileMachine}},
		kindMachineHealthCheck.GroupKind:      {{actorCore, (*Manager).reconcileHealthCheck}},
		kindKubeadmConfig.GroupKind:           {{actorBootstrap, (*Manager).reconcileBootstrap}},
		kindVSphereMachine.GroupKind:          {{actorProvider, (*Manager).reconcileVSphereMachine}},
		kindVM.GroupKind:                      {{actorVMService, (*Manager).reconcileVM}},
		kindVMService.GroupKind:               {{actorVMService, (*Manager).reconcileVMService}},
		kindResourcePolicy.GroupKind:          {{actorVMService, (*Manager).reconcileResourcePolicy}},
		kindSubnetSet.GroupKind:               {{actorNetwork, (*Manager).reconcileSubnetSet}},
		kindSubnetPort.GroupKind:              {{actorNetwork, (*Manager).reconcileSubnetPort}},
		kindNetworkInterface.GroupKind:        {{actorNetOperator, (*Manager).reconcileNetworkInterface}},
		kindIPPool.GroupKind:                  {{actorNetOperator, (*Manager).reconcileIPPool}},
		kindVirtualNetwork.GroupKind:          {{actorNCP, (*Manager).reconcileVirtualNetwork}},
		kindVirtualNetworkInterface.GroupKind: {{actorNCP, (*Manager).reconcileVirtualNetworkInterface}},
		kindService.GroupKind:                 {{actorNetwork, (*Manager).reconcileLoadBalancer}},
	}
	return m
}

// Err is the first fault of the simulation itself, as opposed to anything that
// goes wrong in the simulated world; nil when there is none. Nothing happens any
// more after it.
func (m *Manager) Err() error { return m.err }

// Fault is told what went wrong in the simulation itself, and with which object;
// u is nil where it was none.
type Fault func(u *unstructured.Unstructured, err error)

// Tolerate has faults of the simulation told to f from now on, in place of ending
// it: what failed is tried again later.
func (m *Manager) Tolerate(f Fault) { m.onFault = f }

// fail notes a fault of the simulation.
func (m *Manager) fail(u *unstructured.Unstructured, err error) {
	switch {
	case m.onFault != nil:
		m.onFault(u, err)
	case m.err == nil:
		m.err = err
	}
}

// Observe takes note of a committed change and schedules whoever depends on it.
// It may be called with the store locked.
func (m *Manager) Observe(c kubeapi.Change) {
	u := c.After
	if u == nil {
		u = c.Before
	}
	key := keyOf(u)
	if !summaryOnly(c) {
		m.enqueueKey(key, hop)
	}
	for _, owner := range resource.Items(u.Object, "metadata", "ownerReferences") {
		m.notifyOwner(c, key, owner)
	}
	m.account(c)
	m.unsettle(c, key)
	m.outdate(c)
	switch key.GK() {
	case kindCluster.GroupKind:
		m.notifyCluster(c)
	case kindClusterClass.GroupKind:
		m.notifyUsers(c)
	case kindMachineDeployment.GroupKind:
		m.notifyDeployment(c)
	case kindMachineHealthCheck.GroupKind:
		m.noteHealthCheck(c)
	case kindMachine.GroupKind:
		m.notifyHealthChecks(u)
		if c.After != nil && bootstrapSecret(c.Before) != bootstrapSecret(c.After) {
			m.enqueueKey(kindVSphereMachine.key(key.Namespace, key.Name), hop)
		}
		if hasLabel(u, labelControlPlane) {
			m.enqueueKey(kindCluster.key(key.Namespace, labelOf(u, labelCluster)), summaryDelay(c))
		}
	case kindVM.GroupKind:
		m.notifyEndpoint(c, u)
	case kindNetworkInterface.GroupKind:
		if firstIPConfig(c.Before) != firstIPConfig(c.After) {
			m.notifyPools()
		}
	}
}

// ObserveVM takes note of what somebody did in vCenter to a VM of the Supervisor,
// which VM Service watches there.
func (m *Manager) ObserveVM(c vcenter.Change) {
	m.enqueueKey(kindVM.key(c.VM.Namespace, c.VM.Name), hop)
}

// bootstrapSecret is the Secret with a Machine's bootstrap data, or "".
func bootstrapSecret(machine *unstructured.Unstructured) string {
	return resource.Text(contentOf(machine), "spec", "bootstrap", "dataSecretName")
}

// notifyOwner schedules the controllers of an owner, except where the real ones
// do not watch: CAPV polls SubnetSet and VirtualMachineService (domain.md E14, E18).
func (m *Manager) notifyOwner(c kubeapi.Change, child kubeapi.Key, owner any) {
	group, _, _ := cutGroup(resource.Text(owner, "apiVersion"))
	key := kubeapi.Key{Group: group, Kind: resource.Text(owner, "kind"), Namespace: child.Namespace, Name: resource.Text(owner, "name")}
	switch key.GK() {
	case kindVSphereCluster.GroupKind:
	case kindCluster.GroupKind:
		for _, ctl := range m.byKind[key.GK()] {
			// The topology controller watches what it makes, which is no Machine.
			if ctl.name != actorTopology || child.GK() != kindMachine.GroupKind {
				m.enqueue(request{ctl, key}, summaryDelay(c))
			}
		}
	default:
		m.enqueueKey(key, hop)
	}
}

// summaryOnly says whether all that changed in a Cluster is the summary that its
// own controller has just written, which gives nobody anything to do.
func summaryOnly(c kubeapi.Change) bool {
	if c.Actor != actorCore || c.Before == nil || c.After == nil || keyOf(c.After).GK() != kindCluster.GroupKind {
		return false
	}
	same := func(path ...string) bool {
		return resource.Field(c.Before.Object, path...) == resource.Field(c.After.Object, path...)
	}
	return hasCondition(c.Before, "Paused") && deleting(c.Before) == deleting(c.After) &&
		same("metadata", "generation") && same("status", "phase") &&
		same("status", "initialization", "infrastructureProvisioned") && same("status", "initialization", "controlPlaneInitialized")
}

// summaryDelay is how soon a Cluster takes in a change of what it owns: at once
// where a condition took another status or reason, or a phase or count changed;
// else with others of its kind. Messages on the way change far more often, and a
// Cluster is written, and sent to who watches it, each time.
func summaryDelay(c kubeapi.Change) time.Duration {
	if c.Before == nil || c.After == nil || deleting(c.Before) != deleting(c.After) {
		return hop
	}
	before, after := c.Before.Object, c.After.Object
	for _, path := range [][]string{
		{"metadata", "generation"}, {"status", "initialization", "provisioned"}, {"status", "initialization", "controlPlaneInitialized"},
		{"status", "phase"}, {"status", "version"}, {"status", "replicas"}, {"status", "readyReplicas"}, {"status", "availableReplicas"}, {"status", "upToDateReplicas"},
	} {
		if resource.Field(before, path...) != resource.Field(after, path...) {
			return hop
		}
	}
	if len(resource.Items(before, "metadata", "ownerReferences")) != len(resource.Items(after, "metadata", "ownerReferences")) {
		return hop
	}
	was, is := resource.Items(before, "status", "conditions"), resource.Items(after, "status", "conditions")
	if len(was) != len(is) {
		return hop
	}
	for i := range was {
		for _, field := range []string{"type", "status", "reason"} {
			if resource.Text(was[i], field) != resource.Text(is[i], field) {
				return hop
			}
		}
	}
	return messageDelay
}

// notifyCluster wakes everything that waits for one of the two barriers of a
// cluster (infrastructure provisioned, control plane initialized) or for the end
// of a pause.
func (m *Manager) notifyCluster(c kubeapi.Change) {
	passed := func(u *unstructured.Unstructured, barrier string) bool {
		return u != nil && resource.Flag(u.Object, "status", "initialization", barrier)
	}
	rises := func(barrier string) bool { return !passed(c.Before, barrier) && passed(c.After, barrier) }
	if c.Before == nil || c.After == nil || !rises("infrastructureProvisioned") && !rises("controlPlaneInitialized") && !pauseChanged(c) {
		return
	}
	namespace, name := namespaceOf(c.After), nameOf(c.After)
	// Listing needs the store, which is locked now.
	m.clock.AfterFunc(0, func() {
		for _, k := range []kind{kindVSphereCluster, kindControlPlane, kindMachineDeployment, kindMachineSet, kindMachine, kindMachineHealthCheck, kindKubeadmConfig, kindVSphereMachine, kindVM} {
			for _, u := range m.ofCluster(k, namespace, name) {
				m.enqueueKey(keyOf(u), hop)
			}
		}
	})
}

func (m *Manager) enqueueKey(key kubeapi.Key, after time.Duration) {
	for _, ctl := range m.byKind[key.GK()] {
		m.enqueue(request{ctl, key}, after)
	}
}

// enqueue schedules r, not sooner than its pace allows, unless it is to run
// before that anyway.
func (m *Manager) enqueue(r request, after time.Duration) {
	now := m.clock.Now()
	t := m.queue[r]
	if t == nil {
		t = &turn{}
		m.queue[r] = t
	}
	at := now.Add(after)
	if !t.last.IsZero() && at.Before(t.last.Add(pace)) {
		at = t.last.Add(pace)
	}
	if at.Before(t.hold) {
		at = t.hold
	}
	if early := at.Truncate(grain); early.Before(at) {
		at = early.Add(grain)
	}
	if !t.next.IsZero() && !at.Before(t.next) {
		return
	}
	t.next = at
	m.clock.AfterFunc(at.Sub(now), func() { m.run(r, at) })
}

// run is one reconcile, unless the turn was moved to another time.
func (m *Manager) run(r request, at time.Time) {
	t := m.queue[r]
	if t == nil || !t.next.Equal(at) || m.err != nil {
		return
	}
	t.last, t.next = at, time.Time{}
	m.dropOutdated()
	u := m.store.Get(r.key)
	if u == nil {
		delete(m.queue, r)
		return
	}
	m.rest = 0
	again, err := m.reconcile(r.controller, u)
	m.honourRest(r, t)
	switch {
	case apierrors.IsConflict(err):
		again = pace
	case err != nil:
		m.fail(u, fmt.Errorf("simulating %s of %s %s/%s: %w", r.controller.name, r.key.Kind, r.key.Namespace, r.key.Name, err))
		again = faultRetry
	}
	if again > 0 {
		m.enqueue(r, again)
	}
}

// holdOff has the object of the running reconcile left alone for d, even by
// changes: a controller that found that it must wait asks for it.
func (m *Manager) holdOff(d time.Duration) { m.rest = d }

// honourRest puts off what was scheduled during a reconcile that wants a rest.
func (m *Manager) honourRest(r request, t *turn) {
	if m.rest == 0 {
		return
	}
	t.hold = t.last.Add(m.rest)
	if !t.next.IsZero() && t.next.Before(t.hold) {
		t.next = time.Time{}
		m.enqueue(r, 0)
	}
}

// reconcile is one reconcile of u. Where faults are told, a panic is one of them:
// anybody may have written anything into u.
func (m *Manager) reconcile(c *controller, u *unstructured.Unstructured) (again time.Duration, err error) {
	if m.onFault != nil {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
	}
	return c.reconcile(m, u)
}

// Resume schedules every controller for every object, after a world was loaded.
func (m *Manager) Resume(objects []*unstructured.Unstructured) {
	for _, u := range objects {
		m.account(kubeapi.Change{After: u})
		if keyOf(u).GK() == kindMachineHealthCheck.GroupKind {
			m.noteHealthCheck(kubeapi.Change{After: u})
		}
		m.adoptAddress(u)
		m.enqueueKey(keyOf(u), hop)
	}
}

// Small helpers that all controllers share.

func (m *Manager) now() time.Time { return m.clock.Now() }

func (m *Manager) get(k kind, namespace, name string) *unstructured.Unstructured {
	if name == "" {
		return nil
	}
	return m.store.Get(k.key(namespace, name))
}

// ofCluster lists the objects of a kind that carry the cluster's label.
func (m *Manager) ofCluster(k kind, namespace, cluster string) []*unstructured.Unstructured {
	return m.store.List(k.GroupKind, namespace, map[string]string{labelCluster: cluster})
}

// clusterFor is the Cluster that u belongs to by label; nil when it is gone.
func (m *Manager) clusterFor(u *unstructured.Unstructured) *unstructured.Unstructured {
	return m.get(kindCluster, namespaceOf(u), labelOf(u, labelCluster))
}

// commit writes a draft if it differs from its object.
func (m *Manager) commit(actor string, d *draft) error {
	if !d.changed() {
		return nil
	}
	_, err := m.store.Put(actor, d.object())
	return err
}

// create writes a new object; one that exists already is left alone.
func (m *Manager) create(actor string, k kind, content map[string]any) (*unstructured.Unstructured, error) {
	content["apiVersion"], content["kind"] = k.apiVersion, k.Kind
	u := &unstructured.Unstructured{Object: content}
	if old := m.store.Get(keyOf(u)); old != nil {
		return old, nil
	}
	return m.store.Put(actor, u)
}

// remove deletes an object and is content when it is gone already.
func (m *Manager) remove(actor string, u *unstructured.Unstructured) error {
	if u == nil || deleting(u) {
		return nil
	}
	err := m.store.Delete(actor, keyOf(u))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// suffix draws a suffix that makes base a name that is free, for an object that
// owner makes.
func (m *Manager) suffix(k kind, owner *unstructured.Unstructured, base string) string {
	namespace := namespaceOf(owner)
	for attempt := 0; ; attempt++ {
		s := m.draw(k, owner, base, attempt)
		if m.get(k, namespace, generatedName(base, s)) == nil {
			return s
		}
	}
}

// draw is the suffix of one attempt. It depends on the age of the owner, so that
// the name of an object that is gone does not come back with its successor.
func (m *Manager) draw(k kind, owner *unstructured.Unstructured, base string, attempt int) string {
	age := m.now().Sub(createdAt(owner)).Milliseconds()
	return m.chance.Suffix(k.Kind, namespaceOf(owner), base, fmt.Sprint(age), fmt.Sprint(attempt))
}

func keyOf(u *unstructured.Unstructured) kubeapi.Key {
	group, _, _ := cutGroup(resource.Text(u.Object, "apiVersion"))
	return kubeapi.Key{Group: group, Kind: resource.Text(u.Object, "kind"), Namespace: namespaceOf(u), Name: nameOf(u)}
}

func cutGroup(apiVersion string) (group, version string, ok bool) {
	for i := range len(apiVersion) {
		if apiVersion[i] == '/' {
			return apiVersion[:i], apiVersion[i+1:], true
		}
	}
	return "", apiVersion, false
}
