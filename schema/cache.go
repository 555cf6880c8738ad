package schema

import "slices"

// outcome is the result of a unit, good for as long as what it depends on is as
// it was.
type outcome struct {
	loaded
	unit unit
	deps []dependency
	died bool   // its child
	used uint64 // the generation of the last Load that needed it
	// round is that of the assembly it was last part of.
	round uint64
}

// holds says whether the result is that of the present.
func (o *outcome) holds(v *view) bool {
	return !slices.ContainsFunc(o.deps, func(d dependency) bool { return v.now(d.access) != d.state })
}

// cache holds the results of units. A unit has several where it went back and
// forth: a revert is found again.
type cache struct {
	entries    map[unit][]*outcome
	generation uint64
	file       string
	changed    bool // since it was saved
	err        error
}

const (
	// keptVersions of a unit are in the cache at most.
	keptVersions = 4
	// keptLoads is how long what is not needed is kept.
	keptLoads = 16
)

// due gives every manifest the result that holds for it, and returns those that
// have none.
func (c *cache) due(v *view, manifests []*manifest) (due []*manifest) {
	for _, m := range manifests {
		if m.latest == nil || !m.holds(v) {
			m.latest = c.find(v, m.unit)
		}
		if m.latest == nil {
			due = append(due, m)
			continue
		}
		m.latest.used = c.generation
	}
	return due
}

// holds is outcome.holds without looking where the survey has looked already.
func (m *manifest) holds(v *view) bool {
	if deps := m.latest.deps; m.hash != "" && len(deps) == 1 && !deps[0].list && deps[0].name == m.name {
		return deps[0].state == m.hash
	}
	return m.latest.holds(v)
}

func (c *cache) find(v *view, u unit) *outcome {
	for _, o := range c.entries[u] {
		if o.holds(v) {
			return o
		}
	}
	return nil
}

func (c *cache) add(o *outcome) {
	o.used = c.generation
	versions := append([]*outcome{o}, c.entries[o.unit]...)
	c.entries[o.unit] = versions[:min(len(versions), keptVersions)]
	c.changed = true
}

// forget drops what has not been needed for long. It looks now and then.
func (c *cache) forget() {
	if c.generation%keptLoads != 0 {
		return
	}
	for u, versions := range c.entries {
		kept := slices.DeleteFunc(versions, func(o *outcome) bool { return o.used+keptLoads <= c.generation })
		if c.entries[u] = kept; len(kept) == 0 {
			delete(c.entries, u)
		}
	}
}
