package journal

import (
	"math"
	"time"
)

// HistoryCap is how many spans the history of a meter has at most.
const HistoryCap = 64

// firstSpan is how long a span is at first, in ms. A day later, one is 24 minutes.
const firstSpan = 15_000

// A meterHistory is the most that was in use in each of a few equal spans of time,
// the first of which begins with the run. When they are full, two become one.
type meterHistory struct {
	span  int64 // in ms
	from  int   // the span in which the meter came
	n     int   // the spans that have begun
	spent [HistoryCap]int64
}

// newMeterHistory begins at a time of the run, in ms.
func newMeterHistory(at int64) *meterHistory {
	h := &meterHistory{span: firstSpan}
	for at/h.span >= HistoryCap {
		h.span *= 2
	}
	h.from = int(at / h.span)
	h.n = h.from + 1
	return h
}

// extend goes on to a time of the run with what was in use until then.
func (h *meterHistory) extend(at, used int64) {
	for at/h.span >= HistoryCap {
		h.halve()
	}
	for now := int(at / h.span); h.n <= now; h.n++ {
		h.spent[h.n] = used
	}
}

// halve makes one span of every two.
func (h *meterHistory) halve() {
	for i := range HistoryCap / 2 {
		h.spent[i] = max(h.spent[2*i], h.spent[2*i+1])
	}
	clear(h.spent[HistoryCap/2:])
	h.span, h.from, h.n = h.span*2, h.from/2, (h.n+1)/2
}

// raise takes in what is in use now.
func (h *meterHistory) raise(used int64) { h.spent[h.n-1] = max(h.spent[h.n-1], used) }

// spans are a copy of those that have begun, and how long each is.
func (h *meterHistory) spans() ([]int64, time.Duration) {
	return append([]int64(nil), h.spent[h.from:h.n]...), lasting(h.span)
}

// lasting is a number of milliseconds as a duration, the longest there is for more.
func lasting(ms int64) time.Duration {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}
