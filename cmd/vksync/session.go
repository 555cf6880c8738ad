package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
)

// job is what every command that plans is told: what is desired, and what may be
// done for it.
type job struct {
	source
	policy
	journal string
}

func (j *job) addFlags(cmd *cobra.Command) {
	j.source.addFlags(cmd)
	j.policy.addFlags(cmd)
	cmd.Flags().StringVar(&j.journal, "journal", "", "file for the events of the run, one JSON line each")
}

// venue is where a plan is made and run: a live world or a simulated one.
type venue struct {
	endpoints reconcile.Endpoints
	// world is nil for a live one.
	world *simulate.World
	seed  uint64
	poll  time.Duration // apply.Options.Poll
	// inventory, when known, lets the plan check addresses and capacity.
	inventory *resource.Object
	// part is what of a source's repository belongs here; nil is all of it.
	part func(source string) (func(*schema.Desired) *resource.Set, error)
	// recorder is set while and after a plan runs.
	recorder *journal.Recorder
}

// record passes on what happens in a simulated world once a plan runs.
func (v *venue) record(tell journal.Telling) {
	if v.recorder != nil {
		v.recorder.Defer(tell)
	}
}

// names are the Supervisor and the vCenter, for people and for saved plans.
func (v *venue) names() []string {
	return []string{"the Supervisor at " + v.endpoints.Kube.Host, "the vCenter at " + v.endpoints.VSphere.URL.Host}
}

func (v *venue) close() error {
	if v.world == nil {
		return nil
	}
	return v.world.Close()
}

// session is a plan and the venue it was made for.
type session struct {
	*venue
	job     *job
	desired desired
	engine  *reconcile.Engine
	plan    *plan.Plan
	// ahead is how the plan went on another world; nil when it was not played.
	ahead *outlook
}

// begin reads what is desired, observes a venue through the shipping clients, and
// plans. The caller closes the session.
func (j *job) begin(ctx context.Context, at func(context.Context, desired) (*venue, error)) (*session, error) {
	d, err := j.load(ctx)
	if err != nil {
		return nil, err
	}
	if d.Resources.Len() == 0 && !j.prune {
		return nil, d.errNothing()
	}
	v, err := at(ctx, d)
	if err != nil {
		return nil, err
	}
	s := &session{venue: v, job: j}
	if s.desired, err = v.takes(d, j.policy); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// connect observes, and plans.
func (s *session) connect(ctx context.Context) (err error) {
	s.endpoints.Source = s.job.policy.source
	if s.engine, err = reconcile.Connect(ctx, s.endpoints); err != nil {
		return err
	}
	return s.replan(ctx)
}

// takes is what of all that is desired belongs here.
func (v *venue) takes(d desired, p policy) (desired, error) {
	if v.part == nil {
		return d, nil
	}
	part, err := v.part(p.source)
	if part == nil || err != nil {
		return d, err
	}
	here := *d.Desired
	here.Resources = *part(d.Desired)
	d.Desired = &here
	if here.Resources.Len() == 0 && !p.prune {
		return d, invalid(fmt.Errorf("nothing in %s is for this Supervisor: spec.supervisor of a VSphereNamespace says where it and its Clusters live", d.tree.Name))
	}
	return d, nil
}

// replan plans, or plans again.
func (s *session) replan(ctx context.Context) (err error) {
	o := s.job.options()
	o.Revision, o.Inventory = s.desired.tree.Revision, s.inventory
	s.plan, err = s.engine.Plan(ctx, &s.desired.Resources, o)
	return err
}

// run plays the plan. Every event goes to sinks and to the journal file. An
// interrupted run is an End as well.
func (s *session) run(ctx context.Context, sinks ...func(journal.Event)) (journal.End, error) {
	file, err := createJournal(s.job.journal)
	if err != nil {
		return journal.End{}, err
	}
	o := apply.Options{Poll: s.poll, Begin: s.beginning()}
	start := time.Now()
	if s.world != nil {
		// One at a time, so that the order of requests does not depend on the
		// scheduling of goroutines.
		o.World, o.Concurrency, start = s.world, 1, s.world.Now()
		o.Begin.Site, o.Settle = s.world.Meters(), s.world.Settle
	}
	if file != nil {
		sinks = append(sinks, file.add)
	}
	s.recorder = journal.NewRecorder(start, sinks...)
	o.Journal = s.recorder
	end, err := s.engine.Run(ctx, s.plan, o)
	if ctx.Err() != nil {
		end.Outcome, err = journal.Interrupted, nil
	}
	return end, errors.Join(err, file.close())
}

// beginning is what the first event of a run says beside the plan.
func (s *session) beginning() journal.Begin {
	b := journal.Begin{Simulated: s.world != nil, Seed: s.seed, Revision: s.desired.tree.Revision, Forecast: s.ahead.forecast()}
	switch {
	case s.world == nil:
		b.World = strings.Join(s.names(), " and ")
	case s.inventory != nil:
		b.World = "site " + s.inventory.GetName()
	}
	return b
}

// changes says whether the plan would change anything.
func (s *session) changes() bool {
	sum := s.plan.Summary()
	return sum.Create+sum.Update+sum.Delete > 0
}

// acts says whether the plan does or awaits anything.
func (s *session) acts() bool { return s.changes() || s.plan.Summary().Wait > 0 }

// closeTimeout bounds logging out, which must work after an interrupt as well.
const closeTimeout = 5 * time.Second

func (s *session) close() error {
	var err error
	if s.engine != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		err = s.engine.Close(ctx)
	}
	return errors.Join(err, s.venue.close())
}

