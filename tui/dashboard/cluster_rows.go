package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// A ganttRow is one row of the phase timeline of a cluster. Times are since the start
// of the run, phase.NotYet for what has not come.
type ganttRow struct {
	key   string // names the row from one look to the next
	depth int
	id    phase.ID // whose colour it has
	label string
	state phase.State
	// done and wanted count machines; wanted is 0 where there are none.
	done, wanted int64
	start, end   time.Duration
	// busy are the times in which the cluster was in this phase before all others;
	// for the rest of its time the phase waited. Nil is all of its time.
	busy []phase.Span
	// parts are the stages of a machine, which its bar tells apart; nil for others.
	parts []phase.Span
	// expected is when it will begin and end, as late as the run is; forecast is when
	// it was to. Both are phase.NotYet where there is no forecast.
	expected, forecast [2]time.Duration
	// inherited is a machine that was there before the run.
	inherited          bool
	removing, critical bool
	foldable, open     bool
	object             resource.Addr
}

// A gantt is what the rows of a cluster are made of.
type gantt struct {
	row      journal.Row
	forecast *journal.Forecast
	now      time.Duration
	census
	// open says whether a row shows what is below it.
	open func(key string, usual bool) bool
	// roomy opens the stages of the control plane's machines.
	roomy bool

	rows []ganttRow
}

var none = [2]time.Duration{phase.NotYet, phase.NotYet}

// ganttRows are the rows of a cluster, or of a vSphere Namespace, in the order of the
// phases; what is removed goes the other way round.
func ganttRows(g gantt) []ganttRow {
	if len(g.row.Steps) == 1 {
		g.phase(phase.Prerequisites)
		return g.rows
	}
	if g.row.Removing() {
		g.workers()
		g.controlPlane()
		g.phase(phase.Infrastructure)
		g.phase(phase.Topology)
	} else {
		g.phase(phase.Prerequisites)
		g.phase(phase.Topology)
		g.phase(phase.Infrastructure)
		g.controlPlane()
		g.workers()
	}
	g.markCritical()
	return g.rows
}

// phase adds the row of a phase that has no machines.
func (g *gantt) phase(id phase.ID) { g.rows = append(g.rows, g.step(id, 0)) }

// step is the row of one phase as the tracker has it.
func (g *gantt) step(id phase.ID, depth int) ganttRow {
	s := g.row.Step(id)
	r := ganttRow{
		key: string(id), depth: depth, id: id, label: phaseLabel(id), state: s.State, start: s.Start, end: s.End,
		done: s.Done, wanted: s.Wanted, busy: g.busy(id), removing: g.row.Removing(), object: g.objectOf(id),
	}
	switch {
	case s.Start != phase.NotYet:
	case s.State == phase.Done:
		r.end = phase.NotYet // it had nothing to do
	case len(r.busy) > 0: // what the cluster waits for, and which has not begun
		r.start, r.busy = r.busy[0].Start, []phase.Span{}
		if r.state == phase.Pending {
			r.state = phase.Running
		}
	}
	r.expected, r.forecast = g.times(id)
	return r
}

// busy are the stays of the cluster in phases. It is never nil.
func (g *gantt) busy(ids ...phase.ID) []phase.Span {
	spans := []phase.Span{}
	for _, s := range g.row.Spans {
		if slices.Contains(ids, s.ID) {
			spans = append(spans, s)
		}
	}
	return spans
}

// times are the expected and the forecast ones of phases taken together.
func (g *gantt) times(ids ...phase.ID) (expected, forecast [2]time.Duration) {
	expected, forecast = none, none
	goal, known := g.forecast.Goal(g.row.Addr)
	if !known {
		return expected, forecast
	}
	for _, id := range ids {
		if s, ok := goal.Step(id); ok {
			widen(&forecast, s.StartAt(), s.EndAt())
		}
		if start, end, ok := g.forecast.Expected(g.row, id, g.now); ok {
			widen(&expected, start, end)
		}
	}
	return expected, forecast
}

// widen makes a span hold another one.
func widen(span *[2]time.Duration, start, end time.Duration) {
	if start != phase.NotYet && (span[0] == phase.NotYet || start < span[0]) {
		span[0] = start
	}
	span[1] = max(span[1], end)
}

