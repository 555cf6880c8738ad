package dashboard

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// clusterPage is the phase timeline of one cluster: a row a phase, below that its
// machines, on one axis with what is forecast.
type clusterPage struct {
	list
	folds map[string]bool // rows that the user opened or closed, by key

	of       subject // whose rows these are
	selected string  // the key of the selected row
	moved    bool    // the user has selected it
	gantt    gantt
	counted  counted
	head     []string
	detail   []string
	empty    []string
}

// counted keeps the census of a cluster until its objects change.
type counted struct {
	subject
	objects *journal.Objects
	version uint64
	census  census
	tree    []*journal.Node
}

var clusterKeys = struct{ open, fold, unfold key.Binding }{
	open:   key.NewBinding(key.WithKeys("enter"), key.WithHelp("⏎", "objects")),
	unfold: key.NewBinding(key.WithKeys("space", "right", "l"), key.WithHelp("space", "open/close")),
	fold:   key.NewBinding(key.WithKeys("left", "h"), key.WithHelp("h", "close")),
}

func newClusterPage() *clusterPage { return &clusterPage{folds: map[string]bool{}} }

func (p *clusterPage) title() string { return "Cluster" }

func (p *clusterPage) keys() []key.Binding {
	return []key.Binding{clusterKeys.open, clusterKeys.unfold, clusterKeys.fold}
}

func (p *clusterPage) take(s *scene) {
	if p.of != s.subject {
		p.of, p.selected, p.moved, p.list, p.folds = s.subject, "", false, list{}, map[string]bool{}
	}
	p.gantt, p.head, p.detail = gantt{}, nil, nil
	stream := s.stream()
	if stream == nil {
		p.empty = s.absence()
		return
	}
	row, known := stream.timeline.Row(s.subject.addr)
	if !known {
		p.empty = []string{paint.NameOf(s.subject.addr) + " is no goal any more", "", "esc goes back"}
		return
	}
	p.empty = nil
	p.gantt = p.look(s, stream, row)
	p.head = p.heading(s, stream, row)
	p.fit(len(p.gantt.rows), s.height-len(p.head)-p.axisLines(s)-p.detailLines(s))
	p.follow()
	p.detail = p.explain(s)
}

// look makes the rows. The machines of the control plane show their stages when
// there is room for all of them.
func (p *clusterPage) look(s *scene, stream *Stream, row journal.Row) gantt {
	g := gantt{row: row, now: stream.now(s.clock), census: p.count(s.subject, stream), open: p.opened}
	if b := stream.timeline.Begin(); b != nil {
		g.forecast = b.Forecast
	}
	roomy := g
	roomy.roomy = true
	if roomy.rows = ganttRows(roomy); len(roomy.rows) <= s.height-headRoom(s)-p.axisLines(s)-p.detailLines(s) {
		return roomy
	}
	g.rows = ganttRows(g)
	return g
}

// count is the census of a cluster, made anew only after its objects changed.
func (p *clusterPage) count(of subject, stream *Stream) census {
	version := stream.objects.Version(of.addr)
	if c := &p.counted; c.subject != of || c.objects != stream.objects || c.version != version {
		*c = counted{subject: of, objects: stream.objects, version: version, tree: stream.objects.Tree(of.addr)}
		c.census = censusOf(c.tree)
	}
	return p.counted.census
}

func (p *clusterPage) opened(key string, usual bool) bool {
	if open, decided := p.folds[key]; decided {
		return open
	}
	return usual
}

// follow keeps the cursor on the row that was selected, wherever it is now; until
// then on what the cluster is doing.
func (p *clusterPage) follow() {
	if !p.moved {
		p.to(p.present())
		p.choose()
		return
	}
	for i, r := range p.gantt.rows {
		if r.key == p.selected {
			p.to(i)
			return
		}
	}
	p.to(p.cursor)
	p.choose()
}

// present is the innermost row on the critical path that is under way, and when all
// is over the last one of it; in a removal, which has no such path, the first row
// that is under way, else the last one.
func (p *clusterPage) present() int {
	at, over := -1, -1
	for i, r := range p.gantt.rows {
		under := r.start != phase.NotYet && r.state != phase.Done
		if under && (at < 0 || r.critical) {
			at = i
		}
		if r.critical {
			over = i
		}
	}
	switch {
	case at >= 0:
		return at
	case over >= 0:
		return over
	case p.gantt.row.State == phase.Done:
		return len(p.gantt.rows) - 1
	}
	return 0
}

func (p *clusterPage) choose() {
	if r := p.row(); r != nil {
		p.selected = r.key
	}
}

// row is the selected one; nil where there is none.
func (p *clusterPage) row() *ganttRow {
	if p.cursor >= len(p.gantt.rows) {
		return nil
	}
	return &p.gantt.rows[p.cursor]
}

func (p *clusterPage) press(s *scene, k tea.KeyPressMsg) (tea.Cmd, bool) {
	r := p.row()
	if r == nil {
		return nil, false
	}
	p.selected = r.key
	switch {
	case key.Matches(k, clusterKeys.open):
		s.object = r.object
		return showPage("Objects"), true
	case key.Matches(k, clusterKeys.unfold) && r.foldable:
		p.folds[r.key] = !r.open
	case key.Matches(k, clusterKeys.fold):
		p.close(r)
	case p.list.press(k):
		p.choose()
	default:
		return nil, key.Matches(k, clusterKeys.unfold)
	}
	p.moved = true
	return nil, true
}

// close closes a row, or goes to the one that it is below.
func (p *clusterPage) close(r *ganttRow) {
	if r.open {
		p.folds[r.key] = false
		return
	}
	for i := p.cursor - 1; i >= 0; i-- {
		if p.gantt.rows[i].depth < r.depth {
			p.to(i)
			p.choose()
			return
		}
	}
}

func (p *clusterPage) click(s *scene, _, y int) {
	if i := p.top + y - len(p.head) - p.axisLines(s); i >= p.top && i < len(p.gantt.rows) {
		p.to(i)
		p.choose()
		p.moved = true
	}
}

func (p *clusterPage) copies(*scene) (name, command string) {
	r := p.row()
	if r == nil || r.object == (resource.Addr{}) {
		return "", ""
	}
	a := r.object
	kind := a.Kind
	if a.Group != "" {
		kind += "." + a.Group
	}
	if paint.IsNamespace(a) {
		kind = "namespace"
	}
	if a.Namespace == "" {
		return a.Name, "kubectl get " + kind + " " + a.Name + " -o yaml"
	}
	return a.Namespace + "/" + a.Name, "kubectl -n " + a.Namespace + " get " + kind + " " + a.Name + " -o yaml"
}
