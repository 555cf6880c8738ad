// Package kubeapi is an in-memory Kubernetes API: a store of objects with
// optimistic locking, generations, finalizers, owner references and managed
// fields, and an HTTP handler that speaks the Kubernetes API over it. Clients
// such as client-go and kubectl work on the handler; the simulated controllers
// work on the Store directly.
//
// It hides how objects are indexed, compared, converted between versions,
// merged and streamed. It knows no kind but the few of CoreKinds; whoever makes
// a Store names the others.
//
// Objects in the store are never modified in place: what Get, List and a
// Change hand out is shared and must not be written to. A writer copies first.
// They do not carry their resourceVersion, so that a version has the metadata of
// the one before if nobody changed them; clients of the handler see it.
package kubeapi

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// Kind registers a kind of object with the API.
type Kind struct {
	Group string
	// Versions that are served, the first one stored and preferred. Objects are
	// converted between them by Convert; without it only apiVersion is rewritten.
	// One of the form GROUP/VERSION serves the same objects in another group.
	Versions   []string
	Kind       string
	Resource   string // plural, lower case
	ShortNames []string
	Categories []string // names that stand for several kinds, such as all
	Cluster    bool     // cluster-scoped
	Status     bool     // has a status subresource
	// Columns are what kubectl get shows beside the name; none is the age.
	Columns []Column
}

// Key names an object in the store. The version is not part of it.
type Key struct {
	Group, Kind, Namespace, Name string
}

// GK is the group and kind of the key.
func (k Key) GK() schema.GroupKind { return schema.GroupKind{Group: k.Group, Kind: k.Kind} }

// Change is a committed write. Before is nil for a creation, After for a removal.
type Change struct {
	// Key names the object, which is at Place.
	Key           Key
	Place         Place
	Before, After *unstructured.Unstructured
	// SameMetadata says that the metadata differ in nothing but what the server keeps
	// in them, such as the generation. It is known of what was written, not of what
	// was marked for deletion.
	SameMetadata bool
	// Actor is who wrote: the field manager.
	Actor string
	// Version is the resourceVersion of the write. It grows by one with each
	// write to the store, whatever the kind.
	Version uint64
}

// A Place is where an object is in the store, in all its versions: whoever knows it
// spares the search for the object. The zero Place is unknown.
type Place struct{ record *record }

// Clock is the time in the store's world: it stamps objects and delays the
// garbage collector. Its methods are called with the store locked, so AfterFunc
// must return before f is called.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func())
}

// Config says what a Store serves. The zero Config serves CoreKinds, at the
// time of day, with random uids and without admission.
type Config struct {
	// Kinds are served beside CoreKinds. A kind that is named twice counts as
	// it is named last.
	Kinds []Kind
	// Clock nil is the time of day.
	Clock Clock
	// UID makes the uid of a created object; n grows with every creation and
	// never repeats, also after Restore. Nil makes random ones.
	UID func(k Key, n uint64) string
	// Admit mutates and validates writes that come over HTTP; nil admits all.
	// It runs with the store locked and must use Request.Get and Request.List
	// only. An error refuses the request: one from apimachinery's errors
	// package as it is, any other as 403 Forbidden with its text.
	Admit func(Request) error
	// Convert makes u into another served version of its kind. It must not
	// modify u; the result may share content with it. It must be safe for
	// concurrent use. Nil rewrites apiVersion only.
	Convert func(u *unstructured.Unstructured, version string) *unstructured.Unstructured
}

// Request is a write that asks for admission.
type Request struct {
	Verb string // create, update or delete
	// Object is what would be written, in the stored version; it may be
	// modified. It is nil for a deletion.
	Object *unstructured.Unstructured
	// Old is what is there, shared and read only; nil for a creation.
	Old     *unstructured.Unstructured
	Manager string // the field manager
	DryRun  bool
	// Get and List read the store as it is in the moment of the write.
	Get  func(Key) *unstructured.Unstructured
	List func(gk schema.GroupKind, namespace string, labels map[string]string) []*unstructured.Unstructured
}

