package dashboard

import (
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// bars are the signs that the bars of a Gantt are made of, one cell each.
type bars struct{ planned, waiting, busy, now string }

func barsOf(t paint.Theme) bars {
	if t.ASCII {
		return bars{planned: ".", waiting: "-", busy: "#", now: "|"}
	}
	return bars{planned: "·", waiting: "░", busy: "█", now: "│"}
}

// A cell is one cell of a bar.
type cell struct{ text, color string }

const faint = paint.Gray

// bar draws a row on the axis: what is expected dotted, what waits light, what goes
// on or went on solid, and at its end the sign of how it stands. It has a.Width cells.
func (r ganttRow) bar(t paint.Theme, a paint.Axis, now time.Duration) string {
	b, cells := barsOf(t), make([]cell, a.Width)
	draw := func(from, to time.Duration, text, color string) int {
		if from == phase.NotYet {
			return 0
		}
		if to == phase.NotYet {
			to = now
		}
		first, last := a.Cell(from), a.Cell(to)
		for i := first; i < max(last, first+1); i++ {
			cells[i] = cell{text, color}
		}
		return max(last, first+1)
	}
	if at := a.Cell(now); now > 0 && now < a.Total {
		cells[at] = cell{b.now, faint}
	}
	if r.state != phase.Done && r.expected[1] > now {
		from := now
		if r.start == phase.NotYet {
			from = max(now, r.expected[0])
		}
		draw(from, r.expected[1], b.planned, faint)
	}
	end := 0
	switch {
	case r.parts != nil:
		for _, p := range r.parts {
			hue := paint.Hue(p.ID)
			end = draw(p.Start, p.End, t.Fill[p.ID], hue)
			cells[a.Cell(p.Start)] = cell{paint.Letter(p.ID), hue}
		}
	case r.start != phase.NotYet:
		hue := paint.Hue(r.id)
		fill := b.busy
		if r.busy != nil {
			fill = b.waiting
		}
		end = draw(r.start, r.end, fill, hue)
		for _, s := range r.busy {
			from, to := max(s.Start, r.start), s.End
			if to == phase.NotYet || r.end != phase.NotYet && to > r.end {
				to = r.end
			}
			if to == phase.NotYet || to >= from {
				draw(from, to, b.busy, hue)
			}
		}
	}
	r.finish(t, a, now, cells, end)
	return joinCells(t, cells)
}

// finish puts the sign of a state behind a bar, or at the end of one that leaves no
// room, and the one of a bar that goes on behind the axis.
func (r ganttRow) finish(t paint.Theme, a paint.Axis, now time.Duration, cells []cell, end int) {
	color := map[phase.State]string{phase.Done: paint.Green, phase.Blocked: paint.Red, phase.Failed: paint.Red}[r.state]
	switch {
	case r.start == phase.NotYet || r.state == phase.Pending:
	case r.end == phase.NotYet && now > a.Total:
		cells[a.Width-1] = cell{t.Beyond, color}
	case r.state != phase.Running:
		cells[min(end, a.Width-1)] = cell{t.Glyph(r.state, r.removing), color}
	}
}

// joinCells is the text of cells, with as few changes of colour as there are.
func joinCells(t paint.Theme, cells []cell) string {
	var b strings.Builder
	for i := 0; i < len(cells); {
		from, text := i, ""
		for ; i < len(cells) && cells[i].color == cells[from].color; i++ {
			if cells[i].text == "" {
				text += " "
			} else {
				text += cells[i].text
			}
		}
		if cells[from].color == "" {
			b.WriteString(text)
		} else {
			b.WriteString(t.Paint(cells[from].color, text))
		}
	}
	return b.String()
}

// axisFor is long enough for what was and for what is expected. What stands still
// until somebody gives up runs out of it.
func axisFor(g gantt, width int) paint.Axis {
	a := paint.AxisOf([]journal.Row{g.row}, g.now, width)
	if g.row.State == phase.Blocked || g.row.State == phase.Failed {
		return a
	}
	if a.Total = g.now; g.row.State == phase.Done {
		a.Total = g.row.End
	}
	for _, r := range g.rows {
		a.Total = max(a.Total, r.expected[1], r.end)
	}
	return a
}
