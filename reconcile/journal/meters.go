package journal

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Meters is the state of a site's meters reduced from a journal: what is in use
// now, the most so far, what a forecast expects, and how it came to that. What it
// keeps grows with the number of meters only, never with time. It is not safe for
// concurrent use.
type Meters struct {
	elapsed int64 // of the last event, in ms
	states  map[meterKey]*meterState
	version uint64
	// order are the states sorted; nil after a meter came.
	order []*meterState
}

// MeterState is how a meter stands.
type MeterState struct {
	// Meter is as it is now. Of one that only the forecast knows it has the
	// forecast's Capacity, and nothing in use.
	Meter
	// Told says that the journal itself has the meter, not only its forecast.
	Told bool
	// Peak is the most that was in use since the start of the run, and PeakAt when
	// it was that for the first time.
	Peak   int64
	PeakAt time.Duration
	// Forecast is how the forecast saw the meter at its peak; nil without one.
	Forecast *Meter
	// History is the most that was in use in each span of HistorySpan, one after
	// the other; the last one is the present. At most HistoryCap of them: the spans
	// get longer as time goes on. It begins when the meter did, and is nil for one
	// that only the forecast knows.
	History     []int64
	HistorySpan time.Duration
}

// NewMeters is the state before the first event.
func NewMeters() *Meters { return &Meters{states: map[meterKey]*meterState{}} }

// meterKey names a meter.
type meterKey struct {
	kind        MeterKind
	group, name string
}

func (m Meter) key() meterKey { return meterKey{m.Kind, m.Group, m.Name} }

// Same says whether two meters are the same one, at whatever time.
func (m Meter) Same(o Meter) bool { return m.key() == o.key() }

// Gone says that there is nothing to show of the meter any more: nothing is there,
// and nothing is in use.
func (m Meter) Gone() bool { return m.Capacity == 0 && m.Used == 0 }

// Share is how much of the capacity is in use, 1 for all of it; it is more where
// more was promised than there is. False when there is no limit, or none known.
func (m Meter) Share() (float64, bool) {
	if m.Capacity <= 0 {
		return 0, false
	}
	return float64(max(m.Used, 0)) / float64(m.Capacity), true
}

// sane is the meter with what no site has taken out: less than nothing.
func (m Meter) sane() Meter {
	m.Capacity, m.Used = max(m.Capacity, 0), max(m.Used, 0)
	return m
}

// meterState is what is kept of a meter.
type meterState struct {
	Meter
	told     bool
	peak     int64
	peakAt   int64 // in ms
	forecast *Meter
	history  *meterHistory // nil while there is nothing to show
}

// Apply takes an event in. A Begin starts anew.
func (m *Meters) Apply(e Event) {
	m.elapsed = max(m.elapsed, e.T)
	switch {
	case e.Usage != nil:
		m.version++
		m.tell(e.Usage.Meters)
	case e.Begin != nil:
		*m = Meters{elapsed: max(e.T, 0), version: m.version + 1, states: map[meterKey]*meterState{}}
		m.tell(e.Begin.Site)
		if f := e.Begin.Forecast; f != nil {
			m.expect(f.Peak)
		}
	}
}

// Pass says that it is later than the last event: what is in use has not changed
// since, and histories go on to there. Time does not go back.
func (m *Meters) Pass(now time.Duration) { m.elapsed = max(m.elapsed, now.Milliseconds()) }

// tell takes in how meters stand now.
func (m *Meters) tell(meters []Meter) {
	for _, now := range meters {
		now = now.sane()
		s := m.state(now)
		if now.Gone() {
			s.Used, s.told, s.history = 0, false, nil
			continue
		}
		if s.history == nil {
			s.history = newMeterHistory(m.elapsed)
		} else {
			s.history.extend(m.elapsed, s.Used)
		}
		s.history.raise(now.Used)
		if s.Meter, s.told = now, true; now.Used > s.peak {
			s.peak, s.peakAt = now.Used, m.elapsed
		}
	}
}

