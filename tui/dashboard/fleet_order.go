package dashboard

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// fleetOrder is what rows are sorted by.
type fleetOrder int

const (
	byProblem fleetOrder = iota
	byName
	byPhase
	byTime
	byLeft
	orders
)

func (o fleetOrder) String() string {
	return [...]string{"problems first", "name", "phase", "time, longest first", "time left, longest first"}[o]
}

// fleetGroup is what rows are put together by.
type fleetGroup int

const (
	ungrouped fleetGroup = iota
	byNamespace
	bySupervisor
	groups
)

func (g fleetGroup) String() string {
	return [...]string{"nothing", "vSphere Namespace", "Supervisor"}[g]
}

// An entry is a line of the fleet before anything is known of it but its place.
type entry struct {
	stream *Stream
	goal   *journal.Goal
	state  phase.State
	phase  phase.ID
	group  string
	weight int64 // what it is sorted by; less comes first
	head   string
	count  int
}

// is says whether the line is of a subject.
func (e *entry) is(s subject) bool {
	return e.head == "" && e.goal.Addr.Name == s.addr.Name && e.goal.Addr == s.addr && e.stream.name == s.stream
}

// look finds all lines anew and puts them in order, with the lock held. Rows of the
// same weight stay as the plan has them.
func (p *fleetPage) look(s *scene) {
	words := p.filter.words()
	clear(p.entries) // what is not used again is not to be held
	p.entries = p.entries[:0]
	p.measure(s)
	for _, stream := range s.board.streams {
		goals := stream.timeline.Goals()
		for i := range goals {
			e := entry{stream: stream, goal: &goals[i]}
			e.state, e.phase = stream.timeline.Standing(e.goal.Addr)
			if p.problems && e.state != phase.Blocked && e.state != phase.Failed {
				continue
			}
			if len(words) > 0 && !e.found(words) {
				continue
			}
			e.group = p.groupOf(e)
			e.weight = p.weight(s, e)
			p.entries = append(p.entries, e)
		}
	}
	p.sort()
	if p.group != ungrouped {
		p.entries = withHeads(p.entries)
	}
}

// measure finds out how much room the goals need. That takes longer than all the
// rest, and changes only with the goals.
func (p *fleetPage) measure(s *scene) {
	seen := 0
	for _, stream := range s.board.streams {
		seen += stream.aimed
	}
	if seen == p.measured {
		return
	}
	p.measured, p.extent, p.total = seen, extent{}, 0
	for _, stream := range s.board.streams {
		if b := stream.timeline.Begin(); b != nil && b.Forecast != nil {
			p.extent.forecast = true
		}
		for _, g := range stream.timeline.Goals() {
			p.total++
			p.extent.add(g)
		}
	}
}

// sort is stable. Most of a large fleet has one of few weights and no group, so the
// usual order takes one pass.
func (p *fleetPage) sort() {
	if p.order != byProblem || p.group != ungrouped || p.reverse {
		slices.SortStableFunc(p.entries, p.compare)
		return
	}
	sorted := p.spare[:0]
	for weight := range int64(paint.Urgencies) {
		for _, e := range p.entries {
			if e.weight == weight {
				sorted = append(sorted, e)
			}
		}
	}
	p.entries, p.spare = sorted, p.entries
}

func (p *fleetPage) compare(a, b entry) int {
	by := cmp.Compare(a.weight, b.weight)
	if p.order == byName {
		by = strings.Compare(paint.NameOf(a.goal.Addr), paint.NameOf(b.goal.Addr))
	}
	if p.reverse {
		by = -by
	}
	return cmp.Or(strings.Compare(a.group, b.group), by)
}

func (p *fleetPage) groupOf(e entry) string {
	switch {
	case p.group == byNamespace && paint.IsNamespace(e.goal.Addr):
		return e.goal.Addr.Name
	case p.group == byNamespace:
		return e.goal.Addr.Namespace
	case p.group == bySupervisor:
		return cmp.Or(e.goal.Addr.Supervisor, e.stream.name, "Supervisor")
	}
	return ""
}

// weight is what an entry is sorted by: times are negative, so that long ones come first.
func (p *fleetPage) weight(s *scene, e entry) int64 {
	switch p.order {
	case byProblem:
		return int64(paint.Urgency(e.state))
	case byPhase:
		return int64(slices.Index(phase.All, e.phase))
	case byTime, byLeft:
		row, ok := e.stream.timeline.Row(e.goal.Addr)
		if !ok {
			return 0
		}
		now := e.stream.now(s.clock)
		if p.order == byTime {
			return -int64(spent(row, now))
		}
		if left := e.stream.left(row, now); left.known {
			return -int64(left.Left)
		}
		return 1
	}
	return 0
}

// found says whether the words are in what the row shows. "state:blocked",
// "phase:3b" and "ns:team" ask for one column.
func (e *entry) found(words []string) bool {
	a := e.goal.Addr
	ns := cmp.Or(a.Namespace, a.Name)
	var plain []string
	for _, w := range words {
		what, value, asked := strings.Cut(w, ":")
		ok := true
		switch {
		case asked && what == "state":
			ok = strings.Contains(string(e.state), value)
		case asked && what == "phase":
			ok = string(e.phase) == value
		case asked && what == "ns":
			ok = strings.Contains(ns, value)
		default:
			plain = append(plain, w)
		}
		if !ok {
			return false
		}
	}
	name := strings.ToLower(paint.NameOf(a) + " " + e.goal.Verb)
	if matches(plain, name, string(e.state)) {
		return true
	}
	if e.state == phase.Done || e.state == phase.Pending {
		return false
	}
	row, ok := e.stream.timeline.Row(a)
	return ok && matches(plain, name, string(e.state), strings.ToLower(waitsFor(e.stream.timeline, row)))
}

// withHeads puts a head before every group.
func withHeads(rows []entry) []entry {
	var out []entry
	for i, e := range rows {
		if i == 0 || e.group != rows[i-1].group {
			n := 1
			for j := i + 1; j < len(rows) && rows[j].group == e.group; j++ {
				n++
			}
			out = append(out, entry{head: cmp.Or(e.group, "none"), count: n})
		}
		out = append(out, e)
	}
	return out
}

// spent is how long a goal took or has been taking.
func spent(r journal.Row, now time.Duration) time.Duration {
	switch {
	case r.Start == phase.NotYet:
		return 0
	case r.End != phase.NotYet:
		return r.End - r.Start
	}
	return now - r.Start
}

// waitsFor is what a row waits for, in few words.
func waitsFor(t *journal.Timeline, r journal.Row) string {
	if r.Refused != nil {
		return joined(r.Refused)
	}
	if r.Delayed != nil {
		return joined(r.Delayed)
	}
	return paint.BrieflyLacks(t.Why(r.Addr))
}

func joined(a *journal.Action) string {
	return strings.TrimSuffix(strings.TrimPrefix(a.Reason+": "+a.Message, ": "), ": ")
}