// errCheckFailed is the exit of a plan or run that did all that could be done,
// which is not all that is desired. With checks it says what failed of them.
func (s *session) errCheckFailed(checks bool) error {
	return outcome{exitNotReached, errors.New("a check failed, so what is desired cannot be reached" + s.failures(checks))}
}

// verdict turns the end of a run into an exit code. It says on stderr what was
// not reached; with causes also why, for who does not see the summary, and with
// checks what failed of them, for who does not see the plan.
func (s *session) verdict(end journal.End, causes, checks bool) error {
	t := s.recorder.Timeline()
	switch {
	case end.Outcome == journal.Reached && !s.plan.Failed():
		return nil
	case end.Outcome == journal.Reached:
		return s.errCheckFailed(checks)
	case end.Outcome == journal.Interrupted:
		n := t.Totals()
		return outcome{exitInterrupted, fmt.Errorf("interrupted after %s%s, with %d of %s reached%s",
			t.Elapsed().Round(time.Second), s.either(" of model time", ""), n.Available+n.Running, counted(n.Clusters+n.Namespaces, "goal"),
			s.either("", "; what has begun goes on, and the next run continues"))}
	}
	text := fmt.Sprintf("the %srun reached %d of %s", s.either("simulated ", ""), end.Reached, counted(end.Goals, "goal"))
	if causes {
		for _, row := range t.Rows() {
			if why := cause(row); why != "" {
				text += fmt.Sprintf("\n%s: %s", row.Addr, why)
			}
		}
	}
	return outcome{exitNotReached, errors.New(text + s.failures(checks))}
}

// either is a word for a simulation, or one for a live run.
func (s *session) either(simulated, live string) string {
	if s.world != nil {
		return simulated
	}
	return live
}

// failures are the checks that failed, a line each.
func (s *session) failures(wanted bool) string {
	var b strings.Builder
	for _, f := range s.plan.Findings {
		if !wanted || f.Severity != plan.Fail {
			continue
		}
		b.WriteString("\n")
		if f.Addr != (resource.Addr{}) {
			fmt.Fprintf(&b, "%s: ", f.Addr)
		}
		b.WriteString(f.Message)
	}
	return b.String()
}

// cause says in a line why a goal was not reached; "" when nothing is known.
func cause(row journal.Row) string {
	switch {
	case row.Blocked != nil:
		return row.Blocked.Cause
	case row.Refused != nil:
		return strings.TrimPrefix(row.Refused.Reason+": "+row.Refused.Message, ": ")
	case row.Delayed != nil:
		return strings.TrimPrefix(row.Delayed.Reason+": "+row.Delayed.Message, ": ")
	}
	return ""
}
