package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/dashboard"
)

// broken is an outlet that fails.
type broken struct{}

func (broken) stream(string) channel        { return broken{} }
func (broken) Events([]journal.Event)       { panic("no more room") }
func (broken) Connect(dashboard.Connection) {}

// A failure on any goroutine ends the dashboard, which gives the terminal back.
func TestWhatFailsBesideTheDisplayEndsIt(t *testing.T) {
	t.Parallel()
	showing, end := context.WithCancelCause(t.Context())
	careful{broken{}, end}.stream("run").Events(nil)
	err := interruption(t.Context(), showing)
	if err == nil || !strings.Contains(err.Error(), "internal error: no more room") {
		t.Errorf("it ends with %v", err)
	}
}

func TestWhatEndsADashboard(t *testing.T) {
	t.Parallel()
	live := context.Background()
	killed, kill := context.WithCancelCause(live)
	kill(errors.New("terminated"))
	left, leave := context.WithCancelCause(live)
	leave(nil)
	pressed, press := context.WithCancelCause(live)
	press(outcome{code: exitInterrupted})
	press(errors.New("what came after it"))
	for name, test := range map[string]struct {
		ctx, showing context.Context
		code         int
	}{
		"q":          {live, left, exitOK},
		"a signal":   {killed, killed, exitInterrupted},
		"Ctrl-C":     {live, pressed, exitInterrupted},
		"it goes on": {live, live, exitOK},
	} {
		var said strings.Builder
		if code := report(&said, interruption(test.ctx, test.showing)); code != test.code || said.Len() > 0 {
			t.Errorf("%s: exit code %d and %q, want %d", name, code, said.String(), test.code)
		}
	}
}

func TestTokensAreReadFromFilesAndTheEnvironment(t *testing.T) {
	t.Parallel()
	file := func(text string) string { return written(t, text) }
	for name, test := range map[string]struct{ file, env, want, err string }{
		"none":                {"", "", "", ""},
		"a file":              {file("sesame\n"), "", "sesame", ""},
		"the environment":     {"", "sesame", "sesame", ""},
		"the file before it":  {file("sesame"), "other", "sesame", ""},
		"an empty file":       {file(" \n"), "", "", "is empty"},
		"more than the token": {file("a\nb"), "", "", "holds several lines"},
		"a file that is not":  {"none", "", "", "no such file"},
	} {
		read, err := tokenOf(test.file, func(string) string { return test.env })
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)), test.err == "" && err != nil:
			t.Errorf("%s: %v, want %q", name, err, test.err)
		case test.want == "" && read != nil:
			t.Errorf("%s: there is a token", name)
		case test.want != "":
			if got, err := read(); got != test.want || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// written is a file with a text.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
