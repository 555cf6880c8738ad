package dashboard

import tea "charm.land/bubbletea/v2"

// point follows the mouse: the wheel moves, a click selects.
func (m *Model) point(msg tea.MouseMsg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		k := tea.KeyPressMsg{Code: tea.KeyDown}
		if msg.Button == tea.MouseWheelUp {
			k.Code = tea.KeyUp
		}
		return m.press(k)
	case tea.MouseClickMsg:
		if msg.Y == 1 {
			if at := tabAt(m.tabs(), msg.X); at >= 0 {
				m.visit(m.pages[at].title())
			}
			return nil
		}
		if p, ok := m.pages[m.shown].(clicker); ok && !m.help.open {
			p.click(&m.scene, msg.X, msg.Y-headLines)
			m.touched = true
			m.take()
		}
	}
	return nil
}
