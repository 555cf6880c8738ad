// Package journal is the record of a run: events in order, one JSON line each.
// It is the only thing displays read. The first event is Begin and holds the
// whole plan, so that a display can draw every row before anything starts; the
// last one is End. It hides the codec and the reduction to a Timeline.
//
// No event carries the content of a Secret, bootstrap data, or a class variable.
package journal

import (
	"encoding/json"
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Version is the version of the format, in every Begin. A reader refuses a
// journal whose version it does not know.
const Version = 1

// Event is one line. Exactly one of the pointers is set.
type Event struct {
	// Seq counts from 0 without gaps.
	Seq int `json:"seq"`
	// T is how long after Begin.Start the event happened, in milliseconds of
	// the world's time (model time in a simulation).
	T int64 `json:"t_ms"`

	Begin   *Begin   `json:"begin,omitempty"`
	Action  *Action  `json:"action,omitempty"`
	Object  *Object  `json:"object,omitempty"`
	VM      *VM      `json:"vm,omitempty"`
	Warning *Warning `json:"warning,omitempty"`
	Blocked *Blocked `json:"blocked,omitempty"`
	Goal    *Goal    `json:"goal,omitempty"`
	Usage   *Usage   `json:"usage,omitempty"`
	End     *End     `json:"end,omitempty"`
}

// At is T as a duration since the start of the run.
func (e Event) At() time.Duration { return time.Duration(e.T) * time.Millisecond }

// Begin is the first event.
type Begin struct {
	Version   int       `json:"version"`
	Simulated bool      `json:"simulated"`
	Seed      uint64    `json:"seed,omitempty"`
	Revision  string    `json:"revision,omitempty"`
	Start     time.Time `json:"start"`
	// World names what the run talks to, for people: "Supervisor lab". Empty is not
	// known.
	World string `json:"world,omitempty"`
	// Watched is a world that is looked at without a plan of one's own: Goals are
	// what others want, and come and go in Goal events.
	Watched bool `json:"watched,omitempty"`
	// Proposed is a plan that waits for approval. Nothing of it runs; when it does,
	// that is another journal.
	Proposed bool `json:"proposed,omitempty"`
	// Goals has a row for every cluster and vSphere Namespace the run is about.
	Goals []Goal `json:"goals"`
	// Plan is the plan in its JSON form (package plan).
	Plan json.RawMessage `json:"plan"`
	// Forecast is how the plan went on a simulated copy of the world; nil without one.
	Forecast *Forecast `json:"forecast,omitempty"`
	// Site is what the site has and how much of it is in use at the beginning.
	Site []Meter `json:"site,omitempty"`
}

// Goal is what one resource is to become. As an event it adds a goal, or puts
// another in the place of the one of the same Addr: worlds that are watched have
// clusters come, change and go.
type Goal struct {
	Addr resource.Addr `json:"addr"`
	// Verb is what vksync, or in a watched world anybody, will do: create, update,
	// delete or none. VerbForget takes the goal off the list.
	Verb string `json:"verb"`
	// ControlPlane and Workers count the machines wanted; 0 for what is to be
	// deleted and for vSphere Namespaces.
	ControlPlane int64 `json:"controlPlane,omitempty"`
	Workers      int64 `json:"workers,omitempty"`
}

// VerbForget is the Verb of a Goal event that takes a goal off the list.
const VerbForget = "forget"

// ActionState is how far an action has come.
type ActionState string

// The states of an action.
const (
	ActionStarted ActionState = "started"
	ActionDone    ActionState = "done"   // the API accepted it
	ActionFailed  ActionState = "failed" // Reason and Message say why
	ActionSkipped ActionState = "skipped"
	// ActionDelayed is one that failed and is tried again; Reason and Message say
	// why, and when.
	ActionDelayed ActionState = "delayed"
)

// Action is something vksync itself does.
type Action struct {
	Addr    resource.Addr `json:"addr"`
	Verb    string        `json:"verb"`
	Phase   phase.ID      `json:"phase"`
	State   ActionState   `json:"state"`
	Reason  string        `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`
}

// Object is a change of an object in the Supervisor's Kubernetes API.
type Object struct {
	// Actor is who wrote it: the controller's name, "vksync", or "garbage-collector".
	Actor string `json:"actor"`
	resource.Change
	// Cluster is the name of the cluster it belongs to; empty for what is shared.
	Cluster string `json:"cluster,omitempty"`
	// PhaseID is the phase it belongs to; empty for what belongs to none.
	PhaseID phase.ID `json:"phase,omitempty"`
}

// Clone is e for who keeps it beyond the Telling that tells it.
func (e Event) Clone() Event {
	if e.Object != nil {
		o := *e.Object
		o.Change = o.Change.Clone()
		e.Object = &o
	}
	return e
}

// VM is something that happened to a virtual machine in vCenter.
type VM struct {
	// Op is the vSphere operation: CreateVM_Task, PowerOnVM_Task, PowerOffVM_Task,
	// Destroy_Task, or "guest.ipAddress" when the guest reported an address.
	Op string `json:"op"`
	// Task is the vSphere task, "task-12"; empty for what is not a task.
	Task      string   `json:"task,omitempty"`
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Cluster   string   `json:"cluster,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Host      string   `json:"host,omitempty"`
	Datastore string   `json:"datastore,omitempty"`
	IP        string   `json:"ip,omitempty"`
	Error     string   `json:"error,omitempty"`
	PhaseID   phase.ID `json:"phase,omitempty"`
}

// Warning is what Kubernetes or a controller says of an object in an Event of type
// Warning. It is the only event of which a simulation has none.
type Warning struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Reason    string `json:"reason"`
	Message   string `json:"message"`
	// Cluster and PhaseID are as in Object.
	Cluster string   `json:"cluster,omitempty"`
	PhaseID phase.ID `json:"phase,omitempty"`
}

// Blocked says that a resource stopped getting nearer to its goal, and why:
// Chain goes from the resource itself down to the cause.
type Blocked struct {
	Addr  resource.Addr `json:"addr"`
	Phase phase.ID      `json:"phase"`
	Chain []phase.Link  `json:"chain"`
	// Cause is the last link in words.
	Cause string `json:"cause"`
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Reached     Outcome = "reached"     // every goal was reached
	NotReached  Outcome = "not-reached" // some goal was not; a Blocked or failed Action says why
	Interrupted Outcome = "interrupted"
)

// End is the last event.
type End struct {
	Outcome Outcome `json:"outcome"`
	// Reached and Goals count the rows of Begin.Goals.
	Reached int `json:"reached"`
	Goals   int `json:"goals"`
}
