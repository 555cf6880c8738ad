package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/vksync/vksync/tui"
	"github.com/vksync/vksync/tui/dashboard"
)

// dashboardPatience is how long an origin may take before its dashboard opens: what fails
// by then is only said.
const dashboardPatience = 300 * time.Millisecond

// board is the outlet of a terminal.
type board struct{ *dashboard.Board }

func (b board) stream(name string) channel { return b.Stream(name) }

// show shows an origin on the terminal until the user leaves.
func (o *dashboardOptions) show(ctx context.Context, io streams, from origin) error {
	showing, end := context.WithCancel(ctx)
	defer end()
	on := board{dashboard.NewBoard()}
	running := make(chan struct{})
	var failed error // why the origin ended; read after running is closed
	go func() {
		defer close(running)
		defer end() // without an origin there is nothing to look at
		failed = guarded(func() error { return from.run(showing, on) })
	}()
	var interrupted atomic.Bool
	config := dashboard.Config{Interrupt: func() { interrupted.Store(true); end() }}
	from.configure(&config)
	if config.Player == nil { // which has its first event already
		select {
		case <-running:
			return failed
		case <-time.After(dashboardPatience):
		}
	}
	options := tui.Detect(io.out, os.Environ()).Options()
	options.Title = "vksync dashboard"
	err := tui.Show(showing, io.in, io.out, options, on.Board, config)
	end()
	<-running
	if err = errors.Join(err, failed); err == nil && (interrupted.Load() || ctx.Err() != nil) {
		return outcome{code: exitInterrupted}
	}
	return err
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
