package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // so that a time zone is known wherever vksync runs
)

// Window is a time of the week, as Friday 18:00 to Monday 06:00 in three of them.
type Window struct {
	// Days are those on which the window begins; all where empty.
	Days []time.Weekday
	// From and To are wall-clock times after midnight, to the minute, From included
	// and To not. Where To is not after From the window ends on the next day; To is
	// at most 24h.
	From, To time.Duration
	// Location is the time zone of From and To, never nil in what LoadConfig returns.
	Location *time.Location
}

// Contains says whether t is in the window.
func (w Window) Contains(t time.Time) bool {
	_, within := w.end(t)
	return within
}

// end is when the window that t is in ends.
func (w Window) end(t time.Time) (time.Time, bool) {
	t = t.In(w.Location)
	for _, ago := range []int{0, 1} { // it may have begun yesterday
		year, month, day := t.AddDate(0, 0, -ago).Date()
		if begins := time.Date(year, month, day, 12, 0, 0, 0, w.Location).Weekday(); len(w.Days) > 0 && !slices.Contains(w.Days, begins) {
			continue
		}
		// By the clock on the wall, whatever the hours of that day are.
		at := func(clock time.Duration) time.Time {
			return time.Date(year, month, day, int(clock/time.Hour), int(clock%time.Hour/time.Minute), 0, 0, w.Location)
		}
		from, to := at(w.From), at(w.To)
		if w.To <= w.From {
			to = at(w.To + 24*time.Hour)
		}
		if !t.Before(from) && t.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// String is the window as "Sat,Sun 00:00-24:00 Europe/Berlin".
func (w Window) String() string {
	days := make([]string, len(w.Days))
	for i, day := range w.Days {
		days[i] = day.String()[:3]
	}
	if len(days) == 0 {
		days = []string{"daily"}
	}
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute) }
	return fmt.Sprintf("%s %s-%s %s", strings.Join(days, ","), clock(w.From), clock(w.To), w.Location)
}

// Frozen says whether t is in a freeze window, and when the last of those that
// follow each other without a gap ends; the zero time where none of them ever
// does.
func (p Policy) Frozen(t time.Time) (until time.Time, frozen bool) {
	const most = 100 // windows on end, which is more than a week of any
	for range most {
		before := t
		for _, w := range p.Freeze {
			if end, within := w.end(t); within {
				t, frozen = end, true
			}
		}
		if t.Equal(before) {
			return t, frozen
		}
	}
	return time.Time{}, true
}
