package report

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// A page is all that the templates draw from. Every text in it that comes from a
// journal has gone through say.
type page struct {
	Style  template.CSS
	Script template.JS
	Policy string

	Title   string
	World   string // LIVE or SIMULATED
	Outcome mark
	Facts   []fact
	Notes   []string

	Namespaces, States, Verbs []string
	Phases                    []phaseName

	Ticks    []tick
	Forecast bool // there is one
	Goals    []goal
	Plan     *planPart
	Warnings []warning
	Meters   []meterGroup
	Totals   []fact
}

// A fact is a name and what belongs to it.
type fact struct{ Name, Value string }

// A mark is a state as it is told: by a sign and a word. Class colours it.
type mark struct{ Glyph, Word, Class string }

type phaseName struct{ ID, Name, Class, Letter string }

// glyphs are those of a terminal with UTF-8.
var glyphs = paint.New(paint.Options{})

func newPage(r *Run, o Options) *page {
	p := &page{
		Style: template.CSS(styleSheet), Script: template.JS(script), Policy: policy, // ours, not the journal's
		Outcome: outcome(r), Warnings: r.list(),
	}
	for _, id := range phase.All {
		p.Phases = append(p.Phases, phaseName{string(id), paint.Brief(id), class(id), paint.Letter(id)})
	}
	b := r.timeline.Begin()
	if b == nil {
		b = &journal.Begin{}
	}
	p.Title = say(cmp.Or(o.Title, titleOf(b)))
	p.World = worldWord(b)
	p.Facts = facts(b, r.timeline)
	p.Plan = planOf(b)
	p.Meters = meterGroups(r.meters, b)
	p.goals(r, b, o)
	p.Totals = totals(r.timeline)
	p.Notes = append(p.notes(r, b), p.Notes...)
	return p
}

// goals fills in the rows, and what they can be filtered by.
func (p *page) goals(r *Run, b *journal.Begin, o Options) {
	rows, left := chosen(r.timeline.Rows(), o.rows())
	if left > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%s of %s goals are shown: those that are blocked or failed, then those that go on, then the slowest.", paint.Count(len(rows)), paint.Count(len(rows)+left)))
	}
	forecasts := forecastsOf(b.Forecast)
	p.Forecast = len(forecasts) > 0
	s := scaleOf(rows, r.timeline.Elapsed(), b.Forecast)
	p.Ticks = s.ticks()
	actions := p.Plan.byAddr()
	warnings := r.byGoal()
	namespaces, states, verbs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, row := range rows {
		if b.Proposed {
			row = unbegun(row)
		}
		g := goalOf(i, row, r.timeline, s, forecasts[row.Addr])
		if b.Proposed {
			g.Stuck = nil // it waits for approval, whatever else it will wait for
		}
		g.Forecast = p.Forecast
		g.Actions = actions[row.Addr]
		g.Warnings, g.MoreWarnings = head(warnings[place{row.Addr.Namespace, row.Addr.Name}], goalWarningCap)
		p.Goals = append(p.Goals, g)
		namespaces[g.Namespace], states[g.State.Class], verbs[g.Verb] = true, true, true
	}
	p.Namespaces, p.Verbs = slices.Sorted(maps.Keys(namespaces)), slices.Sorted(maps.Keys(verbs))
	for _, state := range []phase.State{phase.Failed, phase.Blocked, phase.Running, phase.Pending, phase.Done} {
		if states[string(state)] {
			p.States = append(p.States, string(state))
		}
	}
}

// unbegun is a row of a plan of which nothing has run.
func unbegun(r journal.Row) journal.Row {
	if r.State == phase.Done {
		return r
	}
	r.State, r.Spans, r.Start = phase.Pending, nil, phase.NotYet
	r.Steps = slices.Clone(r.Steps)
	for i, s := range r.Steps {
		if s.State == phase.Running {
			r.Steps[i].State, r.Steps[i].Start = phase.Pending, phase.NotYet
		}
	}
	return r
}

// chosen are the rows to show, in their order, and how many are left out.
func chosen(rows []journal.Row, limit int) ([]journal.Row, int) {
	if len(rows) <= limit {
		return rows, 0
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(urgency(rows[a]), urgency(rows[b])), cmp.Compare(rows[b].End, rows[a].End))
	})
	order = order[:limit]
	slices.Sort(order)
	var out []journal.Row
	for _, i := range order {
		out = append(out, rows[i])
	}
	return out, len(rows) - limit
}

// urgency orders rows by how much they need to be seen; nothing was to be done for
// the last ones.
func urgency(r journal.Row) int {
	if r.State == phase.Done && r.Verb == "none" {
		return rank(r.State) + 1
	}
	return rank(r.State)
}

// rank orders states by how much they need to be seen.
func rank(s phase.State) int {
	return slices.Index([]phase.State{phase.Failed, phase.Blocked, phase.Running, phase.Pending, phase.Done}, s)
}

// forecastsOf are the forecasts by goal.
func forecastsOf(f *journal.Forecast) map[resource.Addr]*journal.GoalForecast {
	out := map[resource.Addr]*journal.GoalForecast{}
	if f != nil {
		for i, g := range f.Goals {
			out[g.Addr] = &f.Goals[i]
		}
	}
	return out
}

// head is the beginning of a list, and how much is behind it.
func head[T any](all []T, limit int) ([]T, int) {
	if len(all) <= limit {
		return all, 0
	}
	return all[:limit], len(all) - limit
}

// milliseconds are for sorting; what has not come is behind all else.
func milliseconds(d time.Duration) int64 {
	if d == phase.NotYet {
		return 1 << 53
	}
	return d.Milliseconds()
}
