package dashboard

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// extent is how much room the goals need, whether they are in the window or not:
// columns must not move while rows do.
type extent struct {
	name     int
	machines int64
	forecast bool // any stream has one
}

func (x *extent) add(g journal.Goal) {
	x.name = max(x.name, ansi.StringWidth(paint.NameOf(g.Addr)))
	x.machines = max(x.machines, g.ControlPlane+g.Workers)
}

// line looks at one goal, with the lock held.
func (e *entry) line(s *scene) fleetLine {
	if e.head != "" {
		return fleetLine{head: e.head, count: e.count}
	}
	l := fleetLine{subject: subject{e.stream.name, e.goal.Addr}, state: e.state, now: e.stream.now(s.clock)}
	l.row, _ = e.stream.timeline.Row(e.goal.Addr)
	l.left = e.stream.left(l.row, l.now)
	if e.state != phase.Done && e.state != phase.Pending {
		l.waits = paint.Clean(waitsFor(e.stream.timeline, l.row))
	}
	return l
}

// columns are the widths of a frame. What is dropped first where it is narrow is
// the estimate, then the time, then the machines, then what a row waits for; never
// the name, the phases and the state.
type columns struct {
	name, nodes, time, left, rest int // 0: no column
}

const (
	markWidth   = 2 // the cursor, then the verb
	timeWidth   = 7
	leftWidth   = 10
	stateColumn = 9
	shortName   = 16 // what a name has before a column is dropped for it
	someReason  = 16 // what a reason needs to say anything
)

func (p *fleetPage) columns(s *scene) columns {
	c := columns{time: timeWidth, nodes: max(len("nodes"), len(fmt.Sprintf("%d/%d", p.extent.machines, p.extent.machines)))}
	if p.extent.forecast {
		c.left = leftWidth
	}
	free := s.width - markWidth - 1 - 2 - len(phase.All) - 2 - stateColumn
	want := max(len("cluster"), p.extent.name)
	least := min(want, shortName)
	for _, column := range []*int{&c.left, &c.time, &c.nodes} {
		if free-c.taken() < least {
			*column = 0
		}
	}
	free -= c.taken()
	c.name = max(1, min(want, free))
	// A long name gives way to what a row waits for, down to a part of the room.
	if free-c.name < someReason+1 && free > 2*someReason {
		c.name = max(min(want, shortName), free-someReason-1)
	}
	if c.rest = free - c.name - 1; c.rest < 8 {
		c.rest = 0
	}
	return c
}

// taken is what the columns of figures take, each with a gap.
func (c columns) taken() int {
	n := 0
	for _, w := range []int{c.nodes, c.time, c.left} {
		if w > 0 {
			n += w + 2
		}
	}
	return n
}

// headLines are the lines above the rows: the columns' names, where there is room.
func (p *fleetPage) headLines(s *scene) int {
	if s.height < 4 {
		return 0
	}
	return 1
}

func (p *fleetPage) draw(s *scene) []string {
	if len(p.lines) == 0 {
		return p.empty
	}
	c := p.columns(s)
	var lines []string
	if p.headLines(s) > 0 {
		lines = append(lines, p.heads(s, c))
	}
	for _, l := range p.lines {
		if l.head != "" {
			lines = append(lines, s.Bold("", s.Cut(paint.Clean(l.head), s.width-8))+" "+s.Faint(paint.Count(l.count)))
			continue
		}
		lines = append(lines, p.line(s, c, l))
	}
	if len(p.detail) == 0 {
		return lines
	}
	for len(lines) < s.height-details(s) {
		lines = append(lines, "")
	}
	return append(lines, p.detail...)
}

