package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// tabs are the pages by number, and which is shown.
func (m *Model) tabs() []string {
	var tabs []string
	for i, p := range m.pages {
		tab := fmt.Sprintf("%d %s", i+1, p.title())
		if m.width < 60 && i != m.shown {
			tab = fmt.Sprint(i + 1)
		}
		tabs = append(tabs, tab)
	}
	return tabs
}

// tabLine shows the pages, then how the sources are, or what is selected.
func (m *Model) tabLine() string {
	tabs := m.tabs()
	for i, t := range tabs {
		if i == m.shown {
			tabs[i] = "[" + m.Bold(paint.Cyan, t) + "]"
		} else {
			tabs[i] = " " + m.Faint(t) + " "
		}
	}
	line := strings.Join(tabs, "")
	rest := m.link()
	if rest == "" && m.subject.addr.Name != "" && m.shown != 0 {
		rest = paint.NameOf(m.subject.addr)
	}
	free := m.width - ansi.StringWidth(line) - 1
	if rest == "" || free < 8 {
		return line
	}
	rest = m.Cut(rest, free)
	return line + strings.Repeat(" ", max(1, free+1-ansi.StringWidth(rest))) + rest
}

// tabAt is the number of the tab at a cell of the tab line; -1 is none.
func tabAt(tabs []string, x int) int {
	at := 0
	for i, t := range tabs {
		if at += ansi.StringWidth(t) + 2; x < at {
			return i
		}
	}
	return -1
}

// link says which source is not as it should be.
func (m *Model) link() string {
	all := m.help.world.connections
	if len(all) == 0 && m.Origin != "" {
		return m.Paint(paint.Yellow, m.Running+" connecting to "+paint.Clean(m.Origin))
	}
	i := slices.IndexFunc(all, func(n named) bool { return n.State == Lost })
	if i < 0 {
		i = slices.IndexFunc(all, func(n named) bool { return n.State == Connecting && n.Detail != "" })
	}
	if i < 0 {
		return ""
	}
	name := ""
	if len(all) > 1 {
		name = all[i].name + ": "
	}
	text := paint.Clean(name + all[i].Detail)
	if all[i].State == Lost {
		return m.State(phase.Failed, m.Failed+" lost "+text)
	}
	return m.Paint(paint.Yellow, m.Running+" connecting "+text)
}
