package kubeapi

import (
	"hash/maphash"
	"maps"
	"slices"
	"strconv"

	"github.com/vksync/vksync/reconcile/resource"
)

// The clusters of a fleet are applied alike, so that they are owned alike, and changed
// alike by the controllers. To find out what goes over to whom with a change means to
// type and compare both versions of an object, and to decode and encode who owns what:
// that is done once for all that is alike, and equal trees of fields are one in memory.

const (
	// handoverLimit is how many handovers are remembered; the oldest makes room.
	handoverLimit = 64
	// treeLimit is how many trees of fields are; they start anew when that is reached.
	treeLimit = 1 << 10
)

// ownerships are what is remembered of who owns what.
type ownerships struct {
	handovers []handover
	trees     map[uint64]map[string]any // by hash
	seed      maphash.Seed
}

func newOwnerships() ownerships {
	return ownerships{trees: map[uint64]map[string]any{}, seed: maphash.MakeSeed()}
}

// A handover is what a change by an actor makes of managedFields.
type handover struct {
	table         *table
	actor, change string
	before, after []any // after is undated
}

// find returns what a change makes of managedFields, if one like it was remembered.
func (o *ownerships) find(t *table, actor, change string, fields []any) (after []any, known bool) {
	for _, h := range o.handovers {
		if h.table == t && h.actor == actor && h.change == change && slices.EqualFunc(h.before, fields, sameOwnership) {
			return h.after, true
		}
	}
	return nil, false
}

// sameOwnership says whether two entries of managedFields are of one manager, who owns
// the same.
func sameOwnership(a, b any) bool {
	return resource.SameMap(resource.Fields(a, "fieldsV1"), resource.Fields(b, "fieldsV1")) && managerName(a) == managerName(b)
}

func (o *ownerships) remember(h handover) {
	if len(o.handovers) == handoverLimit {
		o.handovers = slices.Delete(o.handovers, 0, 1)
	}
	o.handovers = append(o.handovers, h)
}

// shared is tree, or one that is equal and known already.
func (o *ownerships) shared(tree map[string]any) map[string]any {
	hash := o.hash(tree)
	if known := o.trees[hash]; known != nil && same(known, tree) {
		return known
	}
	if len(o.trees) >= treeLimit {
		clear(o.trees)
	}
	o.trees[hash] = tree
	return tree
}

// hash adds up the hashes of all fields, whatever their order.
func (o *ownerships) hash(tree map[string]any) uint64 {
	sum := uint64(len(tree))
	for field, below := range tree {
		inner, _ := below.(map[string]any)
		sum += maphash.String(o.seed, field) * (2*o.hash(inner) + 1)
	}
	return sum
}

// A difference says where two versions of an object differ, as far as it matters for who
// owns what: which fields there are, but not what they say.
type difference struct {
	text []byte
	// listed says that a list differs whose items may be owned one by one.
	listed bool
}

// absent stands for a field that is not there.
type absent struct{}

func (d *difference) of(was, is any) {
	before, wasMap := was.(map[string]any)
	now, isMap := is.(map[string]any)
	if !wasMap || !isMap {
		d.shape(was)
		d.text = append(d.text, '>')
		d.shape(is)
		return
	}
	for _, key := range changedKeys(before, now) {
		d.text = append(strconv.AppendQuote(d.text, key), '{')
		d.of(orAbsent(before, key), orAbsent(now, key))
		d.text = append(d.text, '}')
	}
}

// shape says of what form a value is. Of a list of texts it says what they are, since
// a finalizer is owned by itself.
func (d *difference) shape(value any) {
	switch v := value.(type) {
	case absent:
		d.text = append(d.text, '-')
	case nil:
		d.text = append(d.text, '0')
	case map[string]any:
		d.text = append(d.text, '{')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			d.text = strconv.AppendQuote(d.text, key)
			d.shape(v[key])
		}
		d.text = append(d.text, '}')
	case []any:
		d.text = append(d.text, '[')
		for _, item := range v {
			text, isText := item.(string)
			d.text = strconv.AppendQuote(d.text, text)
			d.listed = d.listed || !isText
		}
		d.text = append(d.text, ']')
	default:
		d.text = append(d.text, '.')
	}
}

// changedKeys are those of the fields that are not the same in two maps, in order.
func changedKeys(before, now map[string]any) []string {
	var keys []string
	for key, value := range now {
		if was, had := before[key]; !had || !same(was, value) {
			keys = append(keys, key)
		}
	}
	for key := range before {
		if _, kept := now[key]; !kept {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func orAbsent(m map[string]any, key string) any {
	if value, there := m[key]; there {
		return value
	}
	return absent{}
}
