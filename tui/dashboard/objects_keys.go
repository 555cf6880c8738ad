package dashboard

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

var objectKeys = struct{ open, right, left, all, cause, copyFix, less, more key.Binding }{
	open:    key.NewBinding(key.WithKeys("enter"), key.WithHelp("⏎", "details")),
	right:   key.NewBinding(key.WithKeys("right", "l"), key.WithHelp("→", "open")),
	left:    key.NewBinding(key.WithKeys("left", "h"), key.WithHelp("←", "close")),
	cause:   key.NewBinding(key.WithKeys("w"), key.WithHelp("w", "why")),
	copyFix: key.NewBinding(key.WithKeys("f"), key.WithHelp("f", "copy fix")),
	all:     key.NewBinding(key.WithKeys("a"), key.WithHelp("a", "all conditions")),
	less:    key.NewBinding(key.WithKeys("K"), key.WithHelp("K", "details up")),
	more:    key.NewBinding(key.WithKeys("J"), key.WithHelp("J", "details down")),
}

func (p *objectsPage) keys() []key.Binding {
	k := objectKeys
	some := len(p.thicket.rows) > 0
	for _, b := range []*key.Binding{&k.open, &k.all, &k.right, &k.left} {
		b.SetEnabled(some)
	}
	if r, _ := p.selected(); some && (p.frame.beside || r.group != nil) {
		k.open.SetHelp("⏎", "open/close")
	}
	if p.reading && !p.frame.beside {
		k.open.SetHelp("⏎", "close")
	}
	read := p.detail.n > p.detail.height
	k.more.SetEnabled(read)
	k.less.SetEnabled(read)
	k.copyFix.SetEnabled(len(p.commands) > 0)
	k.cause.SetEnabled(some && len(p.verdict.chain) > 0)
	if p.reading {
		return []key.Binding{k.open, k.more, k.less, k.all, k.copyFix, k.cause, filterKey, k.right, k.left}
	}
	return []key.Binding{k.open, k.copyFix, k.cause, filterKey, k.all, k.right, k.left, k.more, k.less}
}

func (p *objectsPage) press(s *scene, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if p.filter.press(k) {
		return nil, true
	}
	r, some := p.selected()
	switch {
	case key.Matches(k, objectKeys.all):
		p.all = !p.all
	case key.Matches(k, objectKeys.copyFix):
		return p.copyFix(), true
	case key.Matches(k, objectKeys.more):
		p.detail.to(p.detail.top + p.detail.height)
	case key.Matches(k, objectKeys.less):
		p.detail.to(p.detail.top - 1)
	case p.reading && !p.frame.beside && k.String() == "esc":
		p.reading = false
	case p.reading && p.frame.wholly && p.detail.press(k):
	case !some:
		return nil, false
	case key.Matches(k, objectKeys.cause):
		p.reveal(p.last())
	case key.Matches(k, objectKeys.open) && (r.group != nil || p.frame.beside):
		p.opened[r.key] = !r.open && r.folds
	case key.Matches(k, objectKeys.open):
		p.reading = !p.reading
	case key.Matches(k, objectKeys.right):
		p.opened[r.key] = r.folds
	case key.Matches(k, objectKeys.left):
		p.fold(r)
	case p.list.press(k):
		p.chosen = p.thicket.rows[p.cursor].key
		p.detail = list{}
	default:
		return nil, false
	}
	return nil, true
}

// fold closes a line, or goes to the one that it is below of.
func (p *objectsPage) fold(r objectRow) {
	if r.open {
		p.opened[r.key] = false
		return
	}
	for i := p.cursor - 1; i >= 0; i-- {
		if p.thicket.rows[i].depth < r.depth {
			p.chosen = p.thicket.rows[i].key
			return
		}
	}
}

// copyFix copies a command of the fix, with each press the next.
func (p *objectsPage) copyFix() tea.Cmd {
	if len(p.commands) == 0 {
		return tell("there is nothing to fix", true)
	}
	c := p.commands[p.copied%len(p.commands)]
	p.copied++
	return tea.Batch(tea.SetClipboard(c), tell("copied: "+c, false))
}

func (p *objectsPage) click(_ *scene, x, y int) {
	if i := y - p.frame.top; x < p.frame.width && i >= 0 && i < len(p.lines) {
		p.chosen = p.lines[i].key
		p.detail = list{}
	}
}

func (p *objectsPage) prompt(s *scene) (string, bool) { return p.filter.line(s.Theme) }

func (p *objectsPage) copies(*scene) (name, command string) {
	r, some := p.selected()
	if !some {
		return "", ""
	}
	name = r.Name
	if r.Namespace != "" {
		name = r.Namespace + "/" + r.Name
	}
	return paint.Clean(name), p.command(r)
}

// command is how kubectl or govc shows what a line is about.
func (p *objectsPage) command(r objectRow) string {
	in := ""
	if r.Namespace != "" {
		in = "-n " + phase.Quote(r.Namespace) + " "
	}
	kind := phase.Quote(phase.ResourceOf(r.Kind, r.APIVersion))
	switch {
	case r.Kind == journal.KindVM:
		return "govc vm.info " + phase.PathOfVM(r.Name)
	case r.group != nil && p.subject.addr.Kind == resource.KindCluster:
		return "kubectl " + in + "get " + kind + " -l cluster.x-k8s.io/cluster-name=" + phase.Quote(p.subject.addr.Name)
	case r.group != nil:
		return "kubectl " + in + "get " + kind
	}
	return "kubectl " + in + "get " + kind + " " + phase.Quote(r.Name) + " -o yaml"
}
