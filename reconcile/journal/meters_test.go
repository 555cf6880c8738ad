package journal_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
)

func memory(host string, capacity, used int64) journal.Meter {
	return journal.Meter{Kind: journal.HostMemory, Group: "zone-1", Name: host, Unit: "MiB", Capacity: capacity, Used: used}
}

func begun(site []journal.Meter, peaks ...journal.Meter) journal.Event {
	b := &journal.Begin{Version: journal.Version, Site: site}
	if peaks != nil {
		b.Forecast = &journal.Forecast{Peak: peaks}
	}
	return journal.Event{Begin: b}
}

func usage(at time.Duration, meters ...journal.Meter) journal.Event {
	return journal.Event{T: at.Milliseconds(), Usage: &journal.Usage{Meters: meters}}
}

// silence is an event that says nothing of meters: time passes.
func silence(at time.Duration) journal.Event {
	return journal.Event{T: at.Milliseconds(), VM: &journal.VM{Op: "CreateVM_Task"}}
}

func TestMetersOfEvents(t *testing.T) {
	t.Parallel()
	quota := journal.Meter{Kind: journal.Quota, Group: "team-a", Name: "memory", Unit: "MiB", Capacity: 100, Used: 40}
	pool := journal.Meter{Kind: journal.Addresses, Name: "load balancer", Unit: "addresses", Capacity: 4}
	odd := journal.Meter{Kind: "gpu", Name: "a40", Used: 2}
	expected := memory("esx-2", 64, 48)
	tests := map[string]struct {
		events []journal.Event
		want   []journal.MeterState
		peaks  []journal.Meter
	}{
		"nothing": {want: []journal.MeterState{}},
		"a journal of before there were meters": {
			events: []journal.Event{begun(nil), silence(time.Minute)}, want: []journal.MeterState{},
		},
		"the beginning, by kind and name; a kind of the future last": {
			events: []journal.Event{begun([]journal.Meter{odd, pool, quota, memory("esx-2", 8, 1), memory("esx-1", 8, 2)})},
			want: []journal.MeterState{
				{Meter: memory("esx-1", 8, 2), Told: true, Peak: 2, History: []int64{2}},
				{Meter: memory("esx-2", 8, 1), Told: true, Peak: 1, History: []int64{1}},
				{Meter: quota, Told: true, Peak: 40, History: []int64{40}},
				{Meter: pool, Told: true, History: []int64{0}},
				{Meter: odd, Told: true, Peak: 2, History: []int64{2}},
			},
			peaks: []journal.Meter{memory("esx-1", 8, 2), memory("esx-2", 8, 1), quota, pool, odd},
		},
		"use rises and falls, and the peak stays": {
			events: []journal.Event{
				begun([]journal.Meter{memory("esx-1", 8, 2)}),
				usage(20*time.Second, memory("esx-1", 8, 7)), usage(50*time.Second, memory("esx-1", 16, 3)), silence(70 * time.Second),
			},
			want: []journal.MeterState{
				{Meter: memory("esx-1", 16, 3), Told: true, Peak: 7, PeakAt: 20 * time.Second, History: []int64{2, 7, 7, 7, 3}},
			},
			peaks: []journal.Meter{memory("esx-1", 16, 7)},
		},
		"a meter that comes later has no past": {
			events: []journal.Event{begun(nil), usage(31*time.Second, pool), silence(46 * time.Second)},
			want:   []journal.MeterState{{Meter: pool, Told: true, History: []int64{0, 0}}},
			peaks:  []journal.Meter{pool},
		},
		"a meter that goes is only a peak, and comes back without a past": {
			events: []journal.Event{
				begun([]journal.Meter{quota, pool}),
				usage(time.Minute, journal.Meter{Kind: quota.Kind, Group: quota.Group, Name: quota.Name},
					journal.Meter{Kind: pool.Kind, Name: pool.Name}),
				usage(2*time.Minute, pool),
			},
			want:  []journal.MeterState{{Meter: pool, Told: true, History: []int64{0}}},
			peaks: []journal.Meter{quota, pool},
		},
		"a forecast, also of what is not there yet": {
			events: []journal.Event{begun([]journal.Meter{memory("esx-1", 8, 2)}, memory("esx-1", 8, 6), expected)},
			want: []journal.MeterState{
				{Meter: memory("esx-1", 8, 2), Told: true, Peak: 2, Forecast: new(memory("esx-1", 8, 6)), History: []int64{2}},
				{Meter: memory("esx-2", 64, 0), Forecast: &expected},
			},
			peaks: []journal.Meter{memory("esx-1", 8, 2)},
		},
		"what was forecast comes": {
			events: []journal.Event{begun(nil, expected), usage(time.Second, memory("esx-2", 64, 8))},
			want: []journal.MeterState{
				{Meter: memory("esx-2", 64, 8), Told: true, Peak: 8, PeakAt: time.Second, Forecast: &expected, History: []int64{8}},
			},
			peaks: []journal.Meter{memory("esx-2", 64, 8)},
		},
		"less than nothing is nothing": {
			events: []journal.Event{begun([]journal.Meter{memory("esx-1", 8, -2), memory("esx-2", -1, -1)}, memory("esx-3", math.MinInt64, -1))},
			want:   []journal.MeterState{{Meter: memory("esx-1", 8, 0), Told: true, History: []int64{0}}},
			peaks:  []journal.Meter{memory("esx-1", 8, 0)},
		},
		"a second journal": {
			events: []journal.Event{begun([]journal.Meter{memory("esx-1", 8, 2)}, expected), silence(time.Hour), begun([]journal.Meter{pool})},
			want:   []journal.MeterState{{Meter: pool, Told: true, History: []int64{0}}},
			peaks:  []journal.Meter{pool},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := journal.NewMeters()
			for _, e := range tt.events {
				m.Apply(e)
			}
			for i, w := range tt.want {
				if w.History != nil {
					tt.want[i].HistorySpan = 15 * time.Second
				}
			}
			if diff := cmp.Diff(tt.want, m.All()); diff != "" {
				t.Errorf("meters (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.peaks, m.Peaks()); diff != "" {
				t.Errorf("peaks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMeterShare(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		capacity, used int64
		want           float64
		limited        bool
	}{
		"half":                     {8, 4, 0.5, true},
		"more than there is":       {8, 12, 1.5, true},
		"without limit":            {0, 12, 0, false},
		"less than nothing":        {-1, 12, 0, false},
		"used less than nothing":   {8, -12, 0, true},
		"as much as a number says": {math.MaxInt64, math.MaxInt64, 1, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, limited := memory("h", tt.capacity, tt.used).Share(); got != tt.want || limited != tt.limited {
				t.Errorf("got %v, %v, want %v, %v", got, limited, tt.want, tt.limited)
			}
		})
	}
}

func TestChangedMeters(t *testing.T) {
	t.Parallel()
	a, b, c := memory("a", 8, 1), memory("b", 8, 1), memory("c", 8, 1)
	more := memory("b", 8, 2)
	tests := map[string]struct{ before, after, want []journal.Meter }{
		"nothing":              {},
		"nothing changed":      {before: []journal.Meter{a, b}, after: []journal.Meter{a, b}},
		"one changed":          {before: []journal.Meter{a, b, c}, after: []journal.Meter{a, more, c}, want: []journal.Meter{more}},
		"one came":             {before: []journal.Meter{a, c}, after: []journal.Meter{a, b, c}, want: []journal.Meter{b}},
		"one went":             {before: []journal.Meter{a, b, c}, after: []journal.Meter{a, c}, want: []journal.Meter{memory("b", 0, 0)}},
		"all came":             {after: []journal.Meter{a, b}, want: []journal.Meter{a, b}},
		"all went":             {before: []journal.Meter{a, b}, want: []journal.Meter{memory("a", 0, 0), memory("b", 0, 0)}},
		"one went, one is new": {before: []journal.Meter{a}, after: []journal.Meter{b}, want: []journal.Meter{memory("a", 0, 0), b}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, journal.ChangedMeters(tt.before, tt.after)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The spans get longer, and none of what they say is lost: the highest of a pair
// stays. A month takes as much room as a minute.
func TestMeterHistoryIsBounded(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		until time.Duration
		span  time.Duration
		spans int
	}{
		"the first minutes":     {15 * time.Minute, 15 * time.Second, 61},
		"as many as there are":  {16*time.Minute - time.Millisecond, 15 * time.Second, 64},
		"the first time halved": {16 * time.Minute, 30 * time.Second, 33},
		"a day":                 {24 * time.Hour, 32 * time.Minute, 46},
		"a month":               {30 * 24 * time.Hour, 17*time.Hour + 4*time.Minute, 43},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := journal.NewMeters()
			m.Apply(begun([]journal.Meter{memory("esx-1", 100, 1)}))
			m.Apply(usage(5*time.Minute, memory("esx-1", 100, 90)))
			m.Apply(usage(5*time.Minute+time.Second, memory("esx-1", 100, 10)))
			m.Apply(silence(tt.until))
			got := m.All()[0]
			if got.HistorySpan != tt.span || len(got.History) != tt.spans {
				t.Errorf("%d spans of %v, want %d of %v", len(got.History), got.HistorySpan, tt.spans, tt.span)
			}
			peak := int(5 * time.Minute / tt.span)
			if at := slices.Index(got.History, 90); at != peak {
				t.Errorf("the peak is in span %d, want %d: %v", at, peak, got.History)
			}
			if last := got.History[len(got.History)-1]; len(got.History) > peak+1 && last != 10 {
				t.Errorf("the present is %d, want 10: %v", last, got.History)
			}
		})
	}
}

func TestMetersWhileNothingHappens(t *testing.T) {
	t.Parallel()
	m := journal.NewMeters()
	m.Apply(begun([]journal.Meter{memory("esx-1", 8, 2)}))
	m.Pass(40 * time.Second)
	m.Pass(10 * time.Second) // time does not go back
	if diff := cmp.Diff([]int64{2, 2, 2}, m.All()[0].History); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	m.Apply(usage(35*time.Second, memory("esx-1", 8, 5))) // told late
	if diff := cmp.Diff([]int64{2, 2, 5}, m.All()[0].History); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// A month of changes costs what a minute of them does.
func TestMetersDoNotGrowWithTime(t *testing.T) {
	m := journal.NewMeters()
	m.Apply(begun([]journal.Meter{memory("esx-1", 100, 1)}))
	at := time.Duration(0)
	events := []journal.Event{usage(at, memory("esx-1", 100, 5)), usage(at, memory("esx-1", 100, 6))}
	if n := testing.AllocsPerRun(1000, func() {
		for _, e := range events {
			at += 30 * time.Second
			e.T = at.Milliseconds()
			m.Apply(e)
		}
	}); n > 0 {
		t.Errorf("a change allocates %v times, want never", n)
	}
}

func FuzzMeters(f *testing.F) {
	for _, e := range []journal.Event{
		begun([]journal.Meter{memory("esx-1", 8, 2)}, memory("esx-1", 8, 4)), usage(time.Hour, memory("esx-1", 8, 3)), silence(math.MaxInt64),
		{T: math.MaxInt64, Usage: &journal.Usage{Meters: []journal.Meter{{Kind: "x", Capacity: math.MaxInt64, Used: math.MaxInt64}}}},
	} {
		text, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := journal.NewMeters()
		for text := range bytes.Lines(data) {
			var e journal.Event
			if json.Unmarshal(text, &e) != nil {
				continue
			}
			m.Apply(e)
		}
		all := m.All()
		if !slices.IsSortedFunc(all, func(a, b journal.MeterState) int { return journal.CompareMeters(a.Meter, b.Meter) }) {
			t.Errorf("not in order: %+v", all)
		}
		for _, s := range all {
			share, limited := s.Share()
			switch {
			case s.Used < 0 || s.Capacity < 0 || s.Used > s.Peak || s.PeakAt < 0:
				t.Errorf("not sane: %+v", s)
			case limited && (share < 0 || math.IsNaN(share)):
				t.Errorf("share %v of %+v", share, s)
			case s.Told && (len(s.History) == 0 || len(s.History) > journal.HistoryCap || s.HistorySpan <= 0):
				t.Errorf("history of %d spans of %v", len(s.History), s.HistorySpan)
			case s.Told && slices.Max(s.History) > s.Peak:
				t.Errorf("history %v above the peak %d", s.History, s.Peak)
			}
		}
		m.Peaks()
	})
}

func BenchmarkMetersApply(b *testing.B) {
	m := journal.NewMeters()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Apply(usage(time.Duration(i)*30*time.Second, memory("esx-1", 100, int64(i%100))))
	}
}