func phaseLabel(id phase.ID) string {
	brief := paint.Brief(id)
	if strings.HasPrefix(brief, string(id)) {
		return brief
	}
	return string(id) + " " + brief
}

// objectOf is the object that a phase is about.
func (g *gantt) objectOf(id phase.ID) resource.Addr {
	kinds := map[phase.ID][]string{
		phase.Prerequisites: {resource.KindVSphereNamespace, "Namespace"}, phase.Topology: {resource.KindCluster},
		phase.Infrastructure: {"VSphereCluster"}, phase.Workers: {"MachineDeployment"},
	}[id]
	if kinds == nil {
		kinds = []string{"KubeadmControlPlane"}
	}
	for _, kind := range kinds {
		if it := g.byKind[kind]; it != nil {
			return addressOf(it)
		}
	}
	return g.row.Addr
}

// controlPlane adds the control plane, and below it its machines; while there are
// none, its phases.
func (g *gantt) controlPlane() {
	all := g.step(phase.Node, 0)
	all.key, all.label = "3", "3 control plane"
	all.busy = g.busy(stages[:]...)
	all.expected, all.forecast = g.times(stages[:]...)
	all.start, all.end = phase.NotYet, phase.NotYet
	for _, id := range stages {
		s := g.step(id, 1)
		if s.start != phase.NotYet && (all.start == phase.NotYet || s.start < all.start) {
			all.start = s.start
		}
		all.state = together(all.state, s.state)
		if s.start != phase.NotYet {
			all.end = max(all.end, s.end)
		}
	}
	if all.state != phase.Done {
		all.end = phase.NotYet
	}
	// Of a control plane that was there before and is left alone there is nothing to tell.
	all.foldable = len(g.census.controlPlane) > 0 || !g.row.Removing() && (all.start != phase.NotYet || all.state != phase.Done)
	all.open = all.foldable && g.open(all.key, true)
	g.rows = append(g.rows, all)
	if !all.open {
		return
	}
	if len(g.census.controlPlane) == 0 {
		for _, id := range stages {
			g.rows = append(g.rows, g.step(id, 1))
		}
		return
	}
	for _, m := range g.census.controlPlane {
		g.machine(m, 1, false)
	}
	if more := g.row.ControlPlane - int64(len(g.census.controlPlane)); more > 0 && !g.existed() {
		g.rows = append(g.rows, g.toCome("3+", more, all))
	}
}

// existed says whether the cluster was there before the run, so that not all of its
// machines need to have been heard of.
func (g *gantt) existed() bool { return g.row.Verb != "create" }

// toCome stands for the machines that are wanted and not there yet.
func (g *gantt) toCome(key string, more int64, of ganttRow) ganttRow {
	r := ganttRow{
		key: key, depth: of.depth + 1, id: of.id, label: fmt.Sprintf("%d more to come", more), state: phase.Pending,
		start: phase.NotYet, end: phase.NotYet, expected: none, forecast: none, object: of.object,
	}
	if of.expected[1] != phase.NotYet {
		r.expected = [2]time.Duration{max(g.now, of.expected[0]), of.expected[1]}
	}
	return r
}

// together is the state of a whole of which a part is in another state.
func together(a, b phase.State) phase.State {
	rank := []phase.State{phase.Done, phase.Pending, phase.Running, phase.Blocked, phase.Failed}
	if (a == phase.Done && b == phase.Pending) || (a == phase.Pending && b == phase.Done) {
		return phase.Running // some of it is over
	}
	if slices.Index(rank, b) > slices.Index(rank, a) {
		return b
	}
	return a
}

// within is a name without that of the cluster, with which the names of all its
// objects begin.
func (g *gantt) within(name string) string {
	return paint.Clean(strings.TrimPrefix(name, g.row.Addr.Name+"-"))
}

// late is how much later than forecast a row begins or ends, whichever is known last;
// false without a forecast.
func (r ganttRow) late() (time.Duration, bool) {
	switch {
	case r.forecast[1] == phase.NotYet:
	case r.end != phase.NotYet:
		return r.end - r.forecast[1], true
	case r.expected[1] != phase.NotYet:
		return r.expected[1] - r.forecast[1], true
	}
	return 0, false
}
