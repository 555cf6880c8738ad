package dashboard

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// headRoom is how many lines the head has: the goal and how long still; why it waits;
// where there is room, what to do about it.
func headRoom(s *scene) int {
	switch {
	case s.height < 6:
		return 0
	case s.height < 18:
		return 2
	}
	return 4
}

// axisLines are the labels of the axis, and where there is room its rule.
func (p *clusterPage) axisLines(s *scene) int {
	switch {
	case s.height < 5:
		return 0
	case s.height < 18:
		return 1
	}
	return 2
}

// detailLines are those that the selected row is explained in.
func (p *clusterPage) detailLines(s *scene) int {
	switch {
	case s.height < 18:
		return 0
	case s.height < 30:
		return 5
	}
	return 9
}

// ganttColumns are the widths of a frame. The difference to the forecast goes
// first where it is narrow, then the time; never the label and the bar.
type ganttColumns struct{ label, bar, time, late int }

// roomyWidth is from where on words fit beside figures.
const roomyWidth = 76

func (p *clusterPage) columns(s *scene) ganttColumns {
	c := ganttColumns{label: 12, time: 9}
	for _, r := range p.gantt.rows {
		c.label = max(c.label, 2*r.depth+2+ansi.StringWidth(r.label)+ansi.StringWidth(r.counts()))
		if late, known := r.late(); known && (s.width >= roomyWidth || late.Abs() >= time.Second) {
			c.late = 11
		}
	}
	c.label = min(c.label, max(23, s.width*3/10), s.width/2)
	if c.late > 0 && s.width < roomyWidth {
		c.late = 7
	}
	const marks = 2 // the cursor, and the critical path
	for _, column := range []*int{&c.late, &c.time} {
		if s.width-marks-c.label-c.time-c.late-3 < 16 {
			*column = 0
		}
	}
	c.bar = s.width - marks - c.label - 1
	for _, w := range []int{c.time, c.late} {
		if w > 0 {
			c.bar -= w + 1
		}
	}
	c.bar = max(4, c.bar)
	return c
}

// counts are the machines of a row.
func (r ganttRow) counts() string {
	if r.wanted == 0 {
		return ""
	}
	text := fmt.Sprintf(" %d/%d", r.done, r.wanted)
	if r.removing {
		text += " gone"
	}
	return text
}

func (p *clusterPage) draw(s *scene) []string {
	if len(p.gantt.rows) == 0 {
		return p.empty
	}
	c := p.columns(s)
	a := axisFor(p.gantt, c.bar)
	lines := append([]string{}, p.head...)
	lines = append(lines, p.axis(s, a, c)...)
	from, to := p.window()
	for i := from; i < to; i++ {
		lines = append(lines, p.line(s, a, c, p.gantt.rows[i], i == p.cursor))
	}
	room := p.detailLines(s)
	if len(lines)+1 < s.height-room {
		lines = append(lines, "", s.legend())
	}
	if room > 0 {
		for len(lines) < s.height-room {
			lines = append(lines, "")
		}
		lines = append(lines, p.detail...)
	}
	return lines
}

// legend explains the signs that bars are made of.
func (s *scene) legend() string {
	b := barsOf(s.Theme)
	items := []string{b.busy + " goes on", b.waiting + " waits"}
	items = append(items, b.planned+" expected, an estimate")
	for _, id := range stages {
		items = append(items, paint.Letter(id)+s.Fill[id]+" "+strings.TrimPrefix(paint.Brief(id), string(id)+" "))
	}
	return s.Faint(s.fitting(items, s.width))
}

