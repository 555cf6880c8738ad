package reconcile

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// How soon what failed is tried again: at first, and at most.
const (
	retryFirst = 15 * time.Second
	retryMost  = 10 * time.Minute
)

// A backoff remembers how often the action on each resource failed, so that one
// that cannot work is not tried at each turn. It is forgotten with a new
// revision, which may be the remedy.
type backoff map[resource.Addr]attempt

type attempt struct {
	failures int
	at       time.Time // of the next try
}

// failed notes one more failure.
func (b backoff) failed(addr resource.Addr, now time.Time) {
	a := b[addr]
	a.at = now.Add(min(retryFirst<<min(a.failures, 10), retryMost))
	a.failures++
	b[addr] = a
}

// holds says whether it is too early for a resource.
func (b backoff) holds(addr resource.Addr, now time.Time) bool {
	a, failed := b[addr]
	return failed && now.Before(a.at)
}

// next is when the first of what is held may be tried, and false when nothing is.
func (b backoff) next(now time.Time) (at time.Time, any bool) {
	for _, a := range b {
		if now.Before(a.at) && (!any || a.at.Before(at)) {
			at, any = a.at, true
		}
	}
	return at, any
}
