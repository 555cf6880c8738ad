package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// A picture is all that a frame of the live display shows: what was true of the
// timeline at one moment, and no more than fits.
type picture struct {
	simulated   bool
	interrupted bool // the user asked for the end
	elapsed     time.Duration
	totals      journal.Totals
	rows        []pictureRow
	fleet       extent
	// hidden counts the rows that did not fit, by how they stand.
	hidden map[phase.State]int
}

// extent is how much room the goals need, whether they are in the picture or not
// and however far they are: columns must not move while a run goes on.
type extent struct {
	name                  int
	controlPlane, workers int64
}

func extentOf(goals []journal.Goal) extent {
	var e extent
	for _, g := range goals {
		e.name = max(e.name, ansi.StringWidth(paint.NameOf(g.Addr)))
		e.controlPlane, e.workers = max(e.controlPlane, g.ControlPlane), max(e.workers, g.Workers)
	}
	return e
}

type pictureRow struct {
	journal.Row
	waits string // what the running phase waits for
}

// fixedLines are the lines of a frame beside rows: two of heading, the heads of
// the columns, what is hidden, and one that keeps the terminal from scrolling.
const fixedLines = 5

// take takes a picture for a number of lines. When there are more goals than
// lines, those that are stuck stay, then those that run; what is left is counted.
func take(t *journal.Timeline, height int) picture {
	p := picture{elapsed: t.Elapsed(), totals: t.Totals(), hidden: map[phase.State]int{}}
	b := t.Begin()
	if b == nil {
		return p
	}
	p.simulated = b.Simulated
	p.fleet = extentOf(b.Goals)
	for _, i := range visible(t, max(1, height-fixedLines), p.hidden) {
		row, ok := t.Row(b.Goals[i].Addr)
		if !ok {
			continue
		}
		view := pictureRow{Row: row}
		if row.State != phase.Done && row.State != phase.Pending {
			view.waits = waitsFor(t, row)
		}
		p.rows = append(p.rows, view)
	}
	return p
}

// visible are the indexes of the goals to show, in their order.
func visible(t *journal.Timeline, lines int, hidden map[phase.State]int) []int {
	goals := t.Begin().Goals
	var classes [4][]int
	states := make([]phase.State, len(goals))
	for i, g := range goals {
		states[i], _ = t.Standing(g.Addr)
		c := paint.Urgency(states[i])
		classes[c] = append(classes[c], i)
	}
	all := slices.Concat(classes[:]...)
	if len(all) > lines {
		for _, i := range all[lines:] {
			hidden[states[i]]++
		}
		all = all[:lines]
	}
	slices.Sort(all)
	return all
}

func waitsFor(t *journal.Timeline, r journal.Row) string {
	if r.Refused != nil {
		return join(r.Refused.Reason, r.Refused.Message)
	}
	if r.Delayed != nil {
		return join(r.Delayed.Reason, r.Delayed.Message)
	}
	return paint.BrieflyLacks(t.Why(r.Addr))
}

// draw makes the frame: lines of at most o.Width cells.
func (p picture) draw(o Options) string {
	return strings.Join(p.lines(o), "\n")
}

func (p picture) lines(o Options) []string {
	t := o.theme()
	columns := p.columns(o)
	lines := []string{p.heading(t, o), t.Faint(phaseLine(o.width())), columns.heads(t)}
	for _, r := range p.rows {
		lines = append(lines, columns.row(t, r, p.elapsed))
	}
	if more := p.more(t); more != "" {
		lines = append(lines, t.Faint(more))
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(t.Cut(line, o.edge()), " ")
	}
	return lines
}

// phaseLine says what the columns are, where that fits.
func phaseLine(width int) string {
	for _, between := range []string{"  ", " "} {
		if line := strings.Join(paint.PhaseNames(), between); ansi.StringWidth(line) <= width {
			return line
		}
	}
	return ""
}

// heading is "vksync simulate  SIMULATED  t+06:12 (x600)  7/12 clusters Available".
// Where that does not fit, words go first, then most of the title, then the speed.
func (p picture) heading(t paint.Theme, o Options) string {
	h := header{title: o.title(), speed: p.simulated && o.Speed > 0, words: true}
	over := func() int { return ansi.StringWidth(p.facts(t, o, h)) - o.edge() }
	if over() > 0 {
		h.words = false
	}
	if n := over(); n > 0 {
		h.title = t.CutLeft(h.title, max(shortTitle, ansi.StringWidth(h.title)-n))
	}
	if over() > 0 {
		h.speed = false
	}
	return p.facts(t, o, h)
}

// shortTitle is how much of a title always stays.
const shortTitle = 8

// A header is what the heading of a frame has beside what is never left out.
type header struct {
	title string
	speed bool
	words bool // what is counted, not only how many
}

func (p picture) facts(t paint.Theme, o Options, h header) string {
	parts := []string{t.Bold("", h.title)}
	if p.simulated {
		parts = append(parts, t.Marker())
	}
	at := "t" + strings.TrimSuffix(paint.Stamp(p.elapsed.Truncate(time.Second)), ".000")
	if h.speed {
		at += fmt.Sprintf(" (x%g)", o.Speed)
	}
	parts = append(parts, at)
	if p.interrupted {
		parts = append(parts, t.State(phase.Blocked, "interrupting"))
	}
	n := p.totals
	done, all, what, word := n.Available, n.Clusters, " clusters", " Available"
	if all == 0 {
		done, all, what, word = n.Running, n.Namespaces, " vSphere Namespaces", " RUNNING"
	}
	if !h.words {
		what = ""
	}
	parts = append(parts, paint.Count(done)+"/"+paint.Count(all)+what+word)
	if n.Stuck > 0 {
		parts = append(parts, t.State(phase.Blocked, t.Blocked+" "+paint.Count(n.Stuck)+" stuck"))
	}
	return strings.Join(parts, "  ")
}

