// Package link keeps the connection to one endpoint honest. It repeats reads
// that the network or a busy server failed, stops asking a server that is down
// until a probe gets through, and says at any time how the endpoint is. It hides
// back-off, the circuit breaker, and which failures may be tried again.
//
// A request that changes something is repeated only when it surely had no
// effect: it was never sent, or the server said that it had not begun.
package link

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// State says how an endpoint is.
type State string

// The states of a Link.
const (
	OK      State = "ok"      // the last request was answered, and no login has failed
	Failing State = "failing" // the last request was not answered, or a login failed
	Open    State = "open"    // nothing is sent until Health.Retry
)

// Health is how an endpoint is at one moment.
type Health struct {
	Name  string
	State State
	// Since is when State began; for a Link that has sent nothing, when it was made.
	Since time.Time
	// LastError is why the endpoint is not OK, without credentials; empty when it is.
	LastError string
	// Retry is when the next request will be let through, when State is Open.
	Retry time.Time
}

// Options say how patient a Link is. The zero value of each field is its default.
type Options struct {
	// Name is of the endpoint, for messages: "the vCenter at vc.example.com".
	Name string
	// Attempts is how often a read is tried at most; the default is 4.
	Attempts int
	// Timeout ends an attempt that takes longer; the default is 30 s. A stream,
	// such as a watch, must begin within it and may then last.
	Timeout time.Duration
	// Backoff is the longest pause before the second attempt; it doubles with each
	// further one, up to MaxBackoff. The pause is a random part of it, at least
	// half. The defaults are 250 ms and 10 s.
	Backoff, MaxBackoff time.Duration
	// Failures in a row open the breaker; the default is 5.
	Failures int
	// Pause is how long the breaker stays open at first; it doubles each time a
	// probe fails, up to MaxPause. The defaults are 1 s and 30 s.
	Pause, MaxPause time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Wait pauses, and returns early with the context's error; nil waits on the
	// real clock.
	Wait func(ctx context.Context, d time.Duration) error
	// Jitter is at random in [0, 1); nil is math/rand.
	Jitter func() float64
}

// setDefaults fills in what was left out.
func (o *Options) setDefaults() {
	orDefault(&o.Attempts, 4)
	orDefault(&o.Timeout, 30*time.Second)
	orDefault(&o.Backoff, 250*time.Millisecond)
	orDefault(&o.MaxBackoff, 10*time.Second)
	orDefault(&o.Failures, 5)
	orDefault(&o.Pause, time.Second)
	orDefault(&o.MaxPause, 30*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
}

func orDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Link is the connection to one endpoint. It is safe for concurrent use. A nil
// *Link is one that does nothing.
type Link struct {
	options Options

	mu      sync.Mutex // guards what is below
	breaker breaker
	// troubles are what Note was told and is not over, by what it is about.
	troubles map[string]string
	state    State
	since    time.Time
}

// New makes a Link. Nothing is sent.
func New(o Options) *Link {
	o.setDefaults()
	return &Link{options: o, troubles: map[string]string{}, state: OK, since: o.Now()}
}

// Note records how something went that is not a single request, such as "login".
// A nil error ends the trouble. The text of err must hold no credentials other
// than in URLs.
func (l *Link) Note(about string, err error) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		delete(l.troubles, about)
	} else {
		l.troubles[about] = Scrub(err.Error())
	}
	l.settle()
}

// Health is how the endpoint is now.
func (l *Link) Health() Health {
	if l == nil {
		return Health{State: OK}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h := Health{Name: l.options.Name, State: l.state, Since: l.since, LastError: l.breaker.reason}
	for _, about := range sorted(l.troubles) {
		if h.LastError != "" {
			h.LastError += "; "
		}
		h.LastError += about + ": " + l.troubles[about]
	}
	if l.state == Open {
		h.Retry = l.breaker.retry
	}
	return h
}

// settle notes since when the state is what it is. It is called with mu held.
func (l *Link) settle() {
	state := OK
	switch {
	case l.breaker.open:
		state = Open
	case l.breaker.reason != "" || len(l.troubles) > 0:
		state = Failing
	}
	if state != l.state {
		l.state, l.since = state, l.options.Now()
	}
}
