package controllers

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

const (
	// hop is how long a change takes to reach a controller that watches it.
	hop = 40 * time.Millisecond
	// pace is the least time between two reconciles of one object by one
	// controller (gate ReconcilerRateLimiting, observed.md 6.2).
	pace = time.Second
	// messageDelay is how long a Cluster lets changes of mere messages collect.
	messageDelay = 10 * time.Second
	// faultRetry is how long a reconcile that failed waits for the next.
	faultRetry = 10 * time.Second
	// grain is what times are rounded up to. It lets what happens to many
	// clusters at nearly the same time happen in one instant, which a run looks
	// at once; the order within an instant is that of asking.
	grain = 50 * time.Millisecond
)

// A turn is when a controller reconciled an object last and when it will next: in
// nanoseconds since 1970, which take a third of a time.Time.
type turn struct {
	subject    *subject
	controller *controller
	last, next int64 // zero when there was none yet, and when nothing is scheduled
	hold       int64 // not before this time, whatever changes
}

// enqueueKey schedules all controllers of an object.
func (m *Manager) enqueueKey(key kubeapi.Key, after time.Duration) {
	if s := m.subjectOf(key); s != nil {
		m.enqueueAll(s, after)
	}
}

func (m *Manager) enqueueAll(s *subject, after time.Duration) {
	for i := range s.turns {
		m.enqueue(&s.turns[i], after)
	}
}

// enqueue schedules t, not sooner than its pace allows, unless it is to run
// before that anyway.
func (m *Manager) enqueue(t *turn, after time.Duration) {
	now := m.clock.Now().UnixNano()
	at := max(now+int64(after), t.hold)
	if t.last != 0 {
		at = max(at, t.last+int64(pace))
	}
	at = (at + int64(grain) - 1) / int64(grain) * int64(grain)
	if t.next != 0 && at >= t.next {
		return
	}
	t.next = at
	m.clock.AfterFunc(time.Duration(at-now), func() { m.run(t, at) })
}

// run is one reconcile, unless the turn was moved to another time.
func (m *Manager) run(t *turn, at int64) {
	if t.next != at || m.err != nil {
		return
	}
	t.last, t.next = at, 0
	u := m.objectOf(t.subject)
	if u == nil {
		t.end()
		return
	}
	m.dropOutdated()
	m.begin(t.subject)
	m.rest = 0
	again, err := m.reconcile(t.controller, u)
	m.honourRest(t)
	switch {
	case apierrors.IsConflict(err):
		again = pace
	case err != nil:
		s := t.subject
		m.fail(u, fmt.Errorf("simulating %s of %s %s/%s: %w", t.controller.name, s.of.kind.Kind, s.name.namespace, s.name.name, err))
		again = faultRetry
	}
	if again > 0 {
		m.enqueue(t, again)
	}
}

// begin notes whose turn it is, which knows its view from now on.
func (m *Manager) begin(s *subject) {
	m.running = s
	if s.view == nil {
		s.view = m.views[s.object]
	}
}

// end forgets a turn of an object that is gone, and the object with the last.
func (t *turn) end() {
	s := t.subject
	*t = turn{subject: s, controller: t.controller}
	for i := range s.turns {
		if s.turns[i].next != 0 {
			return
		}
	}
	delete(s.of.subjects, s.name)
	s.ended, s.place = true, kubeapi.Place{}
}

// holdOff has the object of the running reconcile left alone for d, even by
// changes: a controller that found that it must wait asks for it.
func (m *Manager) holdOff(d time.Duration) { m.rest = d }

// honourRest puts off what was scheduled during a reconcile that wants a rest.
func (m *Manager) honourRest(t *turn) {
	if m.rest == 0 {
		return
	}
	t.hold = t.last + int64(m.rest)
	if t.next != 0 && t.next < t.hold {
		t.next = 0
		m.enqueue(t, 0)
	}
}

// reconcile is one reconcile of u. Where faults are told, a panic is one of them:
// anybody may have written anything into u.
func (m *Manager) reconcile(c *controller, u *unstructured.Unstructured) (again time.Duration, err error) {
	if m.onFault != nil {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
	}
	return c.reconcile(m, u)
}
