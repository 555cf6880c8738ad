package dashboard

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// meterExtent is how much room the meters need, whether they are in the window or
// not: columns must not move while rows do.
type meterExtent struct{ name, amount int }

func (x *meterExtent) add(e meterEntry) {
	x.name = max(x.name, ansi.StringWidth(paint.Clean(e.Name)))
	x.amount = max(x.amount, len(amountOf(e.Meter)))
}

// meterColumns are the widths of a frame. What is dropped first where it is narrow
// is the history, then the bar, then the amount; never the name, the share and the
// verdict.
type meterColumns struct {
	name, bar, amount, share, verdict, spark int // 0: no column
}

const (
	shareWidth    = 5
	verdictWidth  = 12
	leastBar      = 6
	leastSpark    = 8
	widestBar     = 50
	widestAmount  = 22
	shortMeter    = 14 // what a name has before a column is dropped for it
	roomForDetail = 14 // lines of a page that explains what is selected
)

func (p *vspherePage) columns(s *scene) meterColumns {
	c := meterColumns{share: shareWidth, verdict: verdictWidth, amount: min(p.extent.amount, widestAmount)}
	want := max(1, p.extent.name)
	least := min(want, shortMeter)
	free := s.width - markWidth - 1 - c.share - 1 - c.verdict
	if free-c.amount-1 < least {
		c.amount = 0
	} else {
		free -= c.amount + 1
	}
	if free-least-1 < leastBar {
		c.name = max(1, min(want, free))
		return c
	}
	c.name = min(want, max(least, free*2/5))
	c.bar = free - c.name - 1
	if spark := min(journal.HistoryCap, c.bar*2/5); spark >= leastSpark {
		c.spark = spark
		c.bar -= spark + 1
	}
	c.bar = min(c.bar, widestBar)
	return c
}

// headLines are the lines above the rows, where there is room.
func (p *vspherePage) headLines(s *scene) int {
	if s.height < 4 {
		return 0
	}
	return 1
}

func (p *vspherePage) draw(s *scene) []string {
	if len(p.lines) == 0 {
		return p.empty
	}
	c := p.columns(s)
	var lines []string
	if p.headLines(s) > 0 {
		lines = append(lines, p.summary(s))
	}
	for _, l := range p.lines {
		if l.head != "" {
			total := "  " + s.Faint(l.total)
			lines = append(lines, s.Bold("", s.Cut(paint.Clean(l.head), s.width-ansi.StringWidth(total)))+total)
			continue
		}
		lines = append(lines, p.line(s, c, l))
	}
	if len(p.detail) == 0 {
		return lines
	}
	for len(lines) < s.height-len(p.detail) {
		lines = append(lines, "")
	}
	return append(lines, p.detail...)
}

// summary says how the whole site is, how to read the bars, and which part of the
// rows is seen.
func (p *vspherePage) summary(s *scene) string {
	var parts []string
	count := func(n int, color, glyph, word string) {
		if n > 0 {
			parts = append(parts, s.Paint(color, fmt.Sprintf("%s %s %s", glyph, paint.Count(n), word)))
		}
	}
	count(p.sum.full, paint.Red, s.Failed, "full")
	count(p.sum.tight, paint.Yellow, s.Blocked, "tight")
	count(p.sum.later, paint.Yellow, s.Pending, "tight by the forecast")
	if len(parts) == 0 {
		parts = append(parts, s.State(phase.Done, s.Done+" nothing is tight"))
	}
	g := s.gauges()
	legend := g.full + " now " + g.peak + " most so far"
	if p.sum.forecast {
		legend += " " + g.forecast + " forecast"
	}
	parts = append(parts, s.Faint(legend), s.Faint(map[bool]string{true: "by name", false: "fullest first"}[p.byName]))
	from, to := p.window()
	more := ""
	if p.n > to-from {
		more = fmt.Sprintf("%s-%s of %s", paint.Count(from+1), paint.Count(to), paint.Count(p.n))
	}
	line := s.fitting(parts, s.width-len(more)-1)
	if free := s.width - ansi.StringWidth(line) - 1; more != "" && free >= len(more) {
		line += strings.Repeat(" ", free+1-len(more)) + s.Faint(more)
	}
	return line
}

