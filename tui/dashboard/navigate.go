package dashboard

import (
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// press handles a key, and has the page look anew: it may show something else now.
func (m *Model) press(k tea.KeyPressMsg) tea.Cmd {
	m.touched, m.notice, m.stale = true, notice{}, true
	cmd := m.route(k)
	m.take()
	return cmd
}

// route hands a key to the first that knows it.
func (m *Model) route(k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "ctrl+c" {
		return m.interrupt()
	}
	if m.help.open {
		m.help.press(k)
		return nil
	}
	if m.Player != nil && !m.typing() && m.play(k) {
		return nil
	}
	if cmd, mine := m.pages[m.shown].press(&m.scene, k); mine {
		return cmd
	}
	e := everywhere
	switch {
	case key.Matches(k, e.pages):
		if at := int(k.String()[0] - '1'); at < len(m.pages) { // the code of a key on the pad is another one
			m.visit(m.pages[at].title())
		}
	case key.Matches(k, e.next):
		m.visit(m.pages[(m.shown+1)%len(m.pages)].title())
	case key.Matches(k, e.previous):
		m.visit(m.pages[(m.shown+len(m.pages)-1)%len(m.pages)].title())
	case key.Matches(k, e.back):
		m.back()
	case key.Matches(k, e.help):
		m.help.open = true
	case key.Matches(k, e.copyName), key.Matches(k, e.copyCommand):
		return m.copy(key.Matches(k, e.copyCommand))
	case key.Matches(k, e.export):
		return m.export()
	case key.Matches(k, e.mouse):
		m.mouse = !m.mouse
		return tell(map[bool]string{true: "mouse on: select text with shift held", false: "mouse off"}[m.mouse], false)
	case key.Matches(k, e.suspend):
		return tea.Suspend
	case key.Matches(k, e.quit):
		return tea.Quit
	}
	return nil
}

// interrupt asks for the end of the run; a second time it gives the terminal back
// without waiting for that.
func (m *Model) interrupt() tea.Cmd {
	if m.interrupted || m.over || m.Interrupt == nil {
		return tea.Quit
	}
	m.interrupted = true
	return func() tea.Msg { m.Interrupt(); return nil }
}

func (m *Model) visit(title string) {
	at := slices.IndexFunc(m.pages, func(p page) bool { return p.title() == title })
	if at < 0 || at == m.shown {
		return
	}
	m.visited = append(m.visited, m.shown)
	if len(m.visited) > 16 { // who goes round in circles does not go back all of them
		m.visited = m.visited[1:]
	}
	m.shown = at
	m.take()
}

func (m *Model) back() {
	if n := len(m.visited); n > 0 {
		m.shown, m.visited = m.visited[n-1], m.visited[:n-1]
	}
}

// copy puts what is selected on the terminal's clipboard, and shows it for terminals
// that let nobody do so.
func (m *Model) copy(command bool) tea.Cmd {
	name, text := m.pages[m.shown].copies(&m.scene)
	if !command {
		text = name
	}
	if text == "" {
		return tell("nothing is selected to copy", true)
	}
	return tea.Batch(tea.SetClipboard(text), tell("copied: "+text, false))
}
