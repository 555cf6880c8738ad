package dashboard

import (
	"math"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/paint"
)

// gauges are what bars and sparklines are made of. All are one cell wide.
type gauges struct {
	full, half, room string // of a bar: in use, half a cell of it, free
	peak, forecast   string // marks on it
	levels           []string
}

func (s *scene) gauges() gauges {
	if s.ASCII {
		return gauges{full: "#", half: "#", room: ".", peak: "|", forecast: ">", levels: strings.Split("_.:-=+*#", "")}
	}
	return gauges{full: "█", half: "▌", room: "░", peak: "┃", forecast: "◆", levels: strings.Split("▁▂▃▄▅▆▇█", "")}
}

// tint is the colour of a level.
func tint(l journal.Level) string {
	switch l {
	case journal.Tight:
		return paint.Yellow
	case journal.Full:
		return paint.Red
	}
	return paint.Green
}

// gauge is the bar of a meter: what is in use, the most so far, and the forecast's
// peak. Without a limit there is none.
func (s *scene) gauge(e meterEntry, width int) string {
	fill, limited := e.Fill()
	if !limited || width < 1 {
		return strings.Repeat(" ", max(0, width))
	}
	g := s.gauges()
	cells := make([]gaugeCell, width)
	halves := halvesOf(fill, width)
	for i := range cells {
		switch {
		case 2*i+1 < halves:
			cells[i] = gaugeCell{g.full, tint(e.level), false}
		case 2*i < halves:
			cells[i] = gaugeCell{g.half, tint(e.level), false}
		default:
			cells[i] = gaugeCell{g.room, paint.Gray, false}
		}
	}
	mark := func(m journal.Meter, used int64, glyph string, color string) {
		m.Used = used
		share, _ := m.Fill()
		at := (halvesOf(share, width)+1)/2 - 1
		if at >= 0 {
			cells[at] = gaugeCell{glyph, color, true}
		}
	}
	if e.Peak > e.Used && (halvesOf(fill, width)+1)/2 < width {
		mark(e.Meter, e.Peak, g.peak, "")
	}
	if f := e.Forecast; f != nil {
		mark(*f, f.Used, g.forecast, tint(f.Level()))
	}
	return s.inked(cells)
}

type gaugeCell struct {
	glyph, color string
	bold         bool
}

// inked paints cells that look alike at once.
func (s *scene) inked(cells []gaugeCell) string {
	var b strings.Builder
	for len(cells) > 0 {
		n := 1
		for n < len(cells) && cells[n] == cells[0] {
			n++
		}
		ink := s.Paint
		if cells[0].bold {
			ink = s.Bold
		}
		b.WriteString(ink(cells[0].color, strings.Repeat(cells[0].glyph, n)))
		cells = cells[n:]
	}
	return b.String()
}

// halvesOf is how many half cells a share fills: at least one of what is more than
// nothing, and all only of what is all.
func halvesOf(share float64, width int) int {
	all := 2 * width
	switch {
	case !(share > 0):
		return 0
	case share >= 1:
		return all
	}
	return max(1, min(all-1, int(math.Round(share*float64(all)))))
}

// spark draws a history, the present at the right end: each cell the most of its
// time, by the most there was. It has width cells.
func (s *scene) spark(history []int64, width int) string {
	if width < 1 || len(history) == 0 {
		return strings.Repeat(" ", max(0, width))
	}
	var most int64
	for _, v := range history {
		most = max(most, v)
	}
	levels := s.gauges().levels
	var b strings.Builder
	n := min(width, len(history))
	for i := range n {
		from, to := i*len(history)/n, (i+1)*len(history)/n
		var v int64
		for _, one := range history[from:to] {
			v = max(v, one)
		}
		level := 0
		if most > 0 && v > 0 {
			level = 1 + int(float64(v)/float64(most)*float64(len(levels)-2)+0.5)
		}
		b.WriteString(levels[min(level, len(levels)-1)])
	}
	return strings.Repeat(" ", width-n) + b.String()
}