func (p *fleetPage) heads(s *scene, c columns) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", markWidth+1) + paint.Pad(s.Cut("cluster", c.name), c.name))
	b.WriteString("  " + strings.Join(letters(), "") + "  ")
	if c.nodes > 0 {
		b.WriteString(paint.PadLeft("nodes", c.nodes) + "  ")
	}
	if c.time > 0 {
		b.WriteString(paint.PadLeft("time", c.time) + "  ")
	}
	if c.left > 0 {
		b.WriteString(paint.PadLeft("left", c.left) + "  ")
	}
	b.WriteString(paint.Pad("state", stateColumn))
	if c.rest > 0 {
		b.WriteString(" waits for")
	}
	from, to := p.window()
	more := ""
	if p.n > to-from {
		more = fmt.Sprintf("%s-%s of %s", paint.Count(from+1), paint.Count(to), paint.Count(p.n))
	}
	line := s.Faint(b.String())
	if free := s.width - ansi.StringWidth(line) - 1; more != "" && free >= ansi.StringWidth(more) {
		line += strings.Repeat(" ", free+1-ansi.StringWidth(more)) + s.Faint(more)
	}
	return line
}

func letters() []string {
	out := make([]string, len(phase.All))
	for i, id := range phase.All {
		out[i] = paint.Letter(id)
	}
	return out
}

func (p *fleetPage) line(s *scene, c columns, l fleetLine) string {
	selected := l.subject == s.subject
	mark := " "
	if selected {
		mark = s.Bold(paint.Cyan, ">")
	}
	name := paint.Pad(s.CutLeft(label(l.row.Addr), c.name), c.name)
	if selected {
		name = s.Reverse(name)
	}
	var b strings.Builder
	b.WriteString(mark + s.verb(l.row.Verb) + " " + name + "  " + s.bar(l.row) + "  ")
	if c.nodes > 0 {
		b.WriteString(paint.PadLeft(nodes(l.row), c.nodes) + "  ")
	}
	if c.time > 0 {
		b.WriteString(paint.PadLeft(times(l), c.time) + "  ")
	}
	if c.left > 0 {
		b.WriteString(paint.PadLeft(l.left.text(), c.left) + "  ")
	}
	b.WriteString(s.State(l.state, paint.Pad(s.Cut(stateOf(l.row), stateColumn), stateColumn)))
	if c.rest > 0 && l.waits != "" {
		b.WriteString(" " + s.Cut(l.waits, c.rest))
	}
	return b.String()
}

// label is how a goal is called in the fleet: a vSphere Namespace ends in a slash.
func label(a resource.Addr) string {
	if paint.IsNamespace(a) {
		return paint.NameOf(a) + "/"
	}
	return paint.NameOf(a)
}

// verb is the sign of what is done, as in plans.
func (s *scene) verb(verb string) string {
	switch verb {
	case "create":
		return s.Paint(paint.Green, "+")
	case "update":
		return s.Paint(paint.Yellow, "~")
	case "delete":
		return s.Paint(paint.Red, "-")
	}
	return s.Faint("=")
}

// bar is a cell for each phase.
func (s *scene) bar(r journal.Row) string {
	var b strings.Builder
	for i := range phase.All {
		if i >= len(r.Steps) {
			b.WriteString(" ")
			continue
		}
		b.WriteString(s.State(r.Steps[i].State, s.Glyph(r.Steps[i].State, r.Removing())))
	}
	return b.String()
}

// nodes are the machines that have joined, of those wanted; while a cluster goes,
// those that are gone.
func nodes(r journal.Row) string {
	if paint.IsNamespace(r.Addr) {
		return ""
	}
	var done, wanted int64
	for _, id := range []phase.ID{phase.Node, phase.Workers} {
		step := r.Step(id)
		done, wanted = done+step.Done, wanted+step.Wanted
	}
	if wanted == 0 {
		wanted = r.ControlPlane + r.Workers
	}
	if wanted == 0 {
		return ""
	}
	if r.State == phase.Done {
		done = wanted
	}
	return fmt.Sprintf("%d/%d", done, wanted)
}

func times(l fleetLine) string {
	if l.row.Start == phase.NotYet {
		return ""
	}
	return paint.Clock(spent(l.row, l.now))
}

// stateOf is a row's state in a word, and where it stands still, its phase.
func stateOf(r journal.Row) string {
	switch r.State {
	case phase.Blocked, phase.Failed:
		return string(r.State) + " " + string(r.Current)
	}
	if r.Verb == "none" && r.State == phase.Done {
		return "in sync"
	}
	return paint.StateWord(r)
}
