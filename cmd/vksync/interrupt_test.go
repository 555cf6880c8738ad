package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Ctrl-C ends a run that would take an hour, and shows what was reached.
func TestCtrlCShowsWhatWasReached(t *testing.T) {
	t.Parallel()
	fleet := t.TempDir()
	if err := os.WriteFile(filepath.Join(fleet, "fleet.yaml"), []byte(manifests(1, 3, 3)), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(t.TempDir(), "run.jsonl")
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = []string{"vksync", "simulate", fleet, "--speed", "0.1", "--progress", "plain", "--journal", journal}
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("no line before the interrupt: %v\n%s", err, errs.String())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("it ended with %v, want exit code %d", err, exitInterrupted)
	}
	if !strings.Contains(errs.String(), "interrupted after") || !strings.Contains(errs.String(), "of 2 goals") {
		t.Errorf("stderr is %q, want it to say what was reached", errs.String())
	}
	if len(rest) == 0 {
		t.Errorf("nothing follows the first line %q, want the summary", first)
	}
	written, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(written, []byte(`"outcome":"interrupted"`)) {
		t.Errorf("the journal does not end as interrupted:\n%s", written[max(0, len(written)-500):])
	}
}
