package report

import (
	"errors"
	"io"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
)

// A Run is what is left of a journal for a report: its state at the end, and what
// happened on the way that a state does not hold. What it keeps grows with the
// fleet, not with the length of the journal. The zero Run is not usable.
type Run struct {
	timeline *journal.Timeline
	meters   *journal.Meters
	warnings map[journal.Warning]*warned
	order    []*warned // by first time
	// unkept counts warnings that came when there were too many kinds of them.
	unkept int
	cut    bool
	until  time.Duration // where reading stopped although there was more; else 0
}

// A warned is one warning and how often it was said.
type warned struct {
	journal.Warning
	times       int
	first, last time.Duration
}

// warningCap is how many different warnings are kept. Clusters that are made in
// the same way warn in the same words, of other names.
const warningCap = 1000

// NewRun is the state before the first event.
func NewRun() *Run {
	return &Run{timeline: journal.NewTimeline(), meters: journal.NewMeters(), warnings: map[journal.Warning]*warned{}}
}

// Read takes in a journal, up to a time after the start of the run; 0 is to its
// end. A sink that is not nil is told each event as well. A journal that ends in
// the middle of a line is taken in up to there, and the report says so; Cut tells.
// There is no Run of what holds no event; an error names the line, counted from 1.
func Read(from io.Reader, until time.Duration, sink func(journal.Event)) (*Run, error) {
	r := NewRun()
	for d := journal.NewDecoder(from); ; {
		e, err := d.Decode()
		switch {
		case errors.Is(err, io.EOF) && r.timeline.Begin() == nil:
			return nil, errors.New("journal line 1: nothing is there, not even a first event")
		case errors.Is(err, io.ErrUnexpectedEOF) && r.timeline.Begin() == nil:
			return nil, errors.New("journal line 1: the first event is not whole, so there is nothing to report on; or this is no journal")
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			r.cut = !errors.Is(err, io.EOF)
			return r, nil
		case err != nil:
			return nil, err
		case until > 0 && e.At() > until:
			r.until = until
			return r, nil
		}
		r.Apply(e)
		if sink != nil {
			sink(e)
		}
	}
}

// Apply takes an event in.
func (r *Run) Apply(e journal.Event) {
	r.timeline.Apply(e)
	r.meters.Apply(e)
	if e.Warning != nil {
		r.warn(e.At(), *e.Warning)
	}
}

func (r *Run) warn(at time.Duration, w journal.Warning) {
	known := r.warnings[w]
	if known == nil {
		if len(r.order) == warningCap {
			r.unkept++
			return
		}
		known = &warned{Warning: w, first: at}
		r.warnings[w] = known
		r.order = append(r.order, known)
	}
	known.times++
	known.last = at
}

// Timeline is the state at the end of the journal.
func (r *Run) Timeline() *journal.Timeline { return r.timeline }

// Cut says that the journal ended in the middle of a line.
func (r *Run) Cut() bool { return r.cut }
