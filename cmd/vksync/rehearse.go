package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
)

// A rehearsal is a plan for a live world that is played on a simulated copy of it:
// the site of the Inventory, on which first what was observed is made.
type rehearsal struct {
	plan.Rehearsal
	*session // of the copy
	outlook  *outlook
}

// rehearse plays the plan of a live session. Its events go to the file that is named.
func (s *session) rehearse(file string) func(context.Context) (*outlook, error) {
	return func(ctx context.Context) (*outlook, error) { return s.rehearsed(ctx, file) }
}

func (s *session) rehearsed(ctx context.Context, file string) (_ *outlook, err error) {
	if s.inventory == nil {
		return &outlook{none: "no Inventory says what the site has; put one into the repository, or name a file with --inventory"}, nil
	}
	r := rehearsal{Rehearsal: s.plan.Rehearse(forecastGoals), outlook: &outlook{}}
	if n := r.Before.Len(); n > forecastGoals {
		return nil, fmt.Errorf("%d clusters and vSphere Namespaces exist where the plan changes something, and a forecast is made with up to %d", n, forecastGoals)
	}
	v, err := (&site{seed: 1}).simulated(s.inventory)
	if err != nil {
		return nil, err
	}
	r.session = &session{venue: v, job: &job{policy: policyOf(r.Policy)}, desired: desired{Desired: new(schema.Desired), tree: s.desired.tree}}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	if err := r.build(ctx); err != nil {
		return nil, err
	}
	r.job.journal = file
	return r.outlook, r.play(ctx)
}

// build makes what exists. Nothing of the plan has happened then.
func (r *rehearsal) build(ctx context.Context) error {
	if err := r.planFor(ctx, &r.Before, true); err != nil {
		return err
	}
	_, err := r.run(ctx)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	rows := r.recorder.Timeline().Rows()
	// The causes first: a Cluster whose namespace fails is refused for that.
	slices.SortStableFunc(rows, func(a, b journal.Row) int { return cmp.Compare(b.Addr.Kind, a.Addr.Kind) })
	for _, row := range rows {
		switch {
		case row.State == phase.Done:
		case row.Refused != nil && row.Addr.Kind == resource.KindCluster:
			r.leaveOut(row.Addr, cause(row), true)
		default:
			return fmt.Errorf("%s exists and does not come up on a simulated copy of the site: %s", row.Addr, cause(row))
		}
	}
	r.outlook.basis = r.basis()
	return nil
}

// basis says what the copy is made of.
func (r *rehearsal) basis() string {
	clusters, namespaces := 0, 0
	for a := range r.Before.All() {
		if a.Kind == resource.KindCluster {
			clusters++
		} else {
			namespaces++
		}
	}
	text := fmt.Sprintf("the site of Inventory %s, with %s and %s as observed", r.inventory.GetName(), counted(clusters, "cluster"), counted(namespaces, "vSphere Namespace"))
	if r.Elsewhere > 0 {
		text += fmt.Sprintf(", and without %s of other namespaces", counted(r.Elsewhere, "cluster"))
	}
	return text
}

// play makes the plan there, and runs it.
func (r *rehearsal) play(ctx context.Context) error {
	if err := r.planFor(ctx, &r.After, false); err != nil {
		return err
	}
	if !r.acts() {
		r.outlook.none = "nothing of the plan can be played"
		return nil
	}
	return r.outlook.play(ctx, r.session)
}

// planFor plans for what is desired, and leaves out what the simulation refuses.
func (r *rehearsal) planFor(ctx context.Context, want *resource.Set, existing bool) error {
	r.desired.Resources = *want
	if err := r.replan(ctx); err != nil {
		return err
	}
	refused := false
	for _, a := range r.plan.Actions {
		if a.Skip != "" {
			refused = true
			r.leaveOut(a.Addr, a.Skip, existing)
		}
	}
	if !refused {
		return nil
	}
	r.desired.Resources = *want
	return r.replan(ctx)
}

func (r *rehearsal) leaveOut(a resource.Addr, why string, gone bool) {
	r.LeaveOut(a, gone)
	r.outlook.without = append(r.outlook.without, fmt.Sprintf("%s: %s", a, why))
}

// policyOf is the policy of a plan that is made elsewhere.
func policyOf(p plan.Policy) policy {
	var out policy
	out.setFrom(p)
	return out
}
