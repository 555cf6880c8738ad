package journal

import (
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// A Recorder puts events in order: it numbers them, turns the world's time into
// the time since the start of the run, keeps a Timeline, and hands each event to
// its sinks before the next one gets a number. It is safe for concurrent use.
type Recorder struct {
	start   time.Time
	backlog *backlog
	sinks   []func(Event)

	mu       sync.Mutex // guards what is below, and orders the sinks' events
	seq      int
	last     int64
	timeline *Timeline
}

// NewRecorder begins a journal at a time of the world, or at the Start of its Begin
// where that has one. Sinks are called in order, one event at a time; they must
// not call the Recorder.
func NewRecorder(start time.Time, sinks ...func(Event)) *Recorder {
	return &Recorder{start: start, backlog: newBacklog(), timeline: NewTimeline(), sinks: sinks}
}

// A Telling is events that are made when there is time for them, each with its time
// of the world. The Object of an event is good until record returns: what is made of
// the next change may be made of the same memory.
type Telling func(record func(now time.Time, e Event))

// Defer adds the events of a telling, which another goroutine makes and records.
// They come after what was added before, and before what is recorded or read once
// Defer has returned.
func (r *Recorder) Defer(tell Telling) {
	r.backlog.add(func() { tell(r.take) })
}

// take records an event of a Telling. The Timeline keeps none, sinks may.
func (r *Recorder) take(now time.Time, e Event) {
	if len(r.sinks) > 0 {
		e = e.Clone()
	}
	r.record(now, e)
}

// Record adds an event; its Seq and T are set here. Time never goes back in a
// journal: an event of an earlier time than the last gets the last one's. What
// comes after End is not of the run any more and is dropped.
func (r *Recorder) Record(now time.Time, e Event) {
	r.backlog.finish()
	r.record(now, e)
}

func (r *Recorder) record(now time.Time, e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timeline.End() != nil {
		return
	}
	if e.Begin != nil && r.seq == 0 && !e.Begin.Start.IsZero() {
		r.start = e.Begin.Start
	}
	r.last = max(r.last, now.Sub(r.start).Milliseconds())
	e.Seq, e.T = r.seq, r.last
	r.seq++
	r.timeline.Apply(e)
	for _, sink := range r.sinks {
		sink(e)
	}
}

// Why is the causal chain from a goal down to what it waits for, and the phase
// it stands in. Unlike Timeline it may be called while others record.
func (r *Recorder) Why(a resource.Addr) ([]phase.Link, phase.ID) {
	r.backlog.finish()
	r.mu.Lock()
	defer r.mu.Unlock()
	_, at := r.timeline.Standing(a)
	return r.timeline.Why(a), at
}

// Standing is the phase a goal stands in and for how long it has, at a time of
// the world; -1 when that phase has not begun. It may be called while others record.
func (r *Recorder) Standing(a resource.Addr, now time.Time) (phase.ID, time.Duration) {
	r.backlog.finish()
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.timeline.Row(a)
	if !ok {
		return "", -1
	}
	step := row.Step(row.Current)
	if step.Start == phase.NotYet || step.End != phase.NotYet {
		return row.Current, -1
	}
	return row.Current, now.Sub(r.start) - step.Start
}

// Read calls f with the state after the last event. Unlike Timeline it may be
// called while others record; f must not keep what it is given.
func (r *Recorder) Read(f func(*Timeline)) {
	r.backlog.finish()
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.timeline)
}

// Timeline is the state after the last event. It is the Recorder's own: read it
// from a sink, or when nothing records any more.
func (r *Recorder) Timeline() *Timeline { return r.timeline }
