package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
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

// A world is what the heading says of all streams together.
type world struct {
	streams, begun          int
	simulated, live, ended  bool
	replayed, watched, asks bool
	speed                   float64
	elapsed, ends           time.Duration // ends is by the forecast; 0 without one
	revision, name          string
	totals                  journal.Totals
	findings                int
	connections             []named
}

type named struct {
	name string
	Connection
}

// survey looks at all streams, with the lock held.
func (s *scene) survey() world {
	w := world{streams: len(s.board.streams), speed: s.speed, ended: true}
	for _, stream := range s.board.streams {
		w.connections = append(w.connections, named{stream.name, stream.connection})
		w.replayed = w.replayed || stream.connection.State == Replaying
		b := stream.timeline.Begin()
		if b == nil {
			w.ended = false
			continue
		}
		w.begun++
		w.findings += s.findings[stream.name]
		w.simulated, w.live = w.simulated || b.Simulated, w.live || !b.Simulated
		w.watched, w.asks = w.watched || b.Watched, w.asks || b.Proposed
		w.ended = w.ended && stream.timeline.End() != nil
		w.elapsed = max(w.elapsed, stream.now(s.clock))
		if b.Forecast != nil {
			w.ends = max(w.ends, b.Forecast.End())
		}
		if !strings.Contains(w.name, b.World) {
			w.name = strings.TrimPrefix(w.name+", "+paint.Clean(b.World), ", ")
		}
		if b.Revision != "" && !strings.Contains(w.revision, paint.Short(b.Revision)) {
			w.revision = strings.TrimPrefix(w.revision+","+paint.Clean(paint.Short(b.Revision)), ",")
		}
		n := stream.timeline.Totals()
		w.totals.Clusters += n.Clusters
		w.totals.Available += n.Available
		w.totals.Namespaces += n.Namespaces
		w.totals.Running += n.Running
		w.totals.Stuck += n.Stuck
	}
	return w
}

// heading says which world this is, when, and how the fleet is. What does not fit
// goes from the end, and of the title its beginning.
func (m *Model) heading() string {
	w := m.help.world
	if w.begun == 0 {
		return m.Bold("", m.Title)
	}
	var parts []string
	switch {
	case w.simulated && w.live:
		parts = append(parts, m.Marker()+" + "+m.Bold("", "LIVE"))
	case w.simulated:
		parts = append(parts, m.Marker())
	default:
		parts = append(parts, m.Bold("", "LIVE"))
	}
	if w.replayed {
		parts[0] += " " + m.Bold("", "REPLAY")
	}
	n := w.totals
	if n.Stuck > 0 {
		parts = append(parts, m.State(phase.Blocked, m.Blocked+" "+paint.Count(n.Stuck)+" stuck"))
	}
	done, all, what := n.Available, n.Clusters, "clusters"
	if all == 0 {
		done, all, what = n.Running, n.Namespaces, "namespaces"
	}
	if all > 0 {
		parts = append(parts, fmt.Sprintf("%s/%s %s %s", paint.Count(done), paint.Count(all), what, m.standing(w)))
	}
	at := "t+" + paint.Clock(w.elapsed)
	if w.ends > 0 && !w.ended {
		at += " of ~" + paint.Clock(w.ends)
	}
	if w.simulated && w.speed > 0 {
		at += fmt.Sprintf(" x%g", w.speed)
	}
	parts = append(parts, at)
	if w.findings > 0 {
		parts = append(parts, m.Paint(paint.Yellow, paint.Plural(w.findings, "finding")))
	}
	if w.revision != "" {
		parts = append(parts, m.Faint("rev "+w.revision))
	}
	if w.name != "" {
		parts = append(parts, m.Faint(w.name))
	}
	line := m.fitting(parts, m.width-min(ansi.StringWidth(m.Title), shortTitle, m.width/4)-2)
	title := m.CutLeft(m.Title, m.width-ansi.StringWidth(line)-2)
	return m.Bold("", title) + "  " + line
}

// standing is what the counted clusters are, or what is going on.
func (m *Model) standing(w world) string {
	switch {
	case m.interrupted && !w.ended:
		return m.State(phase.Blocked, "interrupting")
	case w.asks:
		return "as wanted, approval awaited"
	case w.totals.Clusters == 0:
		return "RUNNING"
	}
	return "as wanted"
}

// shortTitle is how much of a title always stays.
const shortTitle = 8

// fitting joins the first parts that fit into a width.
func (s *scene) fitting(parts []string, width int) string {
	line := ""
	for i, p := range parts {
		next := p
		if i > 0 {
			next = line + "  " + p
		}
		if i > 0 && ansi.StringWidth(next) > width {
			return line
		}
		line = next
	}
	return line
}

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

// tabAt is the title of the tab at a cell of the tab line; empty is none.
func tabAt(tabs []string, x int) string {
	at := 0
	for _, t := range tabs {
		if at += ansi.StringWidth(t) + 2; x < at {
			_, title, _ := strings.Cut(t, " ")
			return title
		}
	}
	return ""
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
