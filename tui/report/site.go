package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/paint"
)

// A meterGroup is the meters of one kind.
type meterGroup struct {
	Title    string
	Forecast bool // any of them has one
	Meters   []meter
	More     int // meters that are left out
}

// A meter is a row of the use of a site.
type meter struct {
	Group, Name string
	Capacity    string
	First, Last string
	Peak        string
	Expected    string // the peak that was forecast
	// Used, PeakX and ExpectedX are percents of the capacity; empty without one.
	Used, PeakX, ExpectedX string
	Share                  string // in words
	Full                   bool   // more than nine tenths were in use, of what is not shared out twice
	Line                   string // the points of the history in a box of 64 x 20
}

// meterCap is how many meters of one kind are shown: those most in use.
const meterCap = 200

// meterGroups are the meters at the end of a run, by kind.
func meterGroups(m *journal.Meters, b *journal.Begin) []meterGroup {
	var kinds []journal.MeterKind
	by := map[journal.MeterKind][]journal.MeterState{}
	for _, s := range m.List() {
		if by[s.Kind] == nil {
			kinds = append(kinds, s.Kind)
		}
		by[s.Kind] = append(by[s.Kind], s)
	}
	var out []meterGroup
	for _, kind := range kinds {
		all := by[kind]
		g := meterGroup{Title: kindTitle(kind), Forecast: slices.ContainsFunc(all, func(s journal.MeterState) bool { return s.Forecast != nil })}
		if len(all) > meterCap {
			slices.SortStableFunc(all, func(a, b journal.MeterState) int { return cmp.Compare(most(b), most(a)) })
			all, g.More = head(all, meterCap)
			slices.SortFunc(all, func(a, b journal.MeterState) int { return journal.CompareMeters(a.Meter, b.Meter) })
		}
		for _, s := range all {
			s.History, s.HistorySpan = m.History(s.Meter)
			g.Meters = append(g.Meters, meterOf(s, firstOf(b, s.Meter)))
		}
		out = append(out, g)
	}
	return out
}

// most is the share of a meter that was in use at its peak.
func most(s journal.MeterState) float64 {
	s.Used = s.Peak
	share, _ := s.Share()
	return share
}

// firstOf is the meter as it was at the beginning; nil where it was not known then.
func firstOf(b *journal.Begin, m journal.Meter) *journal.Meter {
	for i := range b.Site {
		if b.Site[i].Same(m) {
			return &b.Site[i]
		}
	}
	return nil
}

func meterOf(s journal.MeterState, first *journal.Meter) meter {
	out := meter{
		Group: say(s.Group), Name: say(s.Name), Capacity: "no limit known",
		First: "–", Last: "–", Peak: "–", Line: line(s.History),
	}
	if s.Capacity > 0 {
		out.Capacity = amount(s.Capacity, s.Unit)
	}
	if first != nil {
		out.First = amount(first.Used, s.Unit)
	}
	if s.Told {
		out.Last = amount(s.Used, s.Unit)
	}
	if s.Told || s.Peak > 0 {
		out.Peak = amount(s.Peak, s.Unit)
		if s.Peak > s.Used {
			out.Peak += " at " + clock(max(s.PeakAt, 0))
		}
	}
	if s.Forecast != nil {
		out.Expected = amount(s.Forecast.Used, s.Unit)
	}
	if s.Capacity <= 0 {
		return out
	}
	of := func(n int64) float64 { return min(100, 100*float64(n)/float64(s.Capacity)) }
	out.Used, out.PeakX = percent(of(s.Used)), percent(of(s.Peak))
	out.Share = fmt.Sprintf("%.0f %%", 100*float64(s.Used)/float64(s.Capacity))
	out.Full = s.Used*10 > s.Capacity*9 && s.Kind != journal.HostCPU
	if s.Forecast != nil {
		out.ExpectedX = percent(of(s.Forecast.Used))
	}
	return out
}

func kindTitle(k journal.MeterKind) string {
	switch k {
	case journal.HostMemory:
		return "Memory of hosts"
	case journal.HostCPU:
		return "CPU of hosts"
	case journal.DatastoreRoom:
		return "Datastores"
	case journal.Quota:
		return "Quotas of vSphere Namespaces"
	case journal.Addresses:
		return "Addresses"
	}
	return say(string(k))
}

// amount is a number with its unit, in one that people count in.
func amount(n int64, unit string) string {
	switch {
	case unit == "MiB" && n >= 10<<20:
		return fmt.Sprintf("%.1f TiB", float64(n)/(1<<20))
	case unit == "MiB" && n >= 10<<10:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<10))
	case unit == "MHz" && n >= 10_000:
		return fmt.Sprintf("%.1f GHz", float64(n)/1000)
	}
	return say(paint.Count(int(n)) + " " + unit)
}

// The box that a history is drawn in.
const (
	lineWidth  = 64
	lineHeight = 20
)

// line are the points of a history from its least to its most; empty for one that
// stood still.
func line(history []int64) string {
	if len(history) < 2 {
		return ""
	}
	low, high := slices.Min(history), slices.Max(history)
	if low == high {
		return ""
	}
	var b strings.Builder
	for i, n := range history {
		x := float64(i) * lineWidth / float64(len(history)-1)
		y := 1 + float64(lineHeight-2)*float64(high-n)/float64(high-low)
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
	}
	return strings.TrimSpace(b.String())
}
