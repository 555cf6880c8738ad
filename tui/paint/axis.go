package paint

import (
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

// An Axis maps times onto cells. The last cell is that of the total.
type Axis struct {
	Total time.Duration
	Width int
}

// AxisOf is the axis for rows. What stands still until somebody gives up would
// press all that moved into a corner, so the axis ends soon after the last move
// and the bars of what stands still run out of it.
func AxisOf(rows []journal.Row, elapsed time.Duration, width int) Axis {
	var moved time.Duration
	for _, r := range rows {
		last := r.End
		if n := len(r.Spans); last == phase.NotYet && n > 0 {
			last = r.Spans[n-1].Start
		}
		moved = max(moved, last)
	}
	total := elapsed
	if moved > 0 && elapsed > moved*3/2 {
		total = moved * 5 / 4
	}
	return Axis{Total: total, Width: width}
}

// Cell is the cell of a time.
func (a Axis) Cell(t time.Duration) int {
	if a.Total <= 0 || t <= 0 {
		return 0
	}
	return min(a.Width-1, int(int64(t)*int64(a.Width-1)/int64(a.Total)))
}

// steps are the distances of ticks that people can count in.
var steps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// step is the smallest distance at which labels do not touch.
func (a Axis) step() time.Duration {
	for _, s := range steps {
		if a.Cell(s) >= len(Clock(a.Total))+3 {
			return s
		}
	}
	return max(a.Total, time.Second)
}

// Draw returns the labels and the rule of the axis, of a.Width cells each.
func (a Axis) Draw(t Theme) (labels, rule string) {
	marks := slices.Repeat([]string{t.Rule}, a.Width)
	var text strings.Builder
	for at := time.Duration(0); at <= a.Total; at += a.step() {
		cell := a.Cell(at)
		marks[cell] = t.Tick
		if label := Clock(at); cell+len(label) <= a.Width && cell >= text.Len() {
			text.WriteString(strings.Repeat(" ", cell-text.Len()))
			text.WriteString(label)
		}
	}
	return Pad(text.String(), a.Width), strings.Join(marks, "")
}

// A stretch is a run of cells of a bar.
type stretch struct {
	id       phase.ID
	from, to int // cells, to is behind the last
}

// stretches snaps spans to whole cells. The first stay in a phase gets a cell
// however short it was, so that no phase is missing from a bar; later stays that
// are shorter than a cell are left to their neighbours.
func (a Axis) stretches(spans []phase.Span, now time.Duration) []stretch {
	var out []stretch
	seen := map[phase.ID]bool{}
	next := 0
	for _, s := range spans {
		end := s.End
		if end == phase.NotYet {
			end = now
		}
		from, to := max(next, a.Cell(s.Start)), a.Cell(end)
		if !seen[s.ID] {
			to = max(to, from+1)
		}
		seen[s.ID] = true
		if to = min(to, a.Width-1); to <= from {
			continue
		}
		if n := len(out); n > 0 && out[n-1].id == s.ID && out[n-1].to == from {
			out[n-1].to = to
		} else {
			out = append(out, stretch{id: s.ID, from: from, to: to})
		}
		next = to
	}
	return out
}

// Bar draws the stretches of a row and, behind the last, the sign of how it
// stands, or that it goes on beyond the axis. Each stretch is its phase's letter and then its shade. It has a.Width cells.
func (a Axis) Bar(t Theme, p phase.Progress, now time.Duration) string {
	var b strings.Builder
	at := 0
	for _, s := range a.stretches(p.Spans, now) {
		b.WriteString(strings.Repeat(" ", s.from-at))
		b.WriteString(t.Bold(Hue(s.id), Letter(s.id)))
		b.WriteString(t.Paint(Hue(s.id), strings.Repeat(t.Fill[s.id], s.to-s.from-1)))
		at = s.to
	}
	if p.Start == phase.NotYet && p.State != phase.Done {
		return Pad(t.Faint(t.Cut("not begun", a.Width)), a.Width)
	}
	if now > a.Total && at == a.Width-1 && p.State != phase.Done {
		b.WriteString(t.State(p.State, t.Beyond))
		return b.String()
	}
	if p.State != phase.Running && p.State != phase.Pending && at < a.Width {
		b.WriteString(t.State(p.State, t.Glyph(p.State, p.Removing())))
		at++
	}
	return b.String() + strings.Repeat(" ", max(0, a.Width-at))
}
