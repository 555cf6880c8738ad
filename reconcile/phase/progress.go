package phase

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// NotYet is the time of what has not happened.
const NotYet = time.Duration(-1)

// State is how a phase, or a whole goal, stands.
type State string

// The states.
const (
	Pending State = "pending" // nothing has begun
	Running State = "running"
	Done    State = "done"
	Blocked State = "blocked" // it stopped getting nearer to its goal
	Failed  State = "failed"  // an action was refused, or the run ended without it
)

// Goal is what a cluster or a vSphere Namespace is to become.
type Goal struct {
	Addr resource.Addr
	// Verb is create, update, delete or none.
	Verb string
	// ControlPlane and Workers count the machines wanted.
	ControlPlane, Workers int64
}

// Step is how far one phase has come. Done and Wanted count machines and are 0
// in the phases that have none. While a cluster is removed they count what is
// gone and what was there.
type Step struct {
	ID           ID
	State        State
	Done, Wanted int64
	// Start and End are times since the start of the run, NotYet when they have
	// not come. A phase with an End and no Start had nothing to do.
	Start, End time.Duration
}

// Span is a stretch of time in which a cluster was in one phase before all
// others. End is NotYet in the one that lasts.
type Span struct {
	ID         ID
	Start, End time.Duration
}

// Progress is how far one goal has come.
type Progress struct {
	Goal
	State State
	// Current is the phase the row is in: the first that is running or blocked,
	// or the last one when all are done.
	Current ID
	// Steps has every phase in order. A vSphere Namespace has only Prerequisites.
	Steps []Step
	// Spans are what a bar on a time axis shows, in order of Start, without overlap.
	Spans []Span
	// Start is when anything happened first, End when the goal was reached.
	Start, End time.Duration
}

// Step returns the step of one phase; the zero Step when there is none.
func (p *Progress) Step(id ID) Step {
	for _, s := range p.Steps {
		if s.ID == id {
			return s
		}
	}
	return Step{}
}

// Removing reports that the goal is to be gone.
func (p *Progress) Removing() bool { return p.Verb == "delete" }
