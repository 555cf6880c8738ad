package replay

import (
	"fmt"
	"slices"
	"time"
)

// State is where a Player is.
type State struct {
	Playing bool
	// Speed is as in Options.
	Speed float64
	// At is the time of the journal, and Total that of its last event; 0 when that is
	// not known yet.
	At, Total time.Duration
	// Event counts the events that were played, Events all of them; 0 when that is not
	// known yet.
	Event, Events int
	// Waiting is at the end of a journal that may go on.
	Waiting bool
	// Seeking is how much of the way to another place is done, from 0 to 1, when
	// going there takes long; else it is negative.
	Seeking float64
	// Note is why the journal does not go on after the last event, for people; empty
	// when that is as it should be.
	Note string
	// Err is why the rest of the file cannot be played.
	Err error
}

// State is where the Player is now.
func (p *Player) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// publish makes where Run is the State.
func (p *Player) publish() {
	if p.played() > p.total.events && p.total.events > 0 { // it has grown, and nobody looked
		p.total = p.in.extent()
	}
	s := State{
		Playing: p.playing, Speed: p.speed, At: p.at, Total: time.Duration(p.total.t) * time.Millisecond,
		Event: p.played(), Events: p.total.events, Seeking: -1, Err: p.failure,
	}
	if p.seeking != nil && time.Since(p.since) > patience {
		s.Seeking = p.progress(s)
	}
	if p.rest.atEnd && p.failure == nil {
		s.Waiting, _ = p.in.grows()
		s.Note = p.note(s)
	}
	p.mu.Lock()
	news := s != p.state
	p.state = s
	p.mu.Unlock()
	if news {
		p.changed()
	}
}

// progress is how much of the way is done.
func (p *Player) progress(s State) float64 {
	done, all := float64(s.Event), float64(s.Events)
	switch to := *p.seeking; {
	case to.events > 0:
		all = float64(to.events)
	case to.at < s.Total:
		done, all = float64(s.At), float64(to.at)
	}
	if all <= 0 {
		return 0
	}
	return min(done/all, 1)
}

// note says why there is no next event.
func (p *Player) note(s State) string {
	switch {
	case p.rest.cut && !s.Waiting:
		return fmt.Sprintf("the journal ends in the middle of event %d: its writer was ended, or is still at it (--follow)", s.Event+1)
	case p.tape.ended:
		return ""
	case s.Waiting:
		return fmt.Sprintf("waiting for what comes after event %d", s.Event)
	}
	return fmt.Sprintf("the journal ends after event %d and not with an end: its writer was ended, or is still at it (--follow)", s.Event)
}

// speeds are those that Faster and Slower go through.
var speeds = []float64{1, 2, 4, 8, 15, 30, 60, 125, 250, 500, 1000}

// Toggle pauses, or plays on; at the end of the journal it plays from the start.
func (p *Player) Toggle() {
	p.ask(func() {
		if p.playing = !p.playing; !p.playing {
			return
		}
		p.anchor, p.anchorAt = time.Now(), p.at
		if more, _ := p.in.grows(); p.rest.atEnd && !more && p.failure == nil {
			p.goTo(target{events: 1})
		}
	})
}

// Step pauses and goes n events on, or back.
func (p *Player) Step(n int) {
	p.ask(func() {
		p.playing = false
		from := p.played()
		if p.seeking != nil && p.seeking.events > 0 {
			from = p.seeking.events
		}
		p.goTo(target{events: max(from+n, 1)})
	})
}

// Seek goes d on, or back, in the time of the journal.
func (p *Player) Seek(d time.Duration) {
	p.ask(func() {
		from := p.at
		if p.seeking != nil && p.seeking.events == 0 && p.seeking.at != endOfTime {
			from = p.seeking.at
		}
		to := max(from+d, 0)
		if total := time.Duration(p.total.t) * time.Millisecond; total > 0 {
			to = min(to, total)
		}
		p.goTo(target{at: to})
	})
}

// Start goes to the first event, End to the last one that there is.
func (p *Player) Start() { p.ask(func() { p.goTo(target{events: 1}) }) }

// End goes to the last event that there is.
func (p *Player) End() {
	p.ask(func() {
		if more, _ := p.in.grows(); !more && p.total.events > 0 {
			p.goTo(target{events: p.total.events}) // from which steps can be taken before it is there
			return
		}
		p.goTo(target{at: endOfTime})
	})
}

// Faster plays about twice as fast, up to 1000 times the journal's time.
func (p *Player) Faster() {
	p.pace(func(s float64) bool { return s > p.speed && p.speed > 0 }, speeds)
}

// Slower plays about half as fast, down to the journal's time.
func (p *Player) Slower() {
	down := slices.Clone(speeds)
	slices.Reverse(down)
	p.pace(func(s float64) bool { return s < p.speed || p.speed == 0 }, down)
}

func (p *Player) pace(wanted func(float64) bool, speeds []float64) {
	p.ask(func() {
		if i := slices.IndexFunc(speeds, wanted); i >= 0 {
			p.anchor, p.anchorAt = time.Now(), p.at
			p.speed = speeds[i]
		}
	})
}

// goTo has Run go to a place.
func (p *Player) goTo(t target) {
	if p.seeking == nil {
		p.since = time.Now()
	}
	p.seeking = &t
}
