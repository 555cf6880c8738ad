package apply

import (
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
)

// A step is one goal on its way: the action that starts it, if there is one, and
// where it stands.
type step struct {
	goal   plan.Goal
	action *plan.Action // nil when there is nothing to do
	group  *group
	state  state
	// taken says that the API accepted the action.
	taken bool
	// queued says that the step is in run.order.
	queued bool
	// busy says that its action is under way, or is as soon as there is room.
	busy bool
	// overdue is the phase that was last reported to take too long.
	overdue phase.ID
	// movedAt is when the resource last changed.
	movedAt time.Time
	// retryAt is when a transient failure is tried again.
	retryAt  time.Time
	attempts int
	// stirred says that the resource was seen not to be as desired since the action was
	// taken, and calmAt when it counts as done without that.
	stirred bool
	calmAt  time.Time
}

// pending says whether the action of a step may still be taken.
func (s *step) pending() bool {
	return !s.busy && (s.state == gated || s.state == blocked && !s.taken && s.acts())
}

// acts says whether the step begins with an action.
func (s *step) acts() bool { return s.action != nil && s.action.Verb != plan.None }

// A group is the steps of one vSphere Namespace that begin with an action, and
// the namespace's own where that has one.
type group struct {
	namespace *step // nil when nothing is done about it nor waited for
	members   []*step
	// left counts the members that have not reached their goal.
	left int
}

type state int

const (
	gated   state = iota // its action is not taken yet
	waiting              // for the goal
	reached
	blocked // stood still for too long; may move again
	failed  // its action was refused, or will not be taken
)

// settled says that a step will not come further by itself.
func (s state) settled() bool { return s >= reached }
