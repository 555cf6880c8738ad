package kubeapi

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

// clusterLabel is the label that List is indexed by: every object of a Cluster
// API cluster carries it.
const clusterLabel = "cluster.x-k8s.io/cluster-name"

// A stored is one version of an object.
type stored struct {
	object  *unstructured.Unstructured // without its resourceVersion
	version uint64
}

// shown is the object as clients see it.
func (s stored) shown() *unstructured.Unstructured { return atVersion(s.object, s.version) }

// A record is the place of one object. It stays the same over all updates, so
// that an update touches the indexes only when what they index has changed.
type record struct {
	stored
	table           *table
	namespace, name string
	uid             string
	cluster         string   // value of clusterLabel
	owners          []string // by their uids
	gone            bool
}

func (r *record) key() Key { return r.table.key(r.namespace, r.name) }

// lives says whether the object has not been removed.
func (r *record) lives() bool { return !r.gone }

// holds says whether r, which may be nil, has a version of an object as its last.
func (r *record) holds(u *unstructured.Unstructured) bool {
	return r != nil && r.lives() && r.object == u
}

func (r *record) hasLabels(labels map[string]string) bool {
	have := resource.Fields(r.object.Object, "metadata", "labels")
	for key, want := range labels {
		if got, ok := have[key].(string); !ok || got != want {
			return false
		}
	}
	return true
}

func (r *record) compare(other *record) int {
	if r.table != other.table {
		return r.table.compare(other.table)
	}
	if c := strings.Compare(r.namespace, other.namespace); c != 0 {
		return c
	}
	return strings.Compare(r.name, other.name)
}

// A bucket holds records ordered by key.
type bucket []*record

func (b bucket) with(r *record) bucket {
	i, found := slices.BinarySearchFunc(b, r, (*record).compare)
	if found {
		return b
	}
	return slices.Insert(b, i, r)
}

func (b bucket) without(r *record) bucket {
	i, found := slices.BinarySearchFunc(b, r, (*record).compare)
	if !found {
		return b
	}
	return slices.Delete(b, i, i+1)
}

func (b bucket) objects() []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, len(b))
	for i, r := range b {
		out[i] = r.object
	}
	return out
}

// A table holds the objects of one kind.
type table struct {
	Kind
	gk      schema.GroupKind
	stored  string            // apiVersion of the objects
	shelves map[string]*shelf // by namespace, those that are not empty
	names   []string          // of the shelves, sorted
	watches []*watch          // that are open
}

// A shelf holds the objects of one kind in one namespace.
type shelf struct {
	records  map[string]*record // by name
	all      bucket
	clusters map[string]bucket // by the value of clusterLabel
}

func newTable(k Kind) *table {
	t := &table{Kind: k, gk: schema.GroupKind{Group: k.Group, Kind: k.Kind}, shelves: map[string]*shelf{}}
	t.stored = t.apiVersion(k.Versions[0])
	return t
}

func (t *table) compare(other *table) int {
	if c := strings.Compare(t.Group, other.Group); c != 0 {
		return c
	}
	return strings.Compare(t.Kind.Kind, other.Kind.Kind)
}

func (t *table) key(namespace, name string) Key {
	return Key{Group: t.Group, Kind: t.Kind.Kind, Namespace: namespace, Name: name}
}

func (t *table) keyOf(u *unstructured.Unstructured) Key {
	meta := metadata(u)
	return t.key(resource.Text(meta, "namespace"), resource.Text(meta, "name"))
}

func (t *table) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: t.Group, Resource: t.Resource}
}

func (t *table) find(namespace, name string) *record {
	if on := t.shelves[namespace]; on != nil {
		return on.records[name]
	}
	return nil
}

// in returns all objects in a namespace.
func (t *table) in(namespace string) bucket {
	if on := t.shelves[namespace]; on != nil {
		return on.all
	}
	return nil
}

// buckets returns what may match a namespace and a cluster, "" being any.
func (t *table) buckets(namespace, cluster string) []bucket {
	names := t.names
	if namespace != "" || t.Cluster {
		names = []string{namespace}
	}
	found := make([]bucket, 0, len(names))
	for _, name := range names {
		if cluster == "" {
			found = append(found, t.in(name))
		} else if on := t.shelves[name]; on != nil {
			found = append(found, on.clusters[cluster])
		}
	}
	return found
}

// shelf returns that of a namespace, a new one if need be.
func (t *table) shelf(namespace string) *shelf {
	on := t.shelves[namespace]
	if on == nil {
		on = &shelf{records: map[string]*record{}, clusters: map[string]bucket{}}
		t.shelves[namespace] = on
		i, _ := slices.BinarySearch(t.names, namespace)
		t.names = slices.Insert(t.names, i, namespace)
	}
	return on
}

// insert makes the record of a new object.
func (s *Store) insert(t *table, k Key, u *unstructured.Unstructured, version uint64) *record {
	r := &record{stored: stored{u, version}, table: t, namespace: k.Namespace, name: k.Name, uid: uidOf(u)}
	s.uids[r.uid] = r
	on := t.shelf(r.namespace)
	on.records[r.name] = r
	on.all = on.all.with(r)
	s.index(r)
	return r
}

// index brings the indexes up to the labels and owners that the object of a record
// has now, and says whether it has other owners than before.
func (s *Store) index(r *record) (adopted bool) {
	meta := metadata(r.object)
	if cluster := resource.Text(meta, "labels", clusterLabel); cluster != r.cluster {
		r.setCluster(cluster)
	}
	owners := ownersOf(resource.Items(meta, "ownerReferences"))
	if slices.Equal(owners, r.owners) {
		return false
	}
	s.setOwners(r, owners)
	return true
}

// remove takes a record out of all indexes.
func (s *Store) remove(r *record) {
	s.setOwners(r, nil)
	r.setCluster("")
	r.gone = true
	delete(s.uids, r.uid)
	on := r.table.shelves[r.namespace]
	delete(on.records, r.name)
	on.all = on.all.without(r)
	if len(on.all) == 0 {
		delete(r.table.shelves, r.namespace)
		i, _ := slices.BinarySearch(r.table.names, r.namespace)
		r.table.names = slices.Delete(r.table.names, i, i+1)
	}
}

func (r *record) setCluster(cluster string) {
	clusters := r.table.shelves[r.namespace].clusters
	if r.cluster != "" {
		shrink(clusters, r.cluster, r)
	}
	r.cluster = cluster
	if cluster != "" {
		clusters[cluster] = clusters[cluster].with(r)
	}
}

func (s *Store) setOwners(r *record, owners []string) {
	for _, uid := range r.owners {
		shrink(s.owned, uid, r)
	}
	r.owners = owners
	for _, uid := range owners {
		s.owned[uid] = s.owned[uid].with(r)
	}
}

// shrink takes r out of the bucket at key, and the bucket out when it is empty.
func shrink(buckets map[string]bucket, key string, r *record) {
	left := buckets[key].without(r)
	if len(left) == 0 {
		delete(buckets, key)
		return
	}
	buckets[key] = left
}
