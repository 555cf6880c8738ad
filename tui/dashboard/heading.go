package dashboard

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

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