// expect takes in what a forecast says of meters.
func (m *Meters) expect(peaks []Meter) {
	for _, peak := range peaks {
		peak = peak.sane()
		s := m.state(peak)
		s.forecast = &peak
		if !s.told {
			s.Meter = peak
			s.Used = 0
		}
	}
}

func (m *Meters) state(of Meter) *meterState {
	s := m.states[of.key()]
	if s == nil {
		s = &meterState{Meter: of}
		m.states[of.key()] = s
		m.order = nil
	}
	return s
}

// Version changes whenever List does.
func (m *Meters) Version() uint64 { return m.version }

// All are the meters, by kind, group and name, each with its history.
func (m *Meters) All() []MeterState {
	all := m.List()
	for i := range all {
		all[i].History, all[i].HistorySpan = m.History(all[i].Meter)
	}
	return all
}

// List are the meters without their histories, for who looks at all of them often.
func (m *Meters) List() []MeterState {
	out := make([]MeterState, 0, len(m.states))
	for _, s := range m.sorted() {
		if s.told || s.forecast != nil && !s.forecast.Gone() {
			out = append(out, MeterState{Meter: s.Meter, Told: s.told, Peak: s.peak, PeakAt: lasting(s.peakAt), Forecast: s.forecast})
		}
	}
	return out
}

// History is that of one meter; nil for one that the journal does not have.
func (m *Meters) History(of Meter) ([]int64, time.Duration) {
	s := m.states[of.key()]
	if s == nil || s.history == nil {
		return nil, 0
	}
	s.history.extend(m.elapsed, s.Used)
	return s.history.spans()
}

// Peaks are the most that was in use of every meter, also of those that are gone
// since: what a forecast keeps of a run that was played.
func (m *Meters) Peaks() []Meter {
	var out []Meter
	for _, s := range m.sorted() {
		peak := s.Meter
		if peak.Used = s.peak; !peak.Gone() && (s.told || s.peak > 0) {
			out = append(out, peak)
		}
	}
	return out
}

func (m *Meters) sorted() []*meterState {
	if m.order == nil {
		for _, s := range m.states {
			m.order = append(m.order, s)
		}
		slices.SortFunc(m.order, func(a, b *meterState) int { return CompareMeters(a.Meter, b.Meter) })
	}
	return m.order
}

// CompareMeters orders meters by kind, in the order in which a plan comes to need
// them, then by group and name. Kinds it does not know come last.
func CompareMeters(a, b Meter) int {
	return cmp.Or(
		cmp.Compare(a.Kind.rank(), b.Kind.rank()), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name),
	)
}

func (k MeterKind) rank() int {
	if i := slices.Index([]MeterKind{HostMemory, HostCPU, DatastoreRoom, Quota, Addresses}, k); i >= 0 {
		return i
	}
	return math.MaxInt
}

// A MeterList collects meters.
type MeterList []Meter

// Add adds a meter, unless there is nothing to show of it.
func (l *MeterList) Add(m Meter) {
	if !m.Gone() {
		*l = append(*l, m)
	}
}

// Sorted are the meters in the order of CompareMeters.
func (l MeterList) Sorted() []Meter {
	slices.SortFunc(l, CompareMeters)
	return l
}

// ChangedMeters are the meters that a Usage event has to tell: those of after that
// are not in before as they are, and those of before that are gone, with nothing
// left. Both lists, and what comes of them, are in the order of CompareMeters.
func ChangedMeters(before, after []Meter) []Meter {
	var out []Meter
	for len(before)+len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = CompareMeters(before[0], after[0])
		}
		switch {
		case order < 0:
			gone := before[0]
			gone.Capacity, gone.Used = 0, 0
			out = append(out, gone)
		case order > 0 || before[0] != after[0]:
			out = append(out, after[0])
		}
		if order <= 0 {
			before = before[1:]
		}
		if order >= 0 {
			after = after[1:]
		}
	}
	return out
}
