package apply

import (
	"fmt"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// DefaultStallAfter is how long a goal may stand still before it is called blocked.
const DefaultStallAfter = 20 * time.Minute

// Allowed is how long a goal with so many workers may be in a phase; false for as
// long as it likes. Deadlines without the phase, or with less than 0, set none.
func Allowed(deadlines map[phase.ID]time.Duration, workers int64, id phase.ID) (time.Duration, bool) {
	limit, limited := deadlines[id]
	if !limited || limit < 0 {
		return 0, false
	}
	if id == phase.Workers {
		limit = max(limit, time.Duration(workers)*perWorker)
	}
	return limit, true
}

// Stalled is the event of a goal that has stood still for too long in a phase.
func Stalled(a resource.Addr, id phase.ID, chain []phase.Link) journal.Event {
	return journal.Event{Blocked: &journal.Blocked{Addr: a, Phase: id, Chain: chain, Cause: phase.Cause(chain)}}
}

// Late is the event of a goal that takes longer in a phase than it may.
func Late(a resource.Addr, id phase.ID, limit time.Duration, chain []phase.Link) journal.Event {
	e := Stalled(a, id, chain)
	e.Blocked.Cause = fmt.Sprintf("phase %s (%s) takes longer than %s: %s", id, id.Title(), limit, e.Blocked.Cause)
	return e
}

// Chain is why a goal waits: what a journal knows of it, or what the resource says
// of itself where the journal was told nothing of it.
func Chain(a resource.Addr, removing bool, told []phase.Link, o resource.Object, exists bool) []phase.Link {
	if len(told) > 0 && (!exists || told[0].Reason != notCreated) {
		return told
	}
	link := phase.Link{Kind: a.Kind, Namespace: a.Namespace, Name: a.Name}
	switch {
	case !exists:
		link.Reason = notCreated
	case removing:
		link.Reason = "NotDeleted"
	default:
		if _, lack := phase.Reached(o); lack != (phase.Link{}) {
			link = lack
		}
	}
	return []phase.Link{link}
}

// notCreated is the reason of a link to what does not exist.
const notCreated = "NotCreated"
