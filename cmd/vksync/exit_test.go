package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/spf13/cobra"
)

func TestErrorsHaveExitCodes(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		code int
		says string
	}{
		{"none", t.Context(), nil, exitOK, ""},
		{"a fault of the program", t.Context(), errors.New("disk full"), exitError, "vksync: disk full\n"},
		{"a fault of the input", t.Context(), invalid(errors.New("no such flag")), exitInvalid, "vksync: no such flag\n"},
		{"a code without words", t.Context(), outcome{code: exitChanges}, exitChanges, ""},
		{"a code in good company", t.Context(), errors.Join(outcome{code: exitNotReached, err: errors.New("1 of 2")}, nil), exitNotReached, "vksync: 1 of 2\n"},
		{"an interrupt", ended, fmt.Errorf("planning: %w", context.Canceled), exitInterrupted, "vksync: interrupted\n"},
		{"a cancelled request without an interrupt", t.Context(), context.Canceled, exitError, "vksync: context canceled\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := &cobra.Command{}
			cmd.SetContext(tt.ctx)
			var said bytes.Buffer
			code := report(&said, runE(func(*cobra.Command, []string) error { return tt.err })(cmd, nil))
			if code != tt.code || said.String() != tt.says {
				t.Errorf("exit code %d and %q, want %d and %q", code, said.String(), tt.code, tt.says)
			}
		})
	}
}

func TestWhatIsShownHasNoCredentialsAndNoControlCodes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\x1b[2Jb\nc\td":                       "a\uFFFD[2Jb\nc\td",
		"\u009b31m":                             "\uFFFD31m",
		"https://ada:hunter2@git.example/fleet": "https://(hidden)@git.example/fleet",
	} {
		if got := shown(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
