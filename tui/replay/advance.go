package replay

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
)

// forever is how long to wait when only a command is worth waking for.
const forever = time.Duration(-1)

// endOfTime is later than every event.
const endOfTime = time.Duration(math.MaxInt64)

// advance goes on for a slice of time, and says how long to wait then.
func (p *Player) advance() time.Duration {
	deadline := time.Now().Add(slice)
	if p.seeking != nil {
		if !p.seek(deadline) {
			return 0
		}
	}
	if !p.playing {
		return forever
	}
	if p.rest.atEnd && !p.more() {
		return p.linger()
	}
	return p.play(deadline)
}

// seek goes to where it was asked to, and says whether it is there.
func (p *Player) seek(deadline time.Time) bool {
	to := *p.seeking
	if p.rest.atEnd {
		p.more()
	}
	if p.behind(to) {
		p.tape.rewind()
		p.ahead, p.at, p.rest = nil, 0, rest{}
	}
	if !p.feed(deadline, to.reaches) {
		return false
	}
	if to.events == 0 && !p.rest.atEnd {
		p.at = max(to.at, 0)
	}
	p.seeking = nil
	p.anchor, p.anchorAt = time.Now(), p.at
	return true
}

// reaches says whether an event belongs to what is before the target.
func (t target) reaches(n int, e journal.Event) bool {
	if t.events > 0 {
		return n < t.events
	}
	return n == 0 || e.At() <= t.at // the Begin is always there
}

// behind says whether a target is before what was played.
func (p *Player) behind(t target) bool {
	if t.events > 0 {
		return t.events < p.played()
	}
	return t.at < p.at && p.played() > 1
}

// play goes on with the clock.
func (p *Player) play(deadline time.Time) time.Duration {
	now := time.Now()
	until := endOfTime
	if p.speed > 0 {
		until = p.anchorAt + time.Duration(float64(now.Sub(p.anchor))*p.speed)
	}
	if !p.feed(deadline, target{at: until}.reaches) {
		p.anchor, p.anchorAt = now, p.at // it cannot keep up, and does not try to catch up
		return 0
	}
	if p.rest.atEnd {
		return p.linger()
	}
	p.at = max(p.at, until)
	next := time.Duration(float64(p.ahead.At()-p.at) / p.speed)
	return min(max(next, time.Millisecond), tick)
}

// linger is what comes after the last event: an end, or waiting for more.
func (p *Player) linger() time.Duration {
	p.anchor, p.anchorAt = time.Now(), p.at
	more, err := p.in.grows()
	switch {
	case more:
		return poll
	case p.more(): // what came between the last look and the end of a pipe
		return 0
	case err != nil:
		p.failure = err
	case p.played() == 0 && p.failure == nil: // of a pipe that was open at first
		p.failure = p.nothing()
	}
	p.playing = false
	return forever
}

// more looks whether there is a next event where there was none.
func (p *Player) more() bool {
	if p.in.replaced(p.tape.offset()) {
		if err := p.in.reopen(); err != nil {
			return false // and try again
		}
		p.tape = newTape(p.in.name, p.in.file, p.tape.bound)
		p.at, p.failure = 0, nil
	}
	_, err := p.peek()
	if err != nil {
		return false
	}
	p.total = p.in.extent()
	return true
}

// feed plays the events that are due until there is none or the time is up. It says
// whether it came to the end of them.
func (p *Player) feed(deadline time.Time, due func(n int, e journal.Event) bool) bool {
	p.told = p.told[:0]
	defer func() {
		if len(p.told) > 0 {
			p.to.Events(p.told)
		}
	}()
	for {
		e, err := p.peek()
		if err != nil || !due(p.played(), e) {
			return true
		}
		p.told = append(p.told, e)
		p.ahead, p.at = nil, max(p.at, e.At())
		if n := len(p.told); n >= batch || n%16 == 0 && !time.Now().Before(deadline) {
			return false
		}
	}
}

// peek is the next event, which stays the next one.
func (p *Player) peek() (journal.Event, error) {
	if p.ahead != nil {
		return *p.ahead, nil
	}
	e, err := p.tape.next()
	p.rest = rest{atEnd: err != nil, cut: errors.Is(err, io.ErrUnexpectedEOF)}
	switch {
	case err == nil:
		p.ahead = &e
	case !errors.Is(err, io.EOF) && !p.rest.cut:
		p.failure = err
	}
	return e, err
}

// played counts the events that were.
func (p *Player) played() int {
	if p.ahead != nil {
		return p.tape.pos - 1
	}
	return p.tape.pos
}

// nothing is why a journal without a first event is none.
func (p *Player) nothing() error {
	if p.rest.cut {
		return fmt.Errorf("%s:1: the journal ends in the middle of its first event", p.in.name)
	}
	return fmt.Errorf("%s is empty: want the file of --journal", p.in.name)
}
