package report

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// A scale maps times onto percents of a width.
type scale struct{ total time.Duration }

// scaleOf ends as the terminal's axis does, soon after the last move, but not
// before what was forecast.
func scaleOf(rows []journal.Row, elapsed time.Duration, f *journal.Forecast) scale {
	total := paint.AxisOf(rows, elapsed, 100).Total
	if f != nil {
		for _, g := range f.Goals {
			for _, s := range g.Steps {
				total = max(total, s.EndAt(), s.StartAt())
			}
		}
	}
	return scale{max(total, time.Second)}
}

// at is the place of a time, in percent.
func (s scale) at(t time.Duration) float64 {
	return 100 * float64(min(max(t, 0), s.total)) / float64(s.total)
}

// percent is a number as an attribute of SVG has it.
func percent(n float64) string { return strconv.FormatFloat(n, 'f', 2, 64) + "%" }

// A tick is a mark of the axis.
type tick struct{ X, Label string }

// steps are the distances of ticks that people can count in.
var steps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// tickCap is how many labels fit also on a telephone.
const tickCap = 6

func (s scale) ticks() []tick {
	step := s.total
	for _, d := range steps {
		if s.total/d < tickCap {
			step = d
			break
		}
	}
	var out []tick
	for t := time.Duration(0); t <= s.total && s.at(t) < 95; t += step {
		out = append(out, tick{percent(s.at(t)), paint.Clock(t)})
	}
	return out
}

// A bar is a stretch of time in one phase.
type bar struct {
	X, W   string
	Class  string // "p3a"
	Letter string // empty where there is no room for it
	Title  string
}

const (
	thinnest = 0.3 // percent; what is shorter is drawn as long, the first time
	lettered = 1.6 // percent; what is shorter has no room for a letter
)

// bars draws where a goal was when. The first stay in a phase is drawn however
// short it was; later ones that nobody could see are left out.
func (s scale) bars(spans []phase.Span, now time.Duration) []bar {
	var out []bar
	seen := map[phase.ID]bool{}
	for _, span := range spans {
		end := until(span.End, now)
		if s.at(end)-s.at(span.Start) >= thinnest || !seen[span.ID] {
			out = append(out, s.bar(span.ID, span.Start, end))
		}
		seen[span.ID] = true
	}
	return out
}

func (s scale) bar(id phase.ID, start, end time.Duration) bar {
	x, w := s.at(start), max(thinnest, s.at(end)-s.at(start))
	b := bar{X: percent(min(x, 100-w)), W: percent(w), Class: class(id), Title: during(id, start, end)}
	if w >= lettered {
		b.Letter = paint.Letter(id)
	}
	return b
}

// class is a phase's class in the style sheet.
func class(id phase.ID) string { return "p" + string(id) }

func during(id phase.ID, start, end time.Duration) string {
	return paint.Brief(id) + " " + paint.Clock(start) + "–" + paint.Clock(end) + ", " + paint.Clock(end-start)
}

// outlines draws when a goal was forecast to come into each phase. Phases overlap,
// and there is one line for all of them: each lasts until the next one begins.
func (s scale) outlines(f *journal.GoalForecast) []bar {
	if f == nil {
		return nil
	}
	begun := slices.DeleteFunc(slices.Clone(f.Steps), func(s journal.StepForecast) bool { return s.StartAt() == phase.NotYet })
	slices.SortStableFunc(begun, func(a, b journal.StepForecast) int { return cmp.Compare(a.Start, b.Start) })
	var out []bar
	for i, step := range begun {
		end := max(f.EndAt(), step.EndAt())
		if i+1 < len(begun) {
			end = begun[i+1].StartAt()
		}
		if end > step.StartAt() {
			b := s.bar(step.ID, step.StartAt(), end)
			b.Title = "forecast: " + b.Title
			out = append(out, b)
		}
	}
	return out
}
