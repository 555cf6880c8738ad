package dashboard

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// help lists the keys: the most needed at the bottom of the screen, all of them in
// the place of the page. It also holds what the heading shows.
type help struct {
	open bool
	list
	world world
	rows  []string
}

func (h *help) take(s *scene, m *Model) {
	h.world = s.survey()
	if !h.open {
		return
	}
	h.rows = nil
	h.section(s, m.pages[m.shown].title(), m.pages[m.shown].keys())
	if m.Player != nil {
		h.section(s, "Replay", players())
	}
	h.section(s, "Moving", moving())
	h.section(s, "Everywhere", global())
	h.rows = append(h.rows, "", s.Bold("", "Signs"))
	h.rows = append(h.rows, s.signs()...)
	h.fit(len(h.rows), s.height)
}

// section adds a group of keys under a title.
func (h *help) section(s *scene, title string, keys []key.Binding) {
	if len(h.rows) > 0 {
		h.rows = append(h.rows, "")
	}
	h.rows = append(h.rows, s.Bold("", title))
	for _, k := range keys {
		if k.Enabled() && k.Help().Key != "" {
			h.rows = append(h.rows, "  "+s.Paint(paint.Cyan, paint.Pad(s.sign(k), 12))+k.Help().Desc)
		}
	}
}

// signs explain what rows are made of.
func (s *scene) signs() []string {
	var out []string
	for _, state := range []phase.State{phase.Done, phase.Running, phase.Pending, phase.Blocked, phase.Failed} {
		word := map[phase.State]string{phase.Pending: "not begun", phase.Blocked: "blocked: it stands still"}[state]
		out = append(out, "  "+s.State(state, paint.Pad(s.Glyph(state, false), 12))+cmp.Or(word, string(state)))
	}
	out = append(out, "  "+s.State(phase.Done, paint.Pad(s.Gone, 12))+"gone, of what is deleted")
	for _, id := range phase.All {
		out = append(out, "  "+paint.Pad(paint.Letter(id), 12)+"phase "+string(id)+": "+id.Title())
	}
	return append(out, "  "+paint.Pad("+ ~ - =", 12)+"created, updated, deleted, as it was", "  "+paint.Pad("~3:10", 12)+"an estimate, by the forecast")
}

// sign is how a key is called, in ASCII where that is asked for.
func (s *scene) sign(k key.Binding) string {
	if !s.ASCII {
		return k.Help().Key
	}
	return strings.NewReplacer("↑", "up", "↓", "down", "←", "left", "→", "right", "⏎", "enter").Replace(k.Help().Key)
}

func (h *help) press(k tea.KeyPressMsg) {
	if !h.list.press(k) {
		h.open = false
	}
}

// draw fills the place of the page, in columns where there is room.
func (h *help) draw(s *scene) []string {
	from, to := h.window()
	// The window moves by its top: there is nothing to select.
	if to < h.n && h.cursor > from {
		from = min(h.cursor, h.n-s.height)
		to = min(h.n, from+s.height)
	}
	return h.rows[from:to]
}

// bar is the line of keys at the bottom: as many as fit, and always how to see all.
func (h *help) bar(s *scene, own []key.Binding) string {
	if h.open {
		return s.Faint("any key closes this list")
	}
	keep := []key.Binding{everywhere.pages, everywhere.help, everywhere.quit}
	last := s.items(keep)
	free := s.width - ansi.StringWidth(strings.Join(last, "  ")) - 2
	shown := s.items(slices.DeleteFunc(slices.Clone(own), func(k key.Binding) bool { return !k.Enabled() || k.Help().Key == "" }))
	var bar []string
	for _, item := range shown {
		w := ansi.StringWidth(item) + 2
		if free < w {
			break
		}
		bar, free = append(bar, item), free-w
	}
	return strings.Join(append(bar, last...), "  ")
}

func (s *scene) items(keys []key.Binding) []string {
	var out []string
	for _, k := range keys {
		out = append(out, s.Paint(paint.Cyan, s.sign(k))+" "+s.Faint(k.Help().Desc))
	}
	return out
}
