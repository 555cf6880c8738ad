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
)

// Store is where the controllers find and write objects; kubeapi.Store is one.
// What Get, List, OfCluster and Dependents return is shared and must not be written to.
type Store interface {
	Get(kubeapi.Key) *unstructured.Unstructured
	List(gk schema.GroupKind, namespace string, labels map[string]string) []*unstructured.Unstructured
	OfCluster(gk schema.GroupKind, namespace, cluster string) []*unstructured.Unstructured
	Dependents(uid string) []*unstructured.Unstructured
	Put(actor string, u *unstructured.Unstructured) (*unstructured.Unstructured, error)
	Replace(actor string, at kubeapi.Place, old, u *unstructured.Unstructured) (*unstructured.Unstructured, error)
	ReplaceStatus(actor string, at kubeapi.Place, old, u *unstructured.Unstructured) (*unstructured.Unstructured, error)
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
	network   *networkProvider
	chance    Chance
	latencies map[Step]Triangle
	onVM      func(VMEvent)

	watches   map[string]*watch // by the name of the kind
	addresses addressPlan
	checks    map[clusterName][]kubeapi.Key // MachineHealthChecks, by the cluster they are of
	settled   map[clusterName]*settlement
	templates recent                 // specifications of templates
	origins   recent                 // annotations that say what an object was cloned from
	usage     map[storageClass]int64 // MiB of node disks per namespace and storage class
	rest      time.Duration          // how long the reconcile that runs wants no other, see holdOff
	roster    roster
	kin       map[clusterName]*kin
	views     map[*unstructured.Unstructured]*view
	shared    *sharedConditions
	running   *subject                     // whose turn it is or was last
	replaced  [2]sight                     // the versions before and after the last change
	written   *draft                       // is being written, see outdate
	outdated  []*unstructured.Unstructured // have a view and were replaced, see dropOutdated
	onFault   Fault                        // nil: the first fault ends the simulation
	err       error
}

// New makes the controllers. They act once Observe is subscribed to the store.
func New(c Config) *Manager {
	m := &Manager{
		store: c.Store, clock: c.Clock, vsphere: c.VSphere, inventory: c.Inventory,
		network: networkProviders[c.Inventory.NetworkProvider()],
		chance:  c.Chance, latencies: c.Latencies, onVM: c.OnVM,
		usage: map[storageClass]int64{}, checks: map[clusterName][]kubeapi.Key{}, settled: map[clusterName]*settlement{},
		views: map[*unstructured.Unstructured]*view{}, shared: newSharedConditions(), roster: newRoster(), kin: map[clusterName]*kin{},
	}
	if m.latencies == nil {
		m.latencies = DefaultLatencies
	}
	if m.onVM == nil {
		m.onVM = func(VMEvent) {}
	}
	m.addresses = newAddressPlan(c.Inventory)
	m.watches = watches()
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

// Resume schedules every controller for every object, after a world was loaded.
func (m *Manager) Resume(objects []*unstructured.Unstructured) {
	for _, u := range objects {
		c := kubeapi.Change{Key: keyOf(u), After: u}
		m.account(c)
		m.roster.note(c)
		m.noteSet(c)
		m.noteKin(c)
		if c.Key.GK() == kindMachineHealthCheck.GroupKind {
			m.noteHealthCheck(c)
		}
		m.adoptAddress(u)
		m.enqueueKey(c.Key, hop)
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
	return m.store.OfCluster(k.GroupKind, namespace, cluster)
}

// clusterFor is the Cluster that u belongs to by label; nil when it is gone.
func (m *Manager) clusterFor(u *unstructured.Unstructured) *unstructured.Unstructured {
	v := m.view(u)
	return m.follow(&v.home, kindCluster, v.namespace, v.cluster)
}

// follow is the object that a handle is on: that of a name, looked for only where the
// handle is on none yet or on one that is gone.
func (m *Manager) follow(handle **subject, k kind, namespace, name string) *unstructured.Unstructured {
	if s := *handle; s != nil && !s.ended {
		return m.objectOf(s)
	}
	u := m.get(k, namespace, name)
	if u != nil {
		*handle = m.subjectOf(k.key(namespace, name))
	}
	return u
}

// commit writes a draft if it differs from its object.
func (m *Manager) commit(actor string, d *draft) error {
	if !d.changed() {
		return nil
	}
	_, err := m.write(actor, d)
	return err
}

// write puts a draft into the store, whatever it says.
func (m *Manager) write(actor string, d *draft) (*unstructured.Unstructured, error) {
	m.written = d
	defer func() { m.written = nil }()
	var at kubeapi.Place
	if s := m.running; s.is(d.base) {
		at = s.place
	}
	if d.anotherStatus() {
		return m.store.ReplaceStatus(actor, at, d.base, d.object())
	}
	return m.store.Replace(actor, at, d.base, d.object())
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