// axis draws the axis, and on its rule where now is.
func (p *clusterPage) axis(s *scene, a paint.Axis, c ganttColumns) []string {
	indent := strings.Repeat(" ", 2+c.label+1)
	labels, rule := a.Draw(s.Theme)
	lines := []string{indent + s.Faint(strings.TrimRight(labels, " "))}
	switch p.axisLines(s) {
	case 0:
		return nil
	case 1:
		return lines
	}
	b := barsOf(s.Theme)
	if at := a.Cell(p.gantt.now); p.gantt.now > 0 && p.gantt.now < a.Total {
		const word = "now"
		cells := []rune(rule)
		cells[at] = []rune(b.now)[0]
		rule = s.Faint(string(cells[:at])) + s.Bold("", string(cells[at:at+1]))
		rest := cells[at+1:]
		if len(rest) > len(word)+1 {
			rule += s.Bold("", word)
			rest = rest[len(word):]
		}
		rule += s.Faint(string(rest))
	} else {
		rule = s.Faint(rule)
	}
	return append(lines, p.hint(s, c)+rule)
}

// hint explains the mark of the critical path, beside the rule of the axis.
func (p *clusterPage) hint(s *scene, c ganttColumns) string {
	for _, r := range p.gantt.rows {
		if text := "  " + criticalMark(s) + " critical path"; r.critical && len(text) <= 2+c.label+2 {
			return s.Faint(paint.Pad(text, 2+c.label+1))
		}
	}
	return strings.Repeat(" ", 2+c.label+1)
}

func criticalMark(s *scene) string {
	if s.ASCII {
		return "*"
	}
	return "◆"
}

// line draws one row.
func (p *clusterPage) line(s *scene, a paint.Axis, c ganttColumns, r ganttRow, selected bool) string {
	mark := " "
	if selected {
		mark = s.Bold(paint.Cyan, ">")
	}
	critical := " "
	if r.critical {
		critical = s.Paint(paint.Yellow, criticalMark(s))
	}
	line := mark + critical + p.name(s, c, r, selected) + " " + r.bar(s.Theme, a, p.gantt.now)
	if c.time > 0 {
		took := r.took(p.gantt.now)
		if r.state == phase.Blocked || r.state == phase.Failed {
			took = s.Glyph(r.state, false) + " " + took
		}
		line += " " + s.State(r.state, paint.PadLeft(took, c.time))
	}
	if c.late > 0 {
		line += " " + p.lateColumn(s, c, r)
	}
	return line
}

// name is the label of a row: whether more is below it, what it is, how many machines.
func (p *clusterPage) name(s *scene, c ganttColumns, r ganttRow, selected bool) string {
	indent := strings.Repeat("  ", r.depth)
	switch {
	case r.open:
		indent += s.pick("▾", "v") + " "
	case r.foldable:
		indent += s.pick("▸", ">") + " "
	default:
		indent += "  "
	}
	counts := r.counts()
	cut := s.CutLeft // of the names of machines the end tells them apart
	if r.depth == 0 {
		cut = s.Cut
	}
	name := cut(r.label, c.label-ansi.StringWidth(indent)-len(counts))
	text := paint.Pad(indent+name+counts, c.label)
	switch {
	case selected:
		return s.Bold("", text)
	case r.state == phase.Pending || r.inherited:
		return s.Faint(text)
	}
	return text
}

// took is how long a row took, has taken so far, or will begin in.
func (r ganttRow) took(now time.Duration) string {
	switch {
	case r.inherited && !r.removing:
		return "kept"
	case r.inherited && r.start == phase.NotYet:
		return "going"
	case r.start == phase.NotYet && r.expected[0] != phase.NotYet && r.state != phase.Done && r.expected[0] > now:
		return "in ~" + paint.Clock(r.expected[0]-now)
	case r.start == phase.NotYet:
		return ""
	case r.end == phase.NotYet:
		return paint.Clock(now - r.start)
	}
	return paint.Clock(r.end - r.start)
}

func (p *clusterPage) lateColumn(s *scene, c ganttColumns, r ganttRow) string {
	late, known := r.late()
	if !known || r.state == phase.Pending && late.Abs() < time.Second {
		return strings.Repeat(" ", c.late)
	}
	text := lateness(late, c.late < 11)
	switch text = paint.PadLeft(text, c.late); {
	case late >= time.Second:
		return s.Paint(paint.Yellow, text)
	case late <= -time.Second:
		return s.Paint(paint.Green, text)
	}
	return s.Faint(text)
}
