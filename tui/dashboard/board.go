package dashboard

import (
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
)

// A Board is the state of all streams: what the pages show. It is safe for
// concurrent use.
type Board struct {
	changed chan struct{}

	mu      sync.Mutex // guards what is below, and all that streams hold
	streams []*Stream  // in the order in which they were added
}

// NewBoard is a board without streams.
func NewBoard() *Board { return &Board{changed: make(chan struct{}, 1)} }

// Changed is signalled after any change since it was last received from.
func (b *Board) Changed() <-chan struct{} { return b.changed }

// Stream finds the stream of a name, or adds it. The name is shown where there
// are several: "fleet/lab" for the loop of a source and a Supervisor.
func (b *Board) Stream(name string) *Stream {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.stream(name); s != nil {
		return s
	}
	s := &Stream{board: b, name: name}
	s.forget()
	b.streams = append(b.streams, s)
	b.signal()
	return s
}

// Each calls f with every stream's name and state, in the order in which they were
// added. F must not keep the state, nor call the board.
func (b *Board) Each(f func(name string, t *journal.Timeline)) {
	b.read(func() {
		for _, s := range b.streams {
			f(s.name, s.timeline)
		}
	})
}

// stream is called with the lock held; nil is none.
func (b *Board) stream(name string) *Stream {
	for _, s := range b.streams {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (b *Board) signal() {
	select {
	case b.changed <- struct{}{}:
	default: // it was signalled and not looked at yet
	}
}

// read calls f with the lock held.
func (b *Board) read(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// A Stream is the state reduced from one journal after the other: of a run, of a
// replay, of a daemon's loop, of a world that is watched.
type Stream struct {
	board *Board
	name  string

	// What is below is guarded by the board's lock.
	timeline   *journal.Timeline
	objects    *journal.Objects
	meters     *journal.Meters
	connection Connection
	// aimed counts the changes of the list of goals, which is the most that is
	// remembered of what a page need not look at again.
	aimed int
}

// ConnectionState is how the source of a stream is.
type ConnectionState int

// The states of a connection. The zero one is Connecting.
const (
	Connecting ConnectionState = iota
	Following                  // events come as they happen
	Replaying                  // events come from a file
	Ended                      // there will be no more
	Lost                       // they may come again; Detail says why they do not
)

// Connection is how the source of a stream is.
type Connection struct {
	State ConnectionState
	// Detail is for people: what is connected to, why it is lost, when it is tried
	// again. It holds no secret.
	Detail string
	// At is where a replay is, in the time of the journal.
	At time.Duration
	// Live says that the times of the events are of the real clock, so that what
	// goes on has been going on since.
	Live bool
}

// Event takes in an event. A Begin starts the stream anew.
func (s *Stream) Event(e journal.Event) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.apply(e)
	s.board.signal()
}

// Events takes in many at once, for who reads faster than anybody looks.
func (s *Stream) Events(events []journal.Event) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	for _, e := range events {
		s.apply(e)
	}
	s.board.signal()
}

// Connect says how the source is.
func (s *Stream) Connect(c Connection) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.connection = c
	s.board.signal()
}

// Reset forgets everything, as before the first event: a replay goes back.
func (s *Stream) Reset() {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	s.forget()
	s.board.signal()
}

func (s *Stream) forget() {
	s.aimed++
	s.timeline, s.objects, s.meters = journal.NewTimeline(), journal.NewObjects(), journal.NewMeters()
}

func (s *Stream) apply(e journal.Event) {
	if e.Begin != nil {
		s.forget()
	}
	if e.Goal != nil {
		s.aimed++
	}
	s.timeline.Apply(e)
	s.objects.Apply(e)
	s.meters.Apply(e)
}

// now is the present as a time since the start of the run: of the real clock
// where that is what the run goes by, else of the last event.
func (s *Stream) now(clock time.Time) time.Duration {
	b := s.timeline.Begin()
	if s.connection.State == Replaying {
		return max(s.connection.At, s.timeline.Elapsed())
	}
	if b == nil || b.Simulated || !s.connection.Live || s.connection.State != Following || s.timeline.End() != nil {
		return s.timeline.Elapsed()
	}
	return max(clock.Sub(b.Start), s.timeline.Elapsed())
}

// ticks says whether time shows although nothing happens.
func (s *Stream) ticks() bool {
	b := s.timeline.Begin()
	return b != nil && !b.Simulated && s.connection.Live && s.connection.State == Following && s.timeline.End() == nil
}
