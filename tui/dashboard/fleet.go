package dashboard

import (
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// fleetPage has a row for every cluster and vSphere Namespace.
type fleetPage struct {
	list
	filter   filter
	order    fleetOrder
	group    fleetGroup
	reverse  bool
	problems bool // only those that are not well

	entries  []entry // of the last look
	spare    []entry // room for sorting
	extent   extent
	total    int         // goals before any filter
	measured int         // what extent and total are of
	lines    []fleetLine // of the window
	detail   []string    // of the selected row
	chosen   bool        // the user has chosen the row
	empty    []string    // what is said in the place of rows
}

// A fleetLine is one line: a goal, or the head of a group.
type fleetLine struct {
	subject
	head  string // of a group; empty for a goal
	state phase.State
	count int // of a head: the goals below it
	row   journal.Row
	now   time.Duration
	left  estimate
	waits string
}

var fleetKeys = struct{ open, order, reverse, group, problems key.Binding }{
	open:     key.NewBinding(key.WithKeys("enter", "right", "l"), key.WithHelp("⏎", "open")),
	order:    key.NewBinding(key.WithKeys("s"), key.WithHelp("s", "sort")),
	reverse:  key.NewBinding(key.WithKeys("S"), key.WithHelp("S", "reverse")),
	group:    key.NewBinding(key.WithKeys("b"), key.WithHelp("b", "group")),
	problems: key.NewBinding(key.WithKeys("!"), key.WithHelp("!", "problems")),
}

func newFleetPage() *fleetPage { return &fleetPage{} }

func (p *fleetPage) title() string { return "Fleet" }

func (p *fleetPage) keys() []key.Binding {
	k := fleetKeys
	return []key.Binding{k.open, filterKey, k.problems, k.order, k.group, k.reverse}
}

func (p *fleetPage) take(s *scene) {
	p.look(s)
	p.fit(len(p.entries), s.height-p.headLines(s)-details(s))
	p.follow(s)
	p.detail = p.explain(s)
	p.lines = p.lines[:0]
	from, to := p.window()
	for _, e := range p.entries[from:to] {
		p.lines = append(p.lines, e.line(s))
	}
	p.empty = p.nothing(s, len(p.entries))
}

// follow keeps the cursor on the goal that was chosen, wherever it is now. Without
// one the first is selected, which is what needs to be seen most; when it is gone,
// what is under the cursor.
func (p *fleetPage) follow(s *scene) {
	if !p.chosen {
		p.choose(s, 0, 1)
		return
	}
	if at := slices.IndexFunc(p.entries, func(e entry) bool { return e.is(s.subject) }); at >= 0 {
		p.to(at)
		return
	}
	s.subject = subject{}
	p.choose(s, p.cursor, 1)
}

// choose selects the first goal from a line on, in steps down or up, else in the
// other direction.
func (p *fleetPage) choose(s *scene, from, step int) {
	for _, step := range []int{step, -step} {
		for at := from; at >= 0 && at < len(p.entries); at += step {
			if e := p.entries[at]; e.head == "" {
				s.subject = subject{e.stream.name, e.goal.Addr}
				p.to(max(0, at-1)) // so that a head above it is seen too
				p.to(at)
				return
			}
		}
	}
}

func (p *fleetPage) press(s *scene, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if p.filter.press(k) {
		return nil, true
	}
	switch {
	case key.Matches(k, fleetKeys.open):
		p.chosen = true
		return showPage("Cluster"), s.subject.addr.Name != ""
	case key.Matches(k, fleetKeys.order):
		p.order = (p.order + 1) % orders
		return tell("sorted by "+p.order.String(), false), true
	case key.Matches(k, fleetKeys.reverse):
		p.reverse = !p.reverse
	case key.Matches(k, fleetKeys.group):
		p.group = (p.group + 1) % groups
		return tell("grouped by "+p.group.String(), false), true
	case key.Matches(k, fleetKeys.problems):
		p.problems = !p.problems
	default:
		return p.move(s, k)
	}
	return nil, true
}

// move moves the cursor and selects what is there; heads of groups are passed over.
func (p *fleetPage) move(s *scene, k tea.KeyPressMsg) (tea.Cmd, bool) {
	before := p.cursor
	if !p.list.press(k) {
		return nil, false
	}
	step := 1
	if p.cursor < before {
		step = -1
	}
	p.chosen = true
	p.choose(s, p.cursor, step)
	return nil, true
}

func (p *fleetPage) click(s *scene, _, y int) {
	if i := y - p.headLines(s); i >= 0 && i < len(p.lines) && p.lines[i].head == "" {
		s.subject, p.chosen = p.lines[i].subject, true
	}
}

func (p *fleetPage) prompt(s *scene) (string, bool) { return p.filter.line(s.Theme) }

func (p *fleetPage) copies(s *scene) (name, command string) {
	a := s.subject.addr
	switch {
	case a.Name == "":
		return "", ""
	case paint.IsNamespace(a):
		return a.Name, "kubectl get namespace " + a.Name + " -o yaml"
	}
	return a.Namespace + "/" + a.Name, "kubectl -n " + a.Namespace + " get clusters.cluster.x-k8s.io " + a.Name + " -o yaml"
}

// nothing says why there is no row.
func (p *fleetPage) nothing(s *scene, n int) []string {
	switch {
	case n > 0:
		return nil
	case p.total > 0 && p.problems && len(p.filter.words()) == 0:
		return []string{s.State(phase.Done, s.Done+" nothing is wrong"), "", "! shows all " + paint.Plural(p.total, "row") + " again"}
	case p.total > 0:
		return []string{"no row has " + strings.Join(p.filter.words(), " and "), "", "esc takes the filter away"}
	}
	return s.absence()
}

// absence says why no journal has begun, or why the one that has is empty.
func (s *scene) absence() []string {
	if len(s.board.streams) == 0 {
		return []string{"nothing to show yet"}
	}
	var out []string
	for _, stream := range s.board.streams {
		c := stream.connection
		name := ""
		if len(s.board.streams) > 1 {
			name = stream.name + ": "
		}
		begun := stream.timeline.Begin() != nil
		switch {
		case c.State == Lost:
			out = append(out, s.State(phase.Failed, s.Failed+" "+name+"lost: "+paint.Clean(c.Detail)))
		case c.State == Ended && !begun:
			out = append(out, name+"it ended before anything began")
		case begun:
			out = append(out, name+"there is no cluster and no vSphere Namespace in it")
		case c.State == Connecting:
			out = append(out, strings.TrimSpace(name+"connecting "+paint.Clean(c.Detail)))
		default:
			out = append(out, name+"connected; no run has begun yet")
		}
	}
	return out
}
