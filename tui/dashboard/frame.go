package dashboard

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// headLines are above the page.
const headLines = 2

// footLines are below the page: the keys, and above them where a replay is.
func (m *Model) footLines() int {
	if m.Player != nil && m.screen.height >= 6 {
		return 2
	}
	return 1
}

// layout gives the page what the head and the foot leave.
func (m *Model) layout() {
	m.width = max(1, m.screen.width)
	m.height = max(1, m.screen.height-headLines-m.footLines())
}

// draw makes the frame: as many lines as the terminal has, none wider.
func (m *Model) draw() string {
	lines := []string{m.heading(), m.tabLine()}
	page := m.pages[m.shown].draw
	if m.help.open {
		page = m.help.draw
	}
	body := page(&m.scene)
	lines = append(lines, body[:min(len(body), m.height)]...)
	for len(lines) < headLines+m.height {
		lines = append(lines, "")
	}
	if m.footLines() > 1 {
		lines = append(lines, m.playerLine(m.Player.State()))
	}
	lines = append(lines, m.foot())
	if n := max(1, m.screen.height); len(lines) > n {
		lines = append(lines[:n-1], lines[len(lines)-1])
	}
	for i, line := range lines {
		if ansi.StringWidth(line) > m.width {
			line = m.Cut(line, m.width)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// foot is the last line: what is being typed, else what was said, else what is asked,
// else keys.
func (m *Model) foot() string {
	if p, ok := m.pages[m.shown].(prompter); ok && !m.help.open {
		if line, shown := p.prompt(&m.scene); shown {
			return line
		}
	}
	if m.notice.text != "" {
		text := paint.Clean(m.notice.text)
		if m.notice.bad {
			return m.State(phase.Failed, m.Failed+" "+text)
		}
		return m.State(phase.Done, m.Done+" "+text)
	}
	if a, ok := m.pages[m.shown].(asker); ok && !m.help.open {
		if line, asks := a.asks(&m.scene); asks {
			return line
		}
	}
	return m.help.bar(&m.scene, m.pages[m.shown].keys())
}
