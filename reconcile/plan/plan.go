// Package plan says what has to be done so that what is observed becomes what a
// revision asks for, and what speaks against it. It is pure: data in, data out,
// without network, file system, clock or context.
//
// A Plan holds Findings (the result of every preflight check), Actions in the
// order in which vksync will take them, grouped by phase, and Goals, one for
// every resource the plan is about. It hides how fields are compared: what the
// Supervisor's webhooks and controllers write into a Cluster is never a
// difference (domain.md 8.1).
package plan

import (
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// SchemaVersion is the version of the JSON form.
const SchemaVersion = "vksync.dev/plan/v1"

// Plan is the difference between what is desired and what is observed. It is
// read only once made.
type Plan struct {
	// Revision is the commit that was asked for; empty when it is not known.
	Revision string
	// Policy is what the plan was made under.
	Policy   Policy
	Findings []Finding
	// Actions are in the order in which they are begun: by phase, then by address.
	Actions []Action
	// Goals has every desired resource and every one that is to be deleted, by address.
	Goals []Goal
	// Desired is what the plan leads to, with the labels vksync adds. It is not
	// part of the JSON form.
	Desired *resource.Set
	// Inventory is that of the checks, nil when none was known. It is not part of the
	// JSON form.
	Inventory *resource.Object
	// observed is what the plan was made from, as far as it is asked for afterwards.
	observed *Observed
}

// Policy is what the operator allows. The zero Policy owns nothing and deletes nothing.
type Policy struct {
	// Source is the value of the label vksync.dev/source: resources that carry
	// it are owned by this repository. Empty owns nothing.
	Source string `json:"source,omitempty"`
	// Prune allows owned resources that are no longer desired to be deleted.
	Prune bool `json:"prune"`
	// PruneLimit is how many resources one run may delete; past it none is
	// deleted. 0 means no limit.
	PruneLimit int `json:"pruneLimit,omitempty"`
	// Adopt allows existing resources without the label to be taken over: they get
	// the label, and are changed and pruned like any other from then on.
	Adopt bool `json:"adopt"`
	// ForceConflicts allows fields to be changed that another field manager owns,
	// which takes them over from it. Without it that is refused, naming who owns
	// what. It is not part of adopting: an object may be this source's and some of
	// its fields another controller's. It is left out of the JSON form where it is
	// not set, so that plans made before it keep their digest.
	ForceConflicts bool `json:"forceConflicts,omitempty"`
}

// Verb is what an Action does.
type Verb string

// The verbs. None waits for a resource that is as desired but not ready.
const (
	Create Verb = "create"
	Update Verb = "update"
	Delete Verb = "delete"
	None   Verb = "none"
)

// Symbol is the mark of the verb in the text form.
func (v Verb) Symbol() string {
	switch v {
	case Create:
		return "+"
	case Update:
		return "~"
	case Delete:
		return "-"
	}
	return "="
}

// Effect is what a change does to machines that run.
type Effect string

// The effects, the mildest first.
const (
	InPlace   Effect = "in place"
	Scale     Effect = "scale"
	Rolling   Effect = "rolling replacement" // machines are replaced one by one
	Forbidden Effect = "forbidden"           // the API refuses it; the cluster has to be made anew
)

// Change is one field that gets another value. Old is nil for a field that is
// added, New for one that is removed. Values are redacted.
type Change struct {
	// Path is dotted, list elements by name: "spec.topology.variables[vmClass]".
	Path string `json:"path"`
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
	// Effect is empty for what is created.
	Effect Effect `json:"effect,omitempty"`
	// Affects names what Effect is about: "control plane", "workers np-1".
	Affects string `json:"affects,omitempty"`
}

// Action is one thing vksync does, or waits for when Verb is None.
type Action struct {
	Addr  resource.Addr     `json:"addr"`
	Verb  Verb              `json:"verb"`
	Phase phase.ID          `json:"phase"`
	Pos   resource.Position `json:"position,omitzero"`
	// Changes are by path; empty for Delete and None.
	Changes []Change `json:"changes,omitempty"`
	// Effect is the strongest of the Changes.
	Effect Effect `json:"effect,omitempty"`
	// Parts are what the update of a Cluster does to its machines, and Peak the most
	// there is of them meanwhile; nil when no machine comes or goes.
	Parts []PartChange `json:"parts,omitempty"`
	Peak  *Peak        `json:"peak,omitempty"`
	// Reason says what a None action waits for, and why a Delete is due.
	Reason string `json:"reason,omitempty"`
	// Skip is why the action will not be taken; empty for one that will.
	Skip string `json:"skip,omitempty"`
	// Force takes fields over from other field managers: with Policy.ForceConflicts, or
	// those of Observed.Reclaimed.
	Force bool `json:"force,omitempty"`
	// UID is of the observed resource, and a precondition of its deletion.
	UID string `json:"uid,omitempty"`
	// Object is what to apply; empty for Delete and None.
	Object resource.Object `json:"-"`
}

// Goal is what one resource is to become.
type Goal struct {
	Addr resource.Addr `json:"addr"`
	// Verb is that of its Action, and None without one.
	Verb Verb `json:"verb"`
	// ControlPlane and Workers count the machines wanted; 0 for what is to be
	// deleted and for vSphere Namespaces.
	ControlPlane int64 `json:"controlPlane,omitempty"`
	Workers      int64 `json:"workers,omitempty"`
}

// Severity is the result of a check.
type Severity string

// The results. Unknown means that what the check needs could not be read, and
// Skipped that there was nothing to check.
const (
	OK      Severity = "ok"
	Warn    Severity = "warn"
	Fail    Severity = "fail"
	Skipped Severity = "skipped"
	Unknown Severity = "unknown"
)

// Finding is the result of a preflight check. A check that found nothing wrong
// has one Finding for all resources, without an Addr.
type Finding struct {
	Severity Severity          `json:"severity"`
	Code     string            `json:"code"`
	Addr     resource.Addr     `json:"addr,omitzero"`
	Pos      resource.Position `json:"position,omitzero"`
	Message  string            `json:"message"`
	// Hint is what to do next; may be empty.
	Hint string `json:"hint,omitempty"`
}

// Empty reports that there is nothing to do and nothing to wait for.
func (p *Plan) Empty() bool { return len(p.Actions) == 0 }

// Failed reports that a check failed, so that running the plan cannot reach
// what is desired.
func (p *Plan) Failed() bool {
	for _, f := range p.Findings {
		if f.Severity == Fail {
			return true
		}
	}
	return false
}

// Summary counts the actions that will be taken.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Delete  int `json:"delete"`
	Wait    int `json:"wait"`
	Skipped int `json:"skipped"`
}

// Summary counts the actions of the plan.
func (p *Plan) Summary() Summary {
	var s Summary
	for _, a := range p.Actions {
		switch {
		case a.Skip != "":
			s.Skipped++
		case a.Verb == Create:
			s.Create++
		case a.Verb == Update:
			s.Update++
		case a.Verb == Delete:
			s.Delete++
		default:
			s.Wait++
		}
	}
	return s
}
