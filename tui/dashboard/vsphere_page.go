package dashboard

import (
	"cmp"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// vspherePage shows how much of the site is in use: hosts, datastores, quotas and
// addresses, now and at the most.
type vspherePage struct {
	list
	filter   filter
	byName   bool
	problems bool // only what is tight or full, now or by the forecast
	open     bool // the selected meter is explained, also where there is little room

	moved    bool          // the user chose what is selected
	selected journal.Meter // by its name
	seen     meterView     // what the last look looked at
	entries  []meterEntry  // of the last look, with the heads of sections
	lines    []meterEntry  // of the window
	detail   []string
	extent   meterExtent
	sum      meterSum
	empty    []string // what is said in the place of rows
}

// A meterView is what the entries depend on.
type meterView struct {
	meters           *journal.Meters
	version          uint64
	filter           string
	byName, problems bool
	ended            bool
}

// A meterEntry is one line: a meter, or the head of a section of them.
type meterEntry struct {
	journal.MeterState
	head  string // of a section; empty for a meter
	total string // of a head: what the section has in all
	// worst is the level now or, when that is higher and may still come, at the
	// forecast's peak.
	level, worst journal.Level
}

// meterSum counts the meters there are before any filter.
type meterSum struct {
	all, tight, full, later int
	forecast                bool // any meter has one
}

var vsphereKeys = struct{ order, problems, open key.Binding }{
	order:    key.NewBinding(key.WithKeys("s"), key.WithHelp("s", "sort")),
	problems: key.NewBinding(key.WithKeys("!"), key.WithHelp("!", "problems")),
	open:     key.NewBinding(key.WithKeys("enter", "right", "l"), key.WithHelp("⏎", "explain")),
}

func newVspherePage() *vspherePage { return &vspherePage{} }

func (p *vspherePage) title() string { return "vSphere" }

func (p *vspherePage) keys() []key.Binding {
	return []key.Binding{vsphereKeys.open, filterKey, vsphereKeys.problems, vsphereKeys.order}
}

func (p *vspherePage) take(s *scene) {
	stream := p.stream(s)
	p.look(stream)
	p.detail = nil
	room := s.height - p.headLines(s)
	p.fit(len(p.entries), room)
	if p.follow(); p.at(p.cursor) && (p.open || s.height >= roomForDetail) {
		p.detail = p.explain(s, p.entries[p.cursor])
	}
	p.fit(len(p.entries), room-len(p.detail))
	p.reveal()
	if stream != nil {
		stream.meters.Pass(stream.now(s.clock))
	}
	from, to := p.window()
	p.lines = append(p.lines[:0], p.entries[from:to]...)
	for i, l := range p.lines {
		if l.head == "" {
			p.lines[i].History, p.lines[i].HistorySpan = stream.meters.History(l.Meter)
		}
	}
	p.empty = p.nothing(s, stream)
}

// stream is that of what is selected in the fleet, else the first that has meters.
func (p *vspherePage) stream(s *scene) *Stream {
	if stream := s.stream(); stream != nil {
		return stream
	}
	var first *Stream
	for _, stream := range s.board.streams {
		if len(stream.meters.List()) > 0 {
			return stream
		}
		first = cmp.Or(first, stream)
	}
	return first
}

// look takes in the meters that are to be shown, in sections. It does nothing while
// they are what they were: a site has thousands, and each key looks.
func (p *vspherePage) look(stream *Stream) {
	view := meterView{filter: string(p.filter.text), byName: p.byName, problems: p.problems}
	if stream != nil {
		view.meters, view.version, view.ended = stream.meters, stream.meters.Version(), stream.timeline.End() != nil
	}
	if view == p.seen {
		return
	}
	p.seen = view
	p.entries, p.sum, p.extent = p.entries[:0], meterSum{}, meterExtent{}
	if stream == nil {
		return
	}
	words, ended := p.filter.words(), view.ended
	var shown []meterEntry
	for _, m := range stream.meters.List() {
		e := meterEntry{MeterState: m, level: m.Level()}
		e.worst = e.level
		if m.Forecast != nil && !ended {
			e.worst = max(e.worst, m.Forecast.Level())
		}
		p.sum.add(e)
		p.extent.add(e)
		if p.problems && e.worst == journal.Fine {
			continue
		}
		if len(words) > 0 && !matches(words, strings.ToLower(paint.Clean(sectionOf(m.Meter)+" "+m.Name))) {
			continue
		}
		shown = append(shown, e)
	}
	p.entries = inSections(p.entries, shown, p.byName)
}

func (n *meterSum) add(e meterEntry) {
	n.all++
	n.forecast = n.forecast || e.Forecast != nil
	switch {
	case e.level == journal.Full:
		n.full++
	case e.level == journal.Tight:
		n.tight++
	case e.worst > e.level:
		n.later++
	}
}

// at says whether a line is a meter.
func (p *vspherePage) at(line int) bool {
	return line >= 0 && line < len(p.entries) && p.entries[line].head == ""
}

// follow keeps the cursor on the meter that the user selected, wherever it is now.
// When it is gone, the meter under the cursor is selected, and before the user
// selects any, the first.
func (p *vspherePage) follow() {
	if !p.moved {
		p.cursor = 0
	} else {
		for i, e := range p.entries {
			if e.head == "" && e.Same(p.selected) {
				p.to(i)
				return
			}
		}
	}
	p.choose(p.cursor, 1)
}

// choose selects the first meter from a line on, in steps down or up.
func (p *vspherePage) choose(line, step int) {
	for ; line >= 0 && line < len(p.entries); line += step {
		if p.at(line) {
			p.selected = p.entries[line].Meter
			p.to(line)
			return
		}
	}
}

// reveal has the head of the section seen where the cursor is on its first meter.
func (p *vspherePage) reveal() {
	if p.top == p.cursor && p.height > 1 && p.cursor > 0 && !p.at(p.cursor-1) {
		p.top--
	}
}

func (p *vspherePage) press(_ *scene, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if p.filter.press(k) {
		return nil, true
	}
	switch {
	case key.Matches(k, vsphereKeys.open):
		p.open = !p.open
	case key.Matches(k, vsphereKeys.problems):
		p.problems = !p.problems
	case key.Matches(k, vsphereKeys.order):
		p.byName = !p.byName
		return tell("sorted by "+map[bool]string{true: "name", false: "how full it is"}[p.byName], false), true
	default:
		return nil, p.move(k)
	}
	return nil, true
}

// move moves the cursor; heads of sections are passed over.
func (p *vspherePage) move(k tea.KeyPressMsg) bool {
	before := p.cursor
	if !p.list.press(k) {
		return false
	}
	p.moved = true
	step := 1
	if p.cursor < before {
		step = -1
	}
	p.choose(p.cursor, step)
	if !p.at(p.cursor) { // above the first meter is only a head
		p.choose(p.cursor, 1)
	}
	return true
}

func (p *vspherePage) click(s *scene, _, y int) {
	if i := y - p.headLines(s); i >= 0 && i < len(p.lines) && p.lines[i].head == "" {
		p.selected, p.moved = p.lines[i].Meter, true
	}
}

func (p *vspherePage) prompt(s *scene) (string, bool) { return p.filter.line(s.Theme) }

// nothing says why there is no row, and how to get some.
func (p *vspherePage) nothing(s *scene, stream *Stream) []string {
	switch {
	case len(p.entries) > 0:
		return nil
	case p.sum.all > 0 && p.problems && len(p.filter.words()) == 0:
		return []string{s.State(phase.Done, s.Done+" nothing is tight"), "", "! shows all " + paint.Plural(p.sum.all, "meter") + " again"}
	case p.sum.all > 0:
		return []string{"no meter has " + strings.Join(p.filter.words(), " and "), "", "esc takes the filter away"}
	case stream == nil || stream.timeline.Begin() == nil:
		return s.absence()
	}
	if stream.ticks() {
		return []string{"reading hosts, datastores, quotas and addresses" + s.More}
	}
	why := []string{
		"This journal says nothing of hosts, datastores, quotas and addresses.", "",
		"It was written by an older vksync, or by a run that could not read them. Run or simulate again with this vksync for a journal that has them.",
	}
	if !stream.timeline.Begin().Simulated {
		why = append(why, "", "In a live world the user of vCenter has to be allowed to read hosts and datastores (the role Read-only is enough).")
	}
	var out []string
	for _, text := range why {
		out = append(out, paint.Wrap(text, s.width)...)
	}
	return out
}
