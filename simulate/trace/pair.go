package trace

import (
	"cmp"
	"slices"
	"strings"
)

// A unit is what is paired: an object, or a Machine with all that shares its name.
type unit struct {
	key     string // kind and normalised name
	ordered bool   // siblings are told apart by the order of their creation
	before  bool
	after   bool
	born    int
	name    string // as it is
	members []*history
	family  []*unit // all units of the same world with the same key
}

// A pair is a unit of the recording and the one that was played for it; one of
// them may be missing.
type pair struct{ real, played *unit }

// units groups histories by what is paired, in order of creation.
func units(histories []*history) []*unit {
	machines := map[ID]*unit{}
	var out []*unit
	for _, h := range histories {
		if h.id.Kind != "Machine" {
			continue
		}
		u := &unit{key: "Machine/" + h.id.Namespace + "/" + h.name, ordered: h.role == "controlplane",
			before: h.before, after: h.after, born: h.born, name: h.id.Name}
		machines[h.id] = u
		out = append(out, u)
	}
	for _, h := range histories {
		if u := within(h.id, machines); u != nil {
			u.members = append(u.members, h)
			continue
		}
		out = append(out, &unit{key: h.id.Group + "/" + h.id.Kind + "/" + h.id.Namespace + "/" + h.name, ordered: true,
			before: h.before, after: h.after, born: h.born, name: h.id.Name, members: []*history{h}})
	}
	slices.SortStableFunc(out, func(a, b *unit) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.born, b.born), strings.Compare(a.name, b.name))
	})
	for _, u := range out {
		for _, other := range out {
			if other.key == u.key && other.before == u.before && other.after == u.after {
				u.family = append(u.family, other)
			}
		}
	}
	return out
}

// pairs finds for each unit its counterpart: of the same key, alike in whether it
// was there before the step and is there after it, in the order of creation or,
// where names are all that tells siblings apart, by best match.
func pairs(realUnits, played []*unit) []pair {
	var out []pair
	left := slices.Clone(played)
	take := func(u *unit) {
		at := slices.Index(left, u)
		left = slices.Delete(left, at, at+1)
	}
	rest := slices.Clone(realUnits)
	for _, alike := range []bool{true, false} {
		var unpaired []*unit
		for _, u := range rest {
			var best *unit
			cost := 0
			for _, other := range left {
				if other.key != u.key || alike && (other.before != u.before || other.after != u.after) {
					continue
				}
				if u.ordered {
					best = other
					break
				}
				if c := distance(u, other); best == nil || c < cost {
					best, cost = other, c
				}
			}
			if best == nil {
				unpaired = append(unpaired, u)
				continue
			}
			take(best)
			out = append(out, pair{u, best})
		}
		rest = unpaired
	}
	for _, u := range rest {
		out = append(out, pair{real: u})
	}
	for _, u := range left {
		out = append(out, pair{played: u})
	}
	return out
}

// distance is how many differences there are between two units.
func distance(a, b *unit) int {
	c := comparer{}
	c.units(pair{a, b})
	return len(c.out)
}

// siblings are the histories of the objects of the same kind as a in units that
// only names tell apart.
func (p pair) siblings(a *history) (out []*history) {
	for _, u := range p.real.family {
		for _, h := range u.members {
			if h != a && h.id.Kind == a.id.Kind && h.name == a.name {
				out = append(out, h)
			}
		}
	}
	return out
}
