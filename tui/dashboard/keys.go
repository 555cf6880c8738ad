package dashboard

import "charm.land/bubbles/v2/key"

// everywhere are the keys that work on every page.
var everywhere = struct {
	pages, next, previous, back, help, copyName, copyCommand, export, mouse, suspend, quit key.Binding
}{
	pages:       key.NewBinding(key.WithKeys("1", "2", "3", "4", "5"), key.WithHelp("1-5", "pages")),
	next:        key.NewBinding(key.WithKeys("tab"), key.WithHelp("tab", "next page")),
	previous:    key.NewBinding(key.WithKeys("shift+tab"), key.WithHelp("shift+tab", "previous page")),
	back:        key.NewBinding(key.WithKeys("esc", "backspace"), key.WithHelp("esc", "back")),
	help:        key.NewBinding(key.WithKeys("?"), key.WithHelp("?", "all keys")),
	copyName:    key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "copy name")),
	copyCommand: key.NewBinding(key.WithKeys("Y"), key.WithHelp("Y", "copy command")),
	export:      key.NewBinding(key.WithKeys("e"), key.WithHelp("e", "export this page")),
	mouse:       key.NewBinding(key.WithKeys("m"), key.WithHelp("m", "mouse on/off")),
	suspend:     key.NewBinding(key.WithKeys("ctrl+z"), key.WithHelp("ctrl+z", "suspend")),
	quit:        key.NewBinding(key.WithKeys("q"), key.WithHelp("q", "quit")),
}

// global are those of everywhere, in the order in which they are listed.
func global() []key.Binding {
	e := everywhere
	return []key.Binding{e.pages, e.next, e.previous, e.back, e.copyName, e.copyCommand, e.export, e.mouse, e.suspend, e.help, e.quit}
}

// moving are the keys of lists, as they are listed.
func moving() []key.Binding {
	return []key.Binding{moves.up, moves.down, moves.pageUp, moves.pageDown, moves.home, moves.end}
}