func (p *vspherePage) line(s *scene, c meterColumns, e meterEntry) string {
	selected := e.Same(p.selected)
	mark := " "
	if selected {
		mark = s.Bold(paint.Cyan, ">")
	}
	name := paint.Clean(e.Name)
	if e.Kind == journal.HostMemory || e.Kind == journal.HostCPU {
		name = s.Cut(name, c.name) // the end is the domain, of all hosts
	} else {
		name = s.CutLeft(name, c.name)
	}
	if name = paint.Pad(name, c.name); selected {
		name = s.Reverse(name)
	}
	var b strings.Builder
	b.WriteString(mark + s.warning(e) + name)
	if c.bar > 0 {
		b.WriteString(" " + s.gauge(e, c.bar))
	}
	if c.amount > 0 {
		b.WriteString(" " + paint.PadLeft(s.Cut(amountOf(e.Meter), c.amount), c.amount))
	}
	b.WriteString(" " + paint.PadLeft(percentOf(e.Meter), c.share))
	b.WriteString(" " + s.verdict(e))
	if c.spark > 0 {
		b.WriteString(s.Paint(paint.Cyan, s.spark(e.History, c.spark)))
	}
	return b.String()
}

// warning is the sign of a meter that is not fine, by the level that is the worst.
func (s *scene) warning(e meterEntry) string {
	switch {
	case e.level == journal.Full:
		return s.Bold(paint.Red, s.Failed)
	case e.level == journal.Tight:
		return s.Bold(paint.Yellow, s.Blocked)
	case e.worst > journal.Fine:
		return s.Paint(paint.Yellow, s.Pending)
	}
	return " "
}

func (s *scene) verdict(e meterEntry) string {
	text := paint.Pad(e.verdict(), verdictWidth)
	switch {
	case e.level == journal.Full:
		return s.Bold(paint.Red, text)
	case e.worst > journal.Fine:
		return s.Paint(tint(e.worst), text)
	}
	return s.Faint(text)
}

// explain is the selected meter in words, below the rows.
func (p *vspherePage) explain(s *scene, m meterEntry) []string {
	title := sectionOf(m.Meter) + ": " + m.Name
	if about := subjectOf(m.Meter); about != "" {
		title += s.Dot + about
	}
	var facts []string
	if m.Told {
		facts = append(facts, "now "+amountOf(m.Meter)+spaced(percentOf(m.Meter)))
		peak := m.Meter
		peak.Used = m.Peak
		facts = append(facts, "most so far "+valueOf(m.Meter, m.Peak)+spaced(percentOf(peak))+" at "+paint.Clock(m.PeakAt))
	} else {
		facts = append(facts, "not there yet")
	}
	if f := m.Forecast; f != nil {
		facts = append(facts, "by the forecast up to "+valueOf(*f, f.Used)+spaced(percentOf(*f)))
	}
	if m.Capacity == 0 {
		facts = append(facts, "without limit")
	}
	lines := []string{
		s.Faint(strings.Repeat(s.Rule, s.width)),
		s.Cut(paint.Clean(title), s.width),
		s.Cut(strings.Join(facts, s.Dot), s.width),
	}
	if m.worst > journal.Fine {
		for _, line := range paint.Wrap(remedy(m.Meter), s.width) {
			lines = append(lines, s.Paint(tint(m.worst), s.Cut(line, s.width)))
		}
	}
	return lines[:min(len(lines), max(0, s.height-2))]
}

// spaced is " (47%)"; "" of "".
func spaced(share string) string {
	if share == "" {
		return ""
	}
	return " (" + share + ")"
}
