package link

import (
	"maps"
	"slices"
	"time"
)

// breaker counts failures in a row. From a number on it lets one request through
// after each pause, the probe, and refuses all others.
type breaker struct {
	failures int
	reason   string // of the last failure; empty after a success
	open     bool
	probing  bool
	retry    time.Time
	pause    time.Duration
}

// ask is whether a request may be sent, and whether it is the probe of an open
// breaker. A request that may not is refused with an error.
func (l *Link) ask() (probe bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &l.breaker
	switch {
	case !b.open:
		return false, nil
	case b.probing || l.options.Now().Before(b.retry):
		return false, &Error{Name: l.options.Name, Text: b.reason, Retry: b.retry}
	}
	b.probing = true
	return true, nil
}

// busy records that a request was answered by a server that wants fewer of them. It
// is there, so the breaker has nothing to do; what it said is worth knowing.
func (l *Link) busy(probe bool, reason string) {
	l.tell(probe, "")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaker.reason = reason
	l.settle()
}

// tell records how a request went; an empty reason is that it was answered.
func (l *Link) tell(probe bool, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.settle()
	b := &l.breaker
	if probe {
		b.probing = false
	}
	if reason == "" {
		*b = breaker{probing: b.probing}
		return
	}
	b.failures++
	b.reason = reason
	if b.failures < l.options.Failures || b.open && !probe {
		return // requests that were under way when it opened prove nothing new
	}
	if b.pause = min(2*b.pause, l.options.MaxPause); !b.open {
		b.pause = l.options.Pause
	}
	b.open, b.retry = true, l.options.Now().Add(b.pause)
}

// abandon takes back a probe of which nothing came.
func (l *Link) abandon(probe bool) {
	if !probe {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaker.probing = false
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
