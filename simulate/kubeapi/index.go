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

// A record is the place of one object. It stays the same over all updates, so
// that an update touches the indexes only when what they index has changed.
type record struct {
	key     Key
	object  *unstructured.Unstructured
	uid     string
	labels  map[string]any
	cluster string   // value of clusterLabel
	refs    []any    // to owners
	owners  []string // uids of refs
}

func (r *record) hasLabels(labels map[string]string) bool {
	for key, want := range labels {
		if got, ok := r.labels[key].(string); !ok || got != want {
			return false
		}
	}
	return true
}

func (r *record) compare(other *record) int { return compareKeys(r.key, other.key) }

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Group, b.Group); c != 0 {
		return c
	}
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
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

// place is a namespace and a name in it: of an object or of a cluster.
type place struct{ namespace, name string }

// A table holds the objects of one kind.
type table struct {
	Kind
	gk         schema.GroupKind
	stored     string // apiVersion of the objects
	records    map[place]*record
	namespaces map[string]bucket
	names      []string // of the namespaces that have a bucket, sorted
	clusters   map[place]bucket
	watches    []*watch // that are open
}

func newTable(k Kind) *table {
	t := &table{
		Kind:       k,
		gk:         schema.GroupKind{Group: k.Group, Kind: k.Kind},
		records:    map[place]*record{},
		namespaces: map[string]bucket{},
		clusters:   map[place]bucket{},
	}
	t.stored = t.apiVersion(k.Versions[0])
	return t
}

func (t *table) compare(other *table) int {
	if c := strings.Compare(t.Group, other.Group); c != 0 {
		return c
	}
	return strings.Compare(t.Kind.Kind, other.Kind.Kind)
}

func (t *table) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: t.Group, Resource: t.Resource}
}

func (t *table) find(namespace, name string) *record { return t.records[place{namespace, name}] }

// buckets returns what may match a namespace and a cluster, "" being any.
func (t *table) buckets(namespace, cluster string) []bucket {
	one := func(namespace string) bucket {
		if cluster != "" {
			return t.clusters[place{namespace, cluster}]
		}
		return t.namespaces[namespace]
	}
	if namespace != "" || t.Cluster {
		return []bucket{one(namespace)}
	}
	all := make([]bucket, 0, len(t.names))
	for _, name := range t.names {
		all = append(all, one(name))
	}
	return all
}

// insert makes the record of a new object.
func (s *Store) insert(t *table, k Key, u *unstructured.Unstructured) *record {
	r := &record{key: k, uid: uidOf(u)}
	s.uids[r.uid] = r
	t.records[place{k.Namespace, k.Name}] = r
	if _, known := t.namespaces[k.Namespace]; !known {
		i, _ := slices.BinarySearch(t.names, k.Namespace)
		t.names = slices.Insert(t.names, i, k.Namespace)
	}
	t.namespaces[k.Namespace] = t.namespaces[k.Namespace].with(r)
	s.replace(t, r, u)
	return r
}

// replace gives a record new content, with the same uid, and says whether it has
// other owners with it.
func (s *Store) replace(t *table, r *record, u *unstructured.Unstructured) (adopted bool) {
	meta := metadata(u)
	if labels, _ := meta["labels"].(map[string]any); !resource.SameMap(labels, r.labels) {
		r.labels = labels
		if cluster := resource.Text(labels, clusterLabel); cluster != r.cluster {
			t.setCluster(r, cluster)
		}
	}
	if refs, _ := meta["ownerReferences"].([]any); !resource.SameList(refs, r.refs) {
		r.refs = refs
		if owners := ownersOf(refs); !slices.Equal(owners, r.owners) {
			s.setOwners(r, owners)
			adopted = true
		}
	}
	r.object = u
	return adopted
}

// remove takes a record out of all indexes.
func (s *Store) remove(t *table, r *record) {
	s.setOwners(r, nil)
	t.setCluster(r, "")
	delete(s.uids, r.uid)
	delete(t.records, place{r.key.Namespace, r.key.Name})
	left := t.namespaces[r.key.Namespace].without(r)
	t.namespaces[r.key.Namespace] = left
	if len(left) == 0 {
		delete(t.namespaces, r.key.Namespace)
		i, _ := slices.BinarySearch(t.names, r.key.Namespace)
		t.names = slices.Delete(t.names, i, i+1)
	}
}

func (t *table) setCluster(r *record, cluster string) {
	if r.cluster != "" {
		shrink(t.clusters, place{r.key.Namespace, r.cluster}, r)
	}
	r.cluster = cluster
	if cluster != "" {
		at := place{r.key.Namespace, cluster}
		t.clusters[at] = t.clusters[at].with(r)
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
func shrink[K comparable](buckets map[K]bucket, key K, r *record) {
	left := buckets[key].without(r)
	if len(left) == 0 {
		delete(buckets, key)
		return
	}
	buckets[key] = left
}
