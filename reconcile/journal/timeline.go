package journal

import (
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// A Timeline is the state reduced from a journal: how far every goal has come,
// and counts of what there is. It is not safe for concurrent use.
type Timeline struct {
	begin   *Begin
	goals   goals
	end     *End
	elapsed time.Duration
	tracker *phase.Tracker
	// faults hold what is remembered of a goal beside its progress.
	faults  map[resource.Addr]*fault
	objects int
	vms     int
	events  int
}

// fault is what stopped a goal.
type fault struct {
	blocked *Blocked
	refused *Action
	delayed *Action
}

// NewTimeline is the state before the first event.
func NewTimeline() *Timeline {
	return &Timeline{tracker: phase.NewTracker(nil), faults: map[resource.Addr]*fault{}}
}

// A Row is one goal.
type Row struct {
	phase.Progress
	// Blocked is the last Blocked event, while it holds.
	Blocked *Blocked
	// Refused is vksync's own action when it failed.
	Refused *Action
	// Delayed is vksync's own action while it is tried again.
	Delayed *Action
}

// Totals count what the goals have come to and what the run has made.
type Totals struct {
	// Clusters and Namespaces count goals, Available and Running those reached.
	// A goal that is to be gone is reached when it is.
	Clusters, Available int
	Namespaces, Running int
	// Stuck counts goals that are blocked or failed.
	Stuck int
	// Objects and VMs count what the run made and did not remove again; they
	// are negative when it removed more.
	Objects, VMs int
	Events       int
}

// Apply takes an event in.
func (t *Timeline) Apply(e Event) {
	at := e.At()
	t.elapsed = max(t.elapsed, at)
	t.events++
	switch {
	case e.Object != nil:
		t.applyObject(at, e.Object)
	case e.VM != nil:
		t.applyVM(at, e.VM)
	case e.Begin != nil:
		t.applyBegin(at, e.Begin)
	case e.Goal != nil:
		t.applyGoal(at, *e.Goal)
	case e.Action != nil:
		t.applyAction(at, e.Action)
	case e.Warning != nil:
		w := e.Warning
		t.tracker.Warned(at, w.Cluster, phase.Link{Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, Reason: w.Reason, Message: w.Message})
	case e.Blocked != nil:
		t.tracker.Block(at, e.Blocked.Addr, e.Blocked.Phase)
		t.fault(e.Blocked.Addr).blocked = e.Blocked
	case e.End != nil:
		t.end = e.End
		t.tracker.Finish(at, e.End.Outcome == Reached, e.End.Outcome == Interrupted)
	}
}

// applyBegin takes the goals of a run, which knows nothing of what exists, or of
// a world that is watched, where all there is will be told.
func (t *Timeline) applyBegin(at time.Duration, b *Begin) {
	t.begin, t.goals = b, goalsOf(b)
	if b.Watched {
		t.tracker = phase.NewTracker(nil)
		for _, g := range t.goals.list {
			t.tracker.Aim(at, aimOf(g))
		}
		return
	}
	aims := make([]phase.Goal, len(t.goals.list))
	for i, g := range t.goals.list {
		aims[i] = aimOf(g)
	}
	t.tracker = phase.NewTracker(aims)
}

func (t *Timeline) applyGoal(at time.Duration, g Goal) {
	if g.Verb == VerbForget {
		t.goals.forget(g.Addr)
		t.tracker.Forget(g.Addr)
		delete(t.faults, g.Addr)
		return
	}
	t.goals.put(g)
	t.tracker.Aim(at, aimOf(g))
}

func aimOf(g Goal) phase.Goal {
	return phase.Goal{Addr: g.Addr, Verb: g.Verb, ControlPlane: g.ControlPlane, Workers: g.Workers}
}

func (t *Timeline) applyObject(at time.Duration, o *Object) {
	switch o.Verb {
	case resource.Created:
		t.objects++
	case resource.Deleted:
		t.objects--
	}
	t.tracker.Apply(at, o.Cluster, o.PhaseID, o.Change)
}

func (t *Timeline) applyVM(at time.Duration, v *VM) {
	if v.Error == "" {
		switch v.Op {
		case "CreateVM_Task":
			t.vms++
		case "Destroy_Task":
			t.vms--
		}
	}
	t.tracker.Operated(at, phase.Operation{
		Namespace: v.Namespace, Cluster: v.Cluster, VM: v.Name, Op: v.Op, Task: v.Task, Error: v.Error,
	})
}

func (t *Timeline) applyAction(at time.Duration, a *Action) {
	switch a.State {
	case ActionStarted:
		t.tracker.Acted(at, a.Addr, phase.Running)
	case ActionDone:
		t.tracker.Acted(at, a.Addr, phase.Done)
		if f := t.faults[a.Addr]; f != nil {
			f.refused, f.delayed = nil, nil
		}
	case ActionDelayed:
		t.fault(a.Addr).delayed = a
	case ActionFailed:
		t.tracker.Acted(at, a.Addr, phase.Failed)
		f := t.fault(a.Addr)
		f.refused, f.delayed = a, nil
	}
}

func (t *Timeline) fault(a resource.Addr) *fault {
	f := t.faults[a]
	if f == nil {
		f = &fault{}
		t.faults[a] = f
	}
	return f
}

// Begin is the first event, nil before it.
func (t *Timeline) Begin() *Begin { return t.begin }

// End is the last event, nil before it.
func (t *Timeline) End() *End { return t.end }

// Elapsed is the time of the last event since the start of the run.
func (t *Timeline) Elapsed() time.Duration { return t.elapsed }

// Goals are those of Begin and of the Goal events since, in the order in which
// they came. The list is the Timeline's own: it must not be changed, and is good
// until the next event.
func (t *Timeline) Goals() []Goal { return t.goals.all() }

// Rows are the goals with how far they have come, in the order of Goals.
func (t *Timeline) Rows() []Row {
	goals := t.goals.all()
	if goals == nil {
		return nil
	}
	rows := make([]Row, 0, len(goals))
	for _, g := range goals {
		if row, ok := t.Row(g.Addr); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// Row is one goal; false for what is none.
func (t *Timeline) Row(a resource.Addr) (Row, bool) {
	p, ok := t.tracker.Progress(a)
	if !ok {
		return Row{}, false
	}
	row := Row{Progress: p}
	if f := t.faults[a]; f != nil {
		row.Refused, row.Delayed = f.refused, f.delayed
		if p.State == phase.Blocked || p.State == phase.Failed {
			row.Blocked = f.blocked
		}
	}
	return row, true
}

// Standing is how a goal stands, without the rest of its Row: the zero State
// for what is no goal.
func (t *Timeline) Standing(a resource.Addr) (phase.State, phase.ID) { return t.tracker.Standing(a) }

// States are the states of a goal's phases in the order of phase.All.
func (t *Timeline) States(a resource.Addr) [7]phase.State { return t.tracker.States(a) }

// Totals count the goals and what the run has made.
func (t *Timeline) Totals() Totals {
	out := Totals{Objects: t.objects, VMs: t.vms, Events: t.events}
	for _, g := range t.goals.all() {
		state, _ := t.tracker.Standing(g.Addr)
		reached := 0
		switch state {
		case phase.Done:
			reached = 1
		case phase.Blocked, phase.Failed:
			out.Stuck++
		}
		if g.Addr.Kind == resource.KindVSphereNamespace {
			out.Namespaces++
			out.Running += reached
			continue
		}
		out.Clusters++
		out.Available += reached
	}
	return out
}

// Why is the causal chain from a goal down to what it waits for. What a Blocked
// event said, while it holds, goes before what the objects say now, unless that
// goes deeper.
func (t *Timeline) Why(a resource.Addr) []phase.Link {
	chain := t.tracker.Why(a)
	if row, ok := t.Row(a); ok && row.Blocked != nil && len(row.Blocked.Chain) >= len(chain) {
		return row.Blocked.Chain
	}
	return chain
}