// more is the line for the rows that did not fit.
func (p picture) more(t paint.Theme) string {
	sum := 0
	var parts []string
	for _, s := range []phase.State{phase.Blocked, phase.Failed, phase.Running, phase.Pending, phase.Done} {
		if n := p.hidden[s]; n > 0 {
			sum += n
			parts = append(parts, paint.Count(n)+" "+string(s))
		}
	}
	if sum == 0 {
		return ""
	}
	return fmt.Sprintf("%s %s more: %s", t.More, paint.Count(sum), strings.Join(parts, ", "))
}

// columns are the widths that all rows of a frame share. What is dropped first
// where it is narrow is what a row waits for, then the elapsed time; never the
// name and the phases.
type columns struct {
	name  int
	cells [7]int
	time  int // 0: no column
	rest  int // 0: no column
}

func (p picture) columns(o Options) columns {
	var c columns
	for i, id := range phase.All {
		c.cells[i] = max(len(id), ansi.StringWidth(p.fleet.widest(id)))
	}
	for _, r := range p.rows {
		for i, s := range r.Steps {
			c.cells[i] = max(c.cells[i], ansi.StringWidth(cell(paint.Theme{}, s, false)))
		}
	}
	phases := 0
	for _, w := range c.cells {
		phases += w + 1
	}
	c.time = max(len(paint.Clock(p.elapsed)), len("59:59")) + 2
	free := o.width() - phases - 1
	// The name takes what the state does not need, and is cut before the state is.
	c.name = max(len("cluster"), min(p.fleet.name, max(12, free-c.time-2-stateWidth), free))
	free -= c.name
	if free < c.time {
		c.time = 0
	}
	if c.rest = free - c.time - 2; c.rest < 10 {
		c.rest = 0
	}
	return c
}

// stateWidth is what a state and most of what a row waits for need.
const stateWidth = 16

// widest is the widest cell of a phase in a fleet.
func (e extent) widest(id phase.ID) string {
	n := int64(0)
	switch id {
	case phase.Bootstrap, phase.Machine, phase.Node:
		n = e.controlPlane
	case phase.Workers:
		n = e.workers
	}
	if n == 0 {
		return "*"
	}
	return fmt.Sprintf("*%d/%d", n, n)
}

func (c columns) heads(t paint.Theme) string {
	var b strings.Builder
	b.WriteString(paint.Pad("cluster", c.name) + " ")
	for i, id := range phase.All {
		b.WriteString(" " + paint.Pad(string(id), c.cells[i]))
	}
	if c.time > 0 {
		b.WriteString(paint.PadLeft("time", c.time))
	}
	switch {
	case c.rest >= waitsWidth:
		b.WriteString("  state")
	case c.rest >= len("state/waits for"):
		b.WriteString("  state/waits for")
	case c.rest > 0:
		b.WriteString("  waits for")
	}
	return t.Faint(b.String())
}

func (c columns) row(t paint.Theme, r pictureRow, now time.Duration) string {
	var b strings.Builder
	b.WriteString(paint.Pad(t.CutLeft(paint.NameOf(r.Addr), c.name), c.name) + " ")
	for i := range phase.All {
		text := ""
		if i < len(r.Steps) {
			text = t.State(r.Steps[i].State, cell(t, r.Steps[i], r.Removing()))
		}
		b.WriteString(" " + paint.Pad(text, c.cells[i]))
	}
	if c.time > 0 {
		b.WriteString(paint.PadLeft(elapsed(r.Row, now), c.time))
	}
	if c.rest > 0 {
		b.WriteString("  " + c.standing(t, r))
	}
	return b.String()
}

// standing is a row's state in a word, and what it waits for. A message is left
// out where only its beginning would fit.
func (c columns) standing(t paint.Theme, r pictureRow) string {
	waits := paint.Clean(r.waits)
	if c.rest < messageWidth {
		waits, _, _ = strings.Cut(waits, ": ")
	}
	text := t.State(r.State, paint.StateWord(r.Row))
	switch {
	case waits == "":
	case r.State == phase.Running && !r.Removing() && c.rest < waitsWidth:
		text = waits // as the head of the column says
	case r.State == phase.Running && !r.Removing():
		text = t.Faint("waits for") + " " + waits
	default:
		text += ": " + waits
	}
	return t.Cut(text, c.rest)
}

// waitsWidth is from where on every row says itself that it waits, messageWidth
// from where on there is room for more than for what it waits.
const (
	waitsWidth   = 36
	messageWidth = 48
)

// cell is a phase of a row: a glyph, and a count while the phase has one that is
// neither none nor all.
func cell(t paint.Theme, s phase.Step, removing bool) string {
	glyph := t.Glyph(s.State, removing)
	if t.Done == "" {
		glyph = "*" // only the width is asked for
	}
	if s.Wanted == 0 || s.State == phase.Done || s.State == phase.Pending {
		return glyph
	}
	return fmt.Sprintf("%s%d/%d", glyph, s.Done, s.Wanted)
}

func elapsed(r journal.Row, now time.Duration) string {
	switch {
	case r.Start == phase.NotYet:
		return ""
	case r.End != phase.NotYet:
		return paint.Clock(r.End - r.Start)
	}
	return paint.Clock(now - r.Start)
}
