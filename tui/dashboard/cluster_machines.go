package dashboard

import (
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// workers adds phase 4, the pools below it, and below those their machines.
func (g *gantt) workers() {
	all := g.step(phase.Workers, 0)
	all.foldable = len(g.pools) > 0
	all.open = all.foldable && g.open(all.key, true)
	g.rows = append(g.rows, all)
	if !all.open {
		return
	}
	for _, p := range g.pools {
		g.pool(p, all)
	}
}

// pool adds a node pool.
func (g *gantt) pool(p machinePool, all ganttRow) {
	r := ganttRow{
		key: "4/" + p.name, depth: 1, id: phase.Workers, label: g.within(p.name), state: phase.Done, removing: g.row.Removing(),
		start: phase.NotYet, end: phase.NotYet, expected: none, forecast: none, foldable: len(p.machines) > 0, object: addressOf(p.item),
	}
	r.busy, r.wanted = g.busy(phase.Workers), int64(len(p.machines))
	if p.item != nil && p.item.Replicas != nil {
		r.wanted = p.item.Replicas.Desired
	}
	for _, m := range p.machines {
		state, _ := m.state()
		r.state = worst(r.state, state)
		if m.up() {
			r.done++
		}
		start, end := m.span()
		if start != phase.NotYet && (r.start == phase.NotYet || start < r.start) {
			r.start = start
		}
		r.end = max(r.end, end)
	}
	if p.item != nil && p.item.Replicas != nil {
		r.done = max(r.done, min(p.item.Replicas.Available, r.wanted))
	}
	unknown := len(p.machines) == 0 && (p.item == nil || p.item.Replicas == nil)
	switch {
	case unknown || r.done < r.wanted && len(p.machines) == 0:
		r.state = all.state
	case r.done < r.wanted:
		r.state = worst(r.state, phase.Running)
	}
	if r.state != phase.Done {
		r.end, r.expected = phase.NotYet, all.expected
		if all.state == phase.Blocked || all.state == phase.Failed {
			r.state = all.state
		}
	}
	r.open = r.foldable && g.open(r.key, false)
	g.rows = append(g.rows, r)
	if !r.open {
		return
	}
	for _, m := range p.machines {
		g.machine(m, 2, true)
	}
	if more := r.wanted - int64(len(p.machines)); more > 0 && !g.existed() {
		g.rows = append(g.rows, g.toCome(r.key+"+", more, r))
	}
}

// worst is the state that needs to be seen first.
func worst(a, b phase.State) phase.State {
	if paint.Urgency(b) < paint.Urgency(a) {
		return b
	}
	return a
}

// span is when a machine came, or began to go, and when it was up.
func (m machineTime) span() (start, end time.Duration) {
	if m.Deleting {
		return m.Marked, phase.NotYet
	}
	return m.start[0], m.end[2]
}

// machine adds a machine and, if it is open, its stages.
func (g *gantt) machine(m machineTime, depth int, worker bool) {
	r := ganttRow{
		key: "m/" + m.Name, depth: depth, id: phase.Node, label: g.within(m.Name), expected: none, forecast: none,
		object: addressOf(m.Item), inherited: m.inherited, removing: m.Deleting, foldable: !m.inherited && !m.Deleting,
	}
	if worker {
		r.id = phase.Workers
	}
	var at int
	r.state, at = m.state()
	if r.state != phase.Done && (g.row.State == phase.Blocked || g.row.State == phase.Failed) {
		r.state = g.row.State
	}
	r.start, r.end = m.span()
	if r.foldable {
		r.open = g.open(r.key, !worker && g.roomy)
		for i, id := range stages {
			if m.start[i] != phase.NotYet {
				r.parts = append(r.parts, phase.Span{ID: id, Start: m.start[i], End: m.end[i]})
			}
		}
	}
	g.rows = append(g.rows, r)
	if !r.open {
		return
	}
	for i, id := range stages {
		stage := ganttRow{
			key: r.key + "/" + string(id), depth: depth + 1, id: id, label: stageLabel(id, worker), start: m.start[i], end: m.end[i],
			state: phase.Pending, expected: none, forecast: none, object: addressOf(m.parts[i]),
		}
		switch {
		case stage.end != phase.NotYet:
			stage.state = phase.Done
		case i == at:
			stage.state = r.state
		}
		g.rows = append(g.rows, stage)
	}
}

// stageLabel names a stage of a machine; only those of a control plane are phases.
func stageLabel(id phase.ID, worker bool) string {
	if worker {
		return strings.TrimPrefix(paint.Brief(id), string(id)+" ")
	}
	return paint.Brief(id)
}
