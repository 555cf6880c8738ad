package reconcile

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// orderWindow is how long a change is held back, so that one that was made before
// it and comes later, by another watch, can go first.
const orderWindow = 200 * time.Millisecond

// A change is what a watch told and no journal has yet.
type change struct {
	before, after *unstructured.Unstructured
	version       uint64 // 0 where the server's versions are no numbers
	came          time.Time
}

func changeOf(before, after *unstructured.Unstructured) change {
	u := after
	if u == nil {
		u = before
	}
	version, err := strconv.ParseUint(u.GetResourceVersion(), 10, 64)
	if err != nil {
		version = 0
	}
	return change{before, after, version, time.Now()}
}

// put holds a change back for a moment. All kinds have their own watch, so an
// object may be heard of before the one that owns it; the versions of the server
// tell which came first.
func (h *history) put(c change) {
	h.held = append(h.held, c)
	if len(h.held) == 1 {
		h.timer = time.AfterFunc(orderWindow, h.release)
	}
}

// release tells what was held back for long enough, and what came before that.
func (h *history) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tellHeld(time.Now().Add(-orderWindow))
	if len(h.held) > 0 {
		h.timer = time.AfterFunc(time.Until(h.held[0].came.Add(orderWindow)), h.release)
	}
}

// settle tells everything that watches have told within a moment from now.
func (h *history) settle() {
	time.Sleep(2 * orderWindow)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tellHeld(time.Now())
}

// tellHeld tells what came until a time, and what has a lower version than some of
// that. It is called with mu held.
func (h *history) tellHeld(until time.Time) {
	var latest uint64
	for _, c := range h.held {
		if !c.came.After(until) {
			latest = max(latest, c.version)
		}
	}
	due := func(c change) bool { return !c.came.After(until) || c.version < latest }
	var now, later []change
	for _, c := range h.held {
		if due(c) {
			now = append(now, c)
		} else {
			later = append(later, c)
		}
	}
	h.held = later
	slices.SortStableFunc(now, func(a, b change) int { return cmp.Compare(a.version, b.version) })
	for _, c := range now {
		h.tellChange(c.before, c.after)
	}
}
