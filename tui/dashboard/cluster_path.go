package dashboard

import (
	"time"

	"github.com/vksync/vksync/reconcile/phase"
)

// A leg is a stretch of work that others may have waited for.
type leg struct {
	keys       []string // of the rows it shows in
	start, end time.Duration
	// after are the legs it can only follow, of which the one that began last before
	// it is the one it waited for.
	after []*leg
	// early says that it begins before that is over, and only cannot end.
	early bool
}

// markCritical marks the rows on the critical path: from what ended last, or what
// the cluster is in now, back over what each waited for. Shortening anything else
// would not have made it sooner.
func (g *gantt) markCritical() {
	if g.row.Removing() || g.row.Start == phase.NotYet {
		return // a removal goes strictly one after the other
	}
	critical := map[string]bool{}
	for l := g.lastLeg(); l != nil; l = l.before() {
		for _, key := range l.keys {
			critical[key] = true
		}
	}
	for i := range g.rows {
		g.rows[i].critical = critical[g.rows[i].key]
	}
}

// before is what a leg waited for; nil for the first one.
func (l *leg) before() *leg {
	var last *leg
	for _, b := range l.after {
		began := b.start <= l.start || l.early && (l.end == phase.NotYet || b.start <= l.end)
		if began && (last == nil || b.start >= last.start) {
			last = b
		}
	}
	return last
}

// lastLeg lays out the legs of a cluster and returns the one that ended last; of
// what is under way the one that began first of the phase that the cluster is in.
func (g *gantt) lastLeg() *leg {
	var all []*leg
	add := func(start, end time.Duration, after []*leg, keys ...string) []*leg {
		if start == phase.NotYet {
			return after
		}
		l := &leg{keys: keys, start: start, end: end, after: after}
		all = append(all, l)
		return []*leg{l}
	}
	step := func(id phase.ID, after []*leg, keys ...string) []*leg {
		s := g.step(id, 0)
		return add(s.start, s.end, after, append(keys, string(id))...)
	}
	upTo := step(phase.Prerequisites, nil)
	upTo = step(phase.Topology, upTo)
	upTo = step(phase.Infrastructure, upTo)
	var nodes []*leg // the ends of control-plane machines: workers follow one of them
	if len(g.census.controlPlane) == 0 {
		for _, id := range stages {
			upTo = step(id, upTo, "3")
		}
		nodes = upTo
	}
	for _, m := range g.census.controlPlane {
		if m.inherited || m.Deleting {
			continue
		}
		upTo = add(m.start[0], m.end[0], upTo, "3", "m/"+m.Name, "m/"+m.Name+"/3a")
		upTo = add(m.start[1], m.end[1], upTo, "3", "m/"+m.Name, "m/"+m.Name+"/3b")
		upTo = add(m.start[2], m.end[2], upTo, "3", "m/"+m.Name, "m/"+m.Name+"/3c")
		nodes = append(nodes, upTo...)
	}
	if len(nodes) == 0 {
		nodes = upTo
	}
	first := len(all)
	g.workerLegs(nodes, add)
	switch current := latest(all[:first]); {
	case g.row.State == phase.Done, current == nil, g.row.Current == phase.Workers, current.end != phase.NotYet:
		return latest(all)
	default:
		return current
	}
}

// workerLegs adds the machines of all pools, which come side by side.
func (g *gantt) workerLegs(nodes []*leg, add func(start, end time.Duration, after []*leg, keys ...string) []*leg) {
	known := false
	for _, p := range g.pools {
		for _, m := range p.machines {
			if m.inherited || m.Deleting {
				continue
			}
			known = true
			after := nodes
			for i, id := range stages {
				after = add(m.start[i], m.end[i], after, "4", "4/"+p.name, "m/"+m.Name, "m/"+m.Name+"/"+string(id))
				if i == 0 && len(after) > 0 { // there is no bootstrap data before there is a control plane
					after[0].early = true
				}
			}
		}
	}
	if s := g.row.Step(phase.Workers); !known {
		add(s.Start, s.End, nodes, "4")
	}
}

// latest is the leg that ended last, or the first of those that have not ended.
func latest(all []*leg) *leg {
	var last *leg
	for _, l := range all {
		switch {
		case last == nil:
			last = l
		case last.end == phase.NotYet && (l.end != phase.NotYet || l.start >= last.start):
		case l.end == phase.NotYet, l.end > last.end:
			last = l
		}
	}
	return last
}
