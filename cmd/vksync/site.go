package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	siteinventory "github.com/vksync/vksync/simulate/inventory"
)

// site says on what world a plan is made and played, and what it may do there.
type site struct {
	inventory  string
	from       string
	seed       uint64
	speed      float64
	source     string
	prune      bool
	pruneLimit int
	adopt      bool
	journal    string
}

func (s *site) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.inventory, "inventory", "", "file with the Inventory, else that in PATH or the lab")
	f.StringVar(&s.from, "from", "", "saved world to go on from, instead of an empty one")
	f.Uint64Var(&s.seed, "seed", 1, "decides names and durations; same seed, same run")
	f.StringVar(&s.source, "source", "default", "label "+resource.LabelSource+" of what is owned")
	f.BoolVar(&s.prune, "prune", false, "delete what is owned and no longer in the repository")
	f.IntVar(&s.pruneLimit, "prune-limit", 5, "refuse to delete more than this; 0 is no limit")
	f.BoolVar(&s.adopt, "adopt", false, "take over what exists and another or nobody owns")
	f.StringVar(&s.journal, "journal", "", "file for the events of the run, one JSON line each")
	cmd.MarkFlagsMutuallyExclusive("inventory", "from")
}

// check refuses values that cannot be used.
func (s *site) check() error {
	if s.pruneLimit < 0 {
		return invalid(fmt.Errorf("--prune-limit is %d: want 0 (no limit) or more", s.pruneLimit))
	}
	if faults := validation.IsValidLabelValue(s.source); s.source == "" || len(faults) > 0 {
		return invalid(fmt.Errorf("--source is %q: want a label value, such as \"payments\": %s", s.source, strings.Join(append(faults, "not empty"), "; ")))
	}
	if s.from != "" {
		if info, err := os.Stat(s.from); err != nil || !info.IsDir() {
			return invalid(fmt.Errorf("--from %s is not a directory: want one that simulate --save has written", s.from))
		}
	}
	return nil
}

// session is a plan and the simulated world it was made for.
type session struct {
	site     *site
	world    *simulate.World
	engine   *reconcile.Engine
	plan     *plan.Plan
	revision string
	// recorder is set while and after the plan runs.
	recorder *journal.Recorder
}

// begin builds the world, observes it through the shipping clients, and plans.
// The caller closes the session.
func (s *site) begin(ctx context.Context, d desired) (*session, error) {
	if d.Resources.Len() == 0 && !s.prune {
		return nil, d.errNothing()
	}
	chosen, err := s.chosenInventory(ctx, d)
	if err != nil {
		return nil, err
	}
	made := &session{site: s, revision: d.tree.Revision}
	if made.world, err = s.build(chosen, made); err != nil {
		return nil, err
	}
	if err := made.connect(ctx, d, chosen); err != nil {
		return nil, errors.Join(err, made.close())
	}
	return made, nil
}

// chosenInventory is nil when a saved world brings its own.
func (s *site) chosenInventory(ctx context.Context, d desired) (*resource.Object, error) {
	var chosen resource.Object
	var err error
	switch {
	case s.from != "":
		return nil, nil
	case s.inventory != "":
		chosen, err = inventory(ctx, s.inventory)
	case len(d.Inventories) > 0:
		chosen, err = only(d.Inventories, d.tree.Name)
	default:
		chosen = schema.LabInventory()
	}
	return &chosen, err
}

func (s *site) build(chosen *resource.Object, made *session) (*simulate.World, error) {
	config := simulate.Config{Seed: s.seed, From: s.from, Speed: s.speed, Record: made.record}
	if chosen != nil {
		var err error
		if config.Inventory, err = siteinventory.Decode(chosen.Object); err != nil {
			return nil, invalid(fmt.Errorf("%s: %w", chosen.Source, err))
		}
	}
	world, err := simulate.New(config)
	if err != nil && s.from != "" {
		return nil, invalid(fmt.Errorf("--from %s: %w", s.from, err))
	}
	return world, err
}

// record passes on what happens in the world once a plan runs.
func (s *session) record(now time.Time, e journal.Event) {
	if s.recorder != nil {
		s.recorder.Record(now, e)
	}
}

func (s *session) connect(ctx context.Context, d desired, chosen *resource.Object) (err error) {
	if chosen == nil {
		saved, err := s.world.Inventory()
		if err != nil {
			return err
		}
		chosen = &saved
	}
	s.engine, err = reconcile.Connect(ctx, reconcile.Endpoints{
		Kube:    s.world.KubeConfig(),
		VSphere: s.world.VSphereConfig(),
		World:   s.world,
		Source:  s.site.source,
	})
	if err != nil {
		return err
	}
	s.plan, err = s.engine.Plan(ctx, &d.Resources, reconcile.Options{
		Revision:   s.revision,
		Prune:      s.site.prune,
		PruneLimit: s.site.pruneLimit,
		Adopt:      s.site.adopt,
		Inventory:  chosen,
	})
	return err
}

// run plays the plan. Every event goes to sinks and to the journal file. An
// interrupted run is an End as well.
func (s *session) run(ctx context.Context, sinks ...func(journal.Event)) (journal.End, error) {
	file, err := createJournal(s.site.journal)
	if err != nil {
		return journal.End{}, err
	}
	s.recorder = journal.NewRecorder(s.world.Now(), append(sinks, file.add)...)
	end, err := s.engine.Run(ctx, s.plan, apply.Options{
		World:   s.world,
		Journal: s.recorder,
		// One at a time, so that the order of requests does not depend on the
		// scheduling of goroutines.
		Concurrency: 1,
		Begin:       journal.Begin{Simulated: true, Seed: s.site.seed, Revision: s.revision},
	})
	if ctx.Err() != nil {
		end.Outcome, err = journal.Interrupted, nil
	}
	return end, errors.Join(err, file.close())
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
	return errors.Join(err, s.world.Close())
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
		return outcome{exitNotReached, errors.New("a check failed, so what is desired cannot be reached" + s.failures(checks))}
	case end.Outcome == journal.Interrupted:
		n := t.Totals()
		return outcome{exitInterrupted, fmt.Errorf("interrupted after %s of model time, with %d of %s reached",
			t.Elapsed().Round(time.Second), n.Available+n.Running, counted(n.Clusters+n.Namespaces, "goal"))}
	}
	text := fmt.Sprintf("the simulated run reached %d of %s", end.Reached, counted(end.Goals, "goal"))
	if causes {
		for _, row := range t.Rows() {
			if why := cause(row); why != "" {
				text += fmt.Sprintf("\n%s: %s", row.Addr, why)
			}
		}
	}
	return outcome{exitNotReached, errors.New(text + s.failures(checks))}
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
	}
	return ""
}
