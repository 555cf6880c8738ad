package tui

import (
	"cmp"
	"context"
	"errors"
	"io"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/dashboard"
)

// ErrNotApproved is the end of an Ask when the user left without approving.
var ErrNotApproved = errors.New("the plan was not approved")

// Ask shows a proposed plan on the dashboard of a terminal until the user approves
// it. Check is called then: somebody took time to decide. When it is content, what
// Ask returns is the display for the run of the plan, which goes on in the same
// dashboard. Else the terminal is given back, and the error is that of check,
// ErrNotApproved, or that of ctx, which interrupt is to end when the user presses
// Ctrl-C.
func Ask(ctx context.Context, in io.Reader, out io.Writer, o Options, proposed journal.Begin, check func(context.Context) error, interrupt func()) (Display, error) {
	yes := make(chan struct{}, 1)
	l := openLive(ctx, in, out, o, 0, dashboard.Config{
		Interrupt: interrupt, Asks: true,
		Approve: func(string, string) error {
			select {
			case yes <- struct{}{}:
			default: // it was said before
			}
			return nil
		},
	})
	proposed.Proposed = true
	l.stream.Event(journal.Event{Begin: &proposed}) // the summary is not of it
	select {
	case <-yes:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), l.end(tea.Quit()))
	case <-l.ended:
		return nil, cmp.Or(l.end(tea.Quit()), ErrNotApproved)
	}
	if err := check(ctx); err != nil {
		return nil, errors.Join(err, l.end(tea.Quit())) // whatever the user is looking at
	}
	return l, nil
}
