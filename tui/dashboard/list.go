package dashboard

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// A list is the cursor and the window of what scrolls: n lines, of which height
// are seen.
type list struct {
	cursor, top int
	n, height   int
}

// fit takes in how many lines there are and how many are seen.
func (l *list) fit(n, height int) {
	l.n, l.height = n, max(1, height)
	l.to(l.cursor)
}

// to moves the cursor, and the window so that the cursor is seen.
func (l *list) to(line int) {
	l.cursor = max(0, min(line, l.n-1))
	l.top = max(0, min(l.top, l.n-l.height, l.cursor))
	l.top = max(l.top, l.cursor-l.height+1)
}

// window is the range of lines that are seen.
func (l *list) window() (from, to int) { return l.top, min(l.n, l.top+l.height) }

// moves are the keys that a list understands.
var moves = struct{ up, down, pageUp, pageDown, halfUp, halfDown, home, end key.Binding }{
	up:       key.NewBinding(key.WithKeys("up", "k"), key.WithHelp("↑/k", "up")),
	down:     key.NewBinding(key.WithKeys("down", "j"), key.WithHelp("↓/j", "down")),
	pageUp:   key.NewBinding(key.WithKeys("pgup", "ctrl+b"), key.WithHelp("pgup", "page up")),
	pageDown: key.NewBinding(key.WithKeys("pgdown", "ctrl+f"), key.WithHelp("pgdn", "page down")),
	halfUp:   key.NewBinding(key.WithKeys("ctrl+u")),
	halfDown: key.NewBinding(key.WithKeys("ctrl+d")),
	home:     key.NewBinding(key.WithKeys("home", "g"), key.WithHelp("g", "first")),
	end:      key.NewBinding(key.WithKeys("end", "G"), key.WithHelp("G", "last")),
}

// press moves the cursor; false is no key of a list.
func (l *list) press(k tea.KeyPressMsg) bool {
	switch {
	case key.Matches(k, moves.up):
		l.to(l.cursor - 1)
	case key.Matches(k, moves.down):
		l.to(l.cursor + 1)
	case key.Matches(k, moves.pageUp):
		l.to(l.cursor - l.height)
	case key.Matches(k, moves.pageDown):
		l.to(l.cursor + l.height)
	case key.Matches(k, moves.halfUp):
		l.to(l.cursor - l.height/2)
	case key.Matches(k, moves.halfDown):
		l.to(l.cursor + l.height/2)
	case key.Matches(k, moves.home):
		l.to(0)
	case key.Matches(k, moves.end):
		l.to(l.n - 1)
	default:
		return false
	}
	return true
}
