// Package replay plays the file of a journal as if it happened again: at a speed,
// with pauses, by single events, to any time and back. It hides how the file is
// read: while it is still being written, after its writer was killed in the middle
// of a line, or when it is longer than memory.
package replay

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
)

// Options are what a Player plays, and how it begins.
type Options struct {
	// Path is the file of the journal; "-" is Stdin.
	Path  string
	Stdin io.Reader
	// Follow goes on with a file that is still being written, and with the one that
	// takes its place. It begins at what is its end at the time.
	Follow bool
	// Speed is how many seconds of the journal pass in one; 0 is as fast as it goes.
	Speed float64
	// Once ends Run at the end of the journal, or of its run where it is followed.
	Once bool
}

// A Sink is what a Player tells what happens.
type Sink interface {
	// Events are the next ones. With a Begin it is all anew: the Player has gone back,
	// or another journal has taken the place of the one that is followed. The slice is
	// the Player's again afterwards.
	Events([]journal.Event)
}

// How a Player goes about it.
const (
	// slice is how long it works before it looks what it is asked for meanwhile.
	slice = 10 * time.Millisecond
	// tick is how often its time goes on while nothing happens, and poll how often it
	// looks for more of a journal that may grow.
	tick = 100 * time.Millisecond
	poll = 200 * time.Millisecond
	// patience is how long going somewhere may take before it is told.
	patience = 100 * time.Millisecond
	// batch is how many events it tells at once, which should take a few milliseconds.
	batch = 1000
)

// A Player plays a journal. Its methods are safe for concurrent use, and only Run
// and Close wait for anything.
type Player struct {
	in      *input
	tape    *tape
	options Options
	wake    chan struct{}

	mu    sync.Mutex // guards what is below
	asked []func()   // commands that Run has not got to yet
	state State
	// changed is told after the state has changed.
	changed func()

	// What follows is Run's own.
	to      Sink
	ahead   *journal.Event // the next event, when it is known
	told    []journal.Event
	at      time.Duration
	total   extent
	playing bool
	speed   float64
	// anchor and anchorAt are when and where playing began, or its speed changed.
	anchor   time.Time
	anchorAt time.Duration
	// seeking is where it goes; nil when it is there.
	seeking *target
	since   time.Time // when it began to go there
	rest    rest
	failure error
}

// target is a place in a journal: after a number of events, or else before the
// first one later than a time.
type target struct {
	events int // used when not 0
	at     time.Duration
}

// rest is why there is no next event.
type rest struct {
	atEnd bool
	cut   bool // in the middle of an event
}

// Open opens a journal and reads its first event, so that what is none is told at
// once.
func Open(o Options) (*Player, error) {
	in, err := openInput(o.Path, o.Stdin, o.Follow)
	if err != nil {
		return nil, err
	}
	p := &Player{
		in: in, options: o, wake: make(chan struct{}, 1), changed: func() {},
		tape: newTape(in.name, in.file, keep), speed: o.Speed, playing: true,
	}
	if o.Follow && !o.Once {
		p.seeking = &target{at: endOfTime}
	}
	more, _ := in.grows() // asked before the look: what comes after it may be the whole journal
	p.total = in.extent()
	if _, err := p.peek(); p.failure != nil {
		return nil, errors.Join(err, in.close())
	}
	if p.ahead == nil && !more {
		return nil, errors.Join(p.nothing(), in.close())
	}
	p.publish()
	return p, nil
}

// OnChange has f told when the State has changed. It is set before Run, and must
// not block.
func (p *Player) OnChange(f func()) { p.changed = f }

// Close lets go of the file, after Run.
func (p *Player) Close() error { return p.in.close() }

// Run plays until ctx ends, which is no error; or, with Once, until there is no
// more. It fails when there is something in the file that is no journal: then
// what came before it has been played. Without Once it stays there, so that one
// can go back, and the error comes at the end.
func (p *Player) Run(ctx context.Context, to Sink) error {
	p.to = to
	p.anchor = time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		p.obey()
		wait := p.advance()
		p.publish()
		if p.over() {
			break
		}
		if wait == 0 {
			continue
		}
		alarm := timer.C
		if wait == forever {
			alarm = nil
		} else {
			timer.Reset(wait)
		}
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-alarm:
		}
	}
	return p.failure
}

// over says whether Run has done what it was for.
func (p *Player) over() bool {
	if !p.options.Once || p.seeking != nil {
		return false
	}
	return p.failure != nil || p.rest.atEnd && p.tape.ended || !p.playing
}

// obey does what it was asked for.
func (p *Player) obey() {
	p.mu.Lock()
	asked := p.asked
	p.asked = nil
	p.mu.Unlock()
	for _, command := range asked {
		command()
	}
}

// ask has Run do something soon.
func (p *Player) ask(command func()) {
	p.mu.Lock()
	p.asked = append(p.asked, command)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
