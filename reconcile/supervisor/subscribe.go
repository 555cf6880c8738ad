package supervisor

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Subscription is told what changes in a Cache. Each has all changes, so that
// several runs can go on side by side. It is safe for concurrent use.
type Subscription struct {
	cache   *Cache
	signal  chan struct{}
	changed map[resource.Addr]struct{} // guarded by Cache.mu
}

// Subscribe tells of changes from now on, until Close.
func (w *Cache) Subscribe() *Subscription {
	s := &Subscription{cache: w, signal: make(chan struct{}, 1), changed: map[resource.Addr]struct{}{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subscriptions[s] = struct{}{}
	return s
}

// Close ends the Subscription.
func (s *Subscription) Close() {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	delete(s.cache.subscriptions, s)
}

// Changed is signalled when an object has changed. One signal may stand for many
// changes.
func (s *Subscription) Changed() <-chan struct{} { return s.signal }

// TakeChanged lists, in order, what has changed since it was last asked.
func (s *Subscription) TakeChanged() []resource.Addr {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	out := make([]resource.Addr, 0, len(s.changed))
	for addr := range s.changed {
		out = append(out, addr)
	}
	clear(s.changed)
	slices.SortFunc(out, resource.Addr.Compare)
	return out
}

// note is called with Cache.mu held.
func (s *Subscription) note(addr resource.Addr) {
	s.changed[addr] = struct{}{}
	select {
	case s.signal <- struct{}{}:
	default:
	}
}
