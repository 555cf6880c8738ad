package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTheLogOnATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := newTerminalLog(&out, slog.LevelInfo, "source")
	log := slog.New(h).With("source", "fleet", "supervisor", "lab")
	log.Info("action done", "verb", "create", "resource", "Cluster team-a/prod", "none", "")
	log.Warn("blocked", "cause", "two\nlines \x1b[31m", "error", errors.New("at https://me:hunter2@host/x"))
	log.Debug("not said")
	lines := strings.SplitAfter(out.String(), "\n")
	if len(lines) != 3 {
		t.Fatalf("the log is %q", lines)
	}
	for i, want := range []string{
		` action done supervisor=lab verb=create resource="Cluster team-a/prod"`,
		` WARN blocked supervisor=lab cause="two\nlines ` + "\uFFFD" + `[31m" error="at https://(hidden)@host/x"`,
	} {
		if _, err := time.Parse(time.TimeOnly, lines[i][:8]); err != nil || lines[i][8:] != want+"\n" {
			t.Errorf("line %d is %q, want TIME%s", i, lines[i], want)
		}
	}
}
