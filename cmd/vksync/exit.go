package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/resource"
)

// The exit codes, the same for every command.
const (
	exitOK          = 0   // done, or nothing to do
	exitError       = 1   // something failed that is no fault of the input
	exitChanges     = 2   // plan --detailed-exitcode: there are changes
	exitInvalid     = 3   // manifests, flags or files that cannot be used
	exitNotReached  = 4   // the run, live or simulated, did not reach its goals
	exitInterrupted = 130 // Ctrl-C or SIGTERM
)

// outcome is an exit code on its way up. Without an error it says nothing more.
type outcome struct {
	code int
	err  error
}

func (o outcome) Error() string {
	if o.err == nil {
		return fmt.Sprintf("exit code %d", o.code)
	}
	return o.err.Error()
}

func (o outcome) Unwrap() error { return o.err }

// invalid marks err as a fault of the input. Nil stays nil.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	return outcome{exitInvalid, err}
}

// A verdict takes the error of a command past fang. That would ask the terminal for
// its colours to print it in, of which nothing is used here: a terminal that answers
// late answers the shell, and one that does not answer costs four seconds.
type verdict struct{ err error }

type verdictKey struct{}

// runE gives every error of a command its exit code, and to the verdict if the
// context has one. Those that come without a code are then cobra's own, about the
// command line.
func runE(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := coded(cmd.Context(), f(cmd, args))
		if v, is := cmd.Context().Value(verdictKey{}).(*verdict); is {
			v.err = err
			return nil
		}
		return err
	}
}

func coded(ctx context.Context, err error) error {
	var o outcome
	switch {
	case err == nil, errors.As(err, &o):
		return err
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return outcome{exitInterrupted, errors.New("interrupted")}
	}
	return outcome{exitError, err}
}

// report says on w what went wrong, and returns the exit code.
func report(w io.Writer, err error) int {
	var o outcome
	switch {
	case err == nil:
		return exitOK
	case !errors.As(err, &o):
		o = outcome{exitInvalid, fmt.Errorf("%w\nRun 'vksync --help' to see what is possible", err)}
	}
	if o.err != nil {
		fmt.Fprintf(w, "vksync: %s\n", shown(o.err.Error()))
	}
	return o.code
}

// shown is text fit for a terminal: without credentials, and without control
// codes, which names and values of manifests may hold.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, resource.Redact(text))
}
