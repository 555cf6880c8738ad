package dashboard

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// objectsPage has what the selected cluster consists of: the tree of its objects, all
// of one of them, and on top why the cluster waits and what to do about it.
type objectsPage struct {
	list
	filter  filter
	opened  map[string]bool
	chosen  string // key of the line the cursor is on
	all     bool   // conditions that only repeat others too
	reading bool   // the details show where there is no room for both
	detail  list
	copied  int // of the commands of the fix

	// What was taken.
	subject  subject
	objects  *journal.Objects
	version  uint64
	verdict  verdict
	branches []*branch
	history  []journal.Moment
	thicket  thicket
	now      time.Duration
	frame    objectsFrame
	lines    []objectRow // of the window
	cause    []string
	commands []string
	about    []string // the lines of the details
	empty    []string
}

func newObjectsPage() *objectsPage { return &objectsPage{opened: map[string]bool{}} }

func (p *objectsPage) title() string { return "Objects" }

// take looks at the objects of the subject. The tree is judged again only when
// something happened to it.
func (p *objectsPage) take(s *scene) {
	stream := s.stream()
	if stream == nil || s.subject.addr.Name == "" {
		p.forget(s.subject)
		p.empty = s.absence()
		return
	}
	if p.subject != s.subject {
		p.forget(s.subject)
	}
	p.now = stream.now(s.clock)
	p.look(stream, s.subject.addr)
	p.choose(s)
	p.thicket = thicket{opened: p.opened, filter: p.filter.words()}
	p.thicket.lay(p.branches, 0, "")
	p.empty = p.nothing(stream, s.subject.addr)
	p.explain(s)
	p.arrange(s)
	p.follow()
	from, to := p.window()
	p.lines = p.thicket.rows[from:to]
	p.describe(s)
}

// forget begins with another subject.
func (p *objectsPage) forget(to subject) {
	clear(p.opened)
	*p = objectsPage{opened: p.opened, all: p.all, subject: to}
}

// look judges the tree, if anything is new.
func (p *objectsPage) look(stream *Stream, a resource.Addr) {
	was, version := p.verdict.row, stream.objects.Version(a)
	p.verdict.row, p.verdict.known = stream.timeline.Row(a)
	now := p.verdict.row
	if p.objects == stream.objects && p.version == version && now.State == was.State && now.Blocked == was.Blocked && now.Refused == was.Refused && now.Delayed == was.Delayed {
		return
	}
	p.objects, p.version = stream.objects, version
	p.verdict.chain = stream.timeline.Why(a)
	p.branches = branches(stream.objects.Tree(a), p.verdict)
	p.history = stream.objects.History(a)
}

// choose finds what is to be selected at first, or what another page asked for: the
// cause of what is wrong, else the Cluster.
func (p *objectsPage) choose(s *scene) {
	switch {
	case s.object != resource.Addr{}:
		p.reveal(s.object.Kind, s.object.Name)
		s.object = resource.Addr{}
	case p.chosen == "" && p.verdict.stuck():
		p.reveal(p.last())
	}
}

// last is the deepest object of the causal chain that there is.
func (p *objectsPage) last() (kind, name string) {
	for _, l := range slices.Backward(p.verdict.chain) {
		if find(p.branches, l.Kind, l.Name) != nil {
			return l.Kind, l.Name
		}
	}
	return "", ""
}

// reveal selects an object and opens all above it.
func (p *objectsPage) reveal(kind, name string) {
	b := find(p.branches, kind, name)
	if b == nil {
		return
	}
	p.chosen = b.key()
	p.filter = filter{}
	for up := b.parent; up != nil; up = up.parent {
		p.opened[up.key()] = true
		p.openGroup(up)
	}
	p.openGroup(b)
}

// openGroup opens the group that an object is in, if it is in one.
func (p *objectsPage) openGroup(b *branch) {
	if b.parent != nil {
		p.opened[b.parent.key()+"\x00"+b.kindred()] = true
	}
}

func find(branches []*branch, kind, name string) *branch {
	for _, b := range branches {
		if b.Kind == kind && b.Name == name {
			return b
		}
		if found := find(b.kids, kind, name); found != nil {
			return found
		}
	}
	return nil
}

// follow keeps the cursor on the line that was chosen, wherever it is now.
func (p *objectsPage) follow() {
	rows := p.thicket.rows
	p.fit(len(rows), p.frame.tree)
	if i := slices.IndexFunc(rows, func(r objectRow) bool { return r.key == p.chosen }); i >= 0 {
		p.to(i)
	} else if len(rows) > 0 {
		p.chosen = rows[p.cursor].key
	}
}

// selected is the line under the cursor; false when there is none.
func (p *objectsPage) selected() (objectRow, bool) {
	if p.cursor >= len(p.thicket.rows) {
		return objectRow{}, false
	}
	return p.thicket.rows[p.cursor], true
}

// nothing says why there is no line.
func (p *objectsPage) nothing(stream *Stream, a resource.Addr) []string {
	if len(p.thicket.rows) > 0 {
		return nil
	}
	name, b := paint.NameOf(a), stream.timeline.Begin()
	switch row := p.verdict.row; {
	case len(p.branches) > 0:
		return []string{"no object is called so", "", "esc takes the filter away"}
	case b != nil && b.Proposed:
		return []string{"nothing of " + name + " has been made", "", "the plan waits for approval; its page shows what would change"}
	case row.Verb == "none":
		return []string{"nothing has been heard of " + name, "", "nothing is to change; only what changes is told of"}
	case row.Verb == "delete" && row.State == phase.Done:
		return []string{name + " is gone"}
	case row.Verb == "create":
		return []string{"nothing of " + name + " has been made yet"}
	}
	return []string{"nothing has been heard of " + name + " yet"}
}
