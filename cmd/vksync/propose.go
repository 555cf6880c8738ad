package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
)

// asksOnScreen says whether the plan is shown and asked about on the dashboard: on a
// terminal, where there is anything to decide and to do.
func (o *applyOptions) asksOnScreen(s *session) bool {
	return o.mode == tui.Live && o.shows() && !o.yes && o.saved == nil && s.acts() && o.interactive()
}

// propose shows the plan on the dashboard, has it approved there, and runs it in the
// same one.
func (o *applyOptions) propose(ctx context.Context, io streams, s *session) error {
	begin, err := apply.Begin(s.beginning(), s.plan, time.Now())
	if err != nil {
		return err
	}
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	shown, err := tui.Ask(ctx, io.in, io.out, displayOptions(io.out, s.desired.tree.Name), begin, s.stillHolds, interrupt)
	switch {
	case errors.Is(err, tui.ErrNotApproved):
		// What was looked at stays on the screen, as without a dashboard.
		if err := showPlan(io.out, s); err != nil {
			return err
		}
		return outcome{exitError, fmt.Errorf("not applied: %w", err)}
	case err != nil && ctx.Err() != nil:
		return outcome{exitInterrupted, errors.New("interrupted")}
	case err != nil:
		return err
	}
	return o.perform(ctx, s, func(ctx context.Context) (journal.End, error) { return playOn(ctx, s, shown) })
}