// Store is the content of one Kubernetes API. It is safe for concurrent use.
type Store struct {
	config Config
	clock  Clock

	mu          sync.Mutex // guards everything below
	version     uint64
	created     uint64
	tables      catalogue
	order       []*table // by group and kind
	uids        map[string]*record
	owned       map[string]bucket // dependents by the uid of an owner
	subscribers []func(Change)
	managers    map[fieldManagerKey]fieldManager
	types       *fieldTypes // nil until the first manager is made
	ownerships  ownerships
	history     history
	scribe      scribe // has a lock of its own
	pages       moments
	conditions  map[condition]map[string]any // see internConditions
}

// New makes an empty store.
func New(c Config) *Store {
	s := &Store{
		config:     c,
		clock:      c.Clock,
		tables:     catalogue{},
		uids:       map[string]*record{},
		owned:      map[string]bucket{},
		managers:   map[fieldManagerKey]fieldManager{},
		conditions: map[condition]map[string]any{},
		ownerships: newOwnerships(),
	}
	if s.clock == nil {
		s.clock = timeOfDay{}
	}
	if s.config.UID == nil {
		s.config.UID = func(Key, uint64) string { return string(uuid.NewUUID()) }
	}
	tables := map[schema.GroupKind]*table{}
	for _, kind := range slices.Concat(CoreKinds(), c.Kinds) {
		t := newTable(kind)
		tables[t.gk] = t
	}
	s.order = slices.SortedFunc(maps.Values(tables), (*table).compare)
	for _, t := range s.order {
		s.tables.add(t)
	}
	return s
}

// Get returns the object called k, shared and read only; nil when there is none.
func (s *Store) Get(k Key) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(k)
}

func (s *Store) get(k Key) *unstructured.Unstructured {
	if t := s.tables.find(k.GK()); t != nil {
		if r := t.find(k.Namespace, k.Name); r != nil {
			return r.object
		}
	}
	return nil
}

// List returns the objects of a kind that carry all the labels, shared and read
// only, by namespace and name. Namespace "" is all namespaces. With the label
// cluster.x-k8s.io/cluster-name the cost grows with the cluster only.
func (s *Store) List(gk schema.GroupKind, namespace string, labels map[string]string) []*unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(gk, namespace, labels)
}

func (s *Store) list(gk schema.GroupKind, namespace string, labels map[string]string) []*unstructured.Unstructured {
	t := s.tables.find(gk)
	if t == nil {
		return nil
	}
	cluster, indexed := labels[clusterLabel]
	// All of a bucket have the label it is for: then there is no object to look at.
	all := len(labels) == 0 || len(labels) == 1 && indexed && cluster != ""
	var out []*unstructured.Unstructured
	for _, b := range t.buckets(namespace, cluster) {
		if all {
			out = slices.Grow(out, len(b))
		}
		for _, r := range b {
			if all || r.hasLabels(labels) {
				out = append(out, r.object)
			}
		}
	}
	return out
}

// OfCluster is List with the label cluster.x-k8s.io/cluster-name alone.
func (s *Store) OfCluster(gk schema.GroupKind, namespace, cluster string) []*unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tables.find(gk); t != nil {
		if on := t.shelves[namespace]; on != nil {
			return on.clusters[cluster].objects()
		}
	}
	return nil
}

// Dependents returns the objects that have an owner reference to uid, shared
// and read only, by group, kind, namespace and name.
func (s *Store) Dependents(uid string) []*unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned[uid].objects()
}

// Subscribe calls f for every write from now on, in the order of the writes and
// with the store locked: f must not call the store.
func (s *Store) Subscribe(f func(Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, f)
}

// Version is the resourceVersion of the last write, 0 before the first.
func (s *Store) Version() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

func formatVersion(v uint64) string { return strconv.FormatUint(v, 10) }

// timeOfDay is the Clock of a store that was given none.
type timeOfDay struct{}

var _ Clock = timeOfDay{}

func (timeOfDay) Now() time.Time { return time.Now() }

func (timeOfDay) AfterFunc(d time.Duration, f func()) { time.AfterFunc(d, f) }
