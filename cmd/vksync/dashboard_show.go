package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
	"github.com/vksync/vksync/tui/dashboard"
)

// dashboardPatience is how long an origin may take before its dashboard opens: what
// fails by then is only said.
const dashboardPatience = 300 * time.Millisecond

// board is the outlet of a terminal.
type board struct{ *dashboard.Board }

func (b board) stream(name string) channel { return b.Stream(name) }

// show shows an origin on the terminal until the user leaves.
func (o *dashboardOptions) show(ctx context.Context, io streams, from origin) error {
	showing, end := context.WithCancelCause(ctx)
	defer end(nil)
	board := board{dashboard.NewBoard()}
	ended := make(chan error, 1)
	go func() {
		ended <- guarded(func() error { return from.run(showing, careful{board, end}) })
		end(nil) // without an origin there is nothing to look at
	}()
	config := dashboard.Config{Interrupt: func() { end(outcome{code: exitInterrupted}) }}
	from.configure(&config)
	if config.Player == nil { // which has its first event already
		select {
		case err := <-ended:
			return errors.Join(err, interruption(ctx, showing))
		case <-time.After(dashboardPatience):
		}
	}
	options := tui.Detect(io.out, os.Environ()).Options()
	options.Title = "vksync dashboard"
	err := tui.Show(showing, io.in, io.out, options, board.Board, config)
	end(nil)
	return errors.Join(err, <-ended, interruption(ctx, showing))
}

// interruption is what ended a dashboard before its user had seen enough: nil when
// nothing did.
func interruption(ctx, showing context.Context) error {
	if ctx.Err() != nil {
		return outcome{code: exitInterrupted}
	}
	if err := context.Cause(showing); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// careful is an outlet in front of a terminal. What fails in it, on whatever
// goroutine, ends the dashboard and gives the terminal back.
type careful struct {
	outlet
	end context.CancelCauseFunc
}

func (c careful) stream(name string) channel { return carefulChannel{c.outlet.stream(name), c.end} }

type carefulChannel struct {
	channel
	end context.CancelCauseFunc
}

func (c carefulChannel) Events(events []journal.Event) {
	if err := guarded(func() error { c.channel.Events(events); return nil }); err != nil {
		c.end(err)
	}
}

// guarded turns a panic into an error, so that the terminal is given back before
// anybody hears of it.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}
