package reconcile

import (
	"time"

	"github.com/vksync/vksync/reconcile/drift"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// Status is how a daemon stands, in the form in which it is served.
type Status struct {
	Sources []SourceStatus `json:"sources"`
	Loops   []LoopStatus   `json:"loops"`
}

// SourceStatus is how a repository stands.
type SourceStatus struct {
	Name string `json:"name"`
	// Newest is the commit last found, Revision the last one that is valid.
	Newest   string `json:"newest,omitempty"`
	Revision string `json:"revision,omitempty"`
	Author   string `json:"author,omitempty"`
	Subject  string `json:"subject,omitempty"`
	Signer   string `json:"signer,omitempty"`
	// CheckedAt is when Git was last asked, NextCheck when it will be, unless there is
	// a hint before.
	CheckedAt time.Time `json:"checkedAt,omitzero"`
	NextCheck time.Time `json:"nextCheck,omitzero"`
	// Error is why Git cannot be followed, Since when that began.
	Error string    `json:"error,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Invalid is why the newest commit is not served.
	Invalid     *Invalid `json:"invalid,omitempty"`
	Evaluations Took     `json:"evaluations"`
}

// Invalid is a commit that cannot be used.
type Invalid struct {
	Revision string   `json:"revision"`
	Problems []string `json:"problems"`
}

// State is what a loop is doing.
type State string

// The states of a loop.
const (
	Connecting State = "connecting"       // to the Supervisor and its vCenter
	Standby    State = "standby"          // another replica leads
	Waiting    State = "waiting for Git"  // for a first valid revision
	Planning   State = "planning"         // observing and comparing
	Running    State = "running"          // acting, and waiting for what comes of it
	Held       State = "held"             // there is something to do that Hold forbids
	InSync     State = "in sync"          // there is nothing to do
	Failing    State = "failing"          // Error says why; it is tried again
	Degraded   State = "waiting to retry" // some goals failed and are tried again later
)

// LoopStatus is how one source stands on one Supervisor.
type LoopStatus struct {
	Source     string    `json:"source"`
	Supervisor string    `json:"supervisor"`
	State      State     `json:"state"`
	Since      time.Time `json:"since"`
	// Leader says that this replica acts.
	Leader bool `json:"leader"`
	// Revision is the one that is planned and run.
	Revision string `json:"revision,omitempty"`
	// Synced is the last revision of which nothing was left to do.
	Synced string `json:"synced,omitempty"`
	// Hold is why what the plan asks for is not done.
	Hold string `json:"hold,omitempty"`
	// Pending is the digest of the plan that waits for approval, Approve the command
	// that approves it.
	Pending string `json:"pending,omitempty"`
	Approve string `json:"approve,omitempty"`
	// Error is why the last plan or run failed, Retry when it is tried again.
	Error string    `json:"error,omitempty"`
	Retry time.Time `json:"retry,omitzero"`
	// Digest, Summary and Findings are of the last plan.
	Digest   string         `json:"digest,omitempty"`
	Summary  plan.Summary   `json:"summary"`
	Findings []plan.Finding `json:"findings,omitempty"`
	Goals    []GoalStatus   `json:"goals,omitempty"`
	Drift    []drift.Item   `json:"drift,omitempty"`
	// Endpoints are the Supervisor and its vCenter.
	Endpoints []EndpointStatus `json:"endpoints,omitempty"`
	// Watch is why what is known of the Supervisor may be out of date.
	Watch string `json:"watch,omitempty"`
	// Unread are the kinds that journals of runs lack.
	Unread []plan.Unread `json:"unread,omitempty"`

	Plans Took `json:"plans"`
	Runs  Runs `json:"runs"`
	// Actions counts what vksync did.
	Actions []ActionCount `json:"actions,omitempty"`
	// Drifted counts what was changed behind vksync's back, by kind.
	Drifted map[string]int `json:"drifted,omitempty"`
}

// GoalStatus is how one goal of the last run stands.
type GoalStatus struct {
	Addr  resource.Addr `json:"addr"`
	State phase.State   `json:"state"`
	Phase phase.ID      `json:"phase,omitempty"`
	// Why it waits or failed, on one line.
	Why string `json:"why,omitempty"`
	// RetryAt is when a failed one is tried again.
	RetryAt time.Time `json:"retryAt,omitzero"`
}

// EndpointStatus is how an endpoint is.
type EndpointStatus struct {
	// Kind is "Supervisor" or "vCenter".
	Kind  string     `json:"kind"`
	Name  string     `json:"name"`
	State link.State `json:"state"`
	Since time.Time  `json:"since"`
	// Error is why State is not ok, Retry when the next request is let through.
	Error string    `json:"error,omitempty"`
	Retry time.Time `json:"retry,omitzero"`
}

// ActionCount counts actions that ended the same way.
type ActionCount struct {
	Verb   string              `json:"verb"`
	Result journal.ActionState `json:"result"`
	Count  int                 `json:"count"`
}

// Runs counts runs by outcome.
type Runs struct {
	Reached     int `json:"reached"`
	NotReached  int `json:"notReached"`
	Interrupted int `json:"interrupted"`
	Failed      int `json:"failed"`
}

// Took is how often something was done and how long that took together.
type Took struct {
	Count   uint64  `json:"count"`
	Seconds float64 `json:"seconds"`
	// Last is how long the last one took.
	Last float64 `json:"lastSeconds"`
}

func (t *Took) add(d time.Duration) {
	t.Count++
	t.Seconds += d.Seconds()
	t.Last = d.Seconds()
}

// connects takes in how the endpoints are.
func (s *LoopStatus) connects(h Health) {
	s.Watch, s.Unread, s.Endpoints = h.Watch, h.Unread, nil
	for i, e := range []link.Health{h.Supervisor, h.VCenter} {
		if e.State != "" {
			s.Endpoints = append(s.Endpoints, EndpointStatus{Kind: [...]string{"Supervisor", "vCenter"}[i], Name: e.Name, State: e.State, Since: e.Since, Error: e.LastError, Retry: e.Retry})
		}
	}
}
