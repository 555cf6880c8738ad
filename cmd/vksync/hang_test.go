package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Ctrl-C ends an evaluation that would take hours, and its process.
func TestCtrlCEndsAnEvaluation(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("the child is found by what Linux tells")
	}
	dir := t.TempDir()
	const text = "import \"list\"\nr: list.Range(0, 500, 1)\nx: [for a in r for b in r for c in r for d in r if a+b+c+d < 0 {a}]\n"
	if err := os.WriteFile(filepath.Join(dir, "hang.cue"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = []string{"vksync", "validate", dir}
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := ""
	for deadline := time.Now().Add(patience); child == "" && time.Now().Before(deadline); {
		child = busyChild(cmd.Process.Pid)
	}
	if child == "" {
		t.Fatal("nothing is evaluated")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("it ended with %v, want exit code %d: %s", err, exitInterrupted, errs.String())
	}
	if _, err := os.Stat("/proc/" + child); err == nil {
		t.Error("the process that evaluates is still there")
	}
}

// busyChild is a child of a process that has its limits, which it sets before it
// evaluates anything; "" while there is none.
func busyChild(pid int) string {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(children)) {
			limits, _ := os.ReadFile("/proc/" + child + "/limits")
			if strings.Contains(string(limits), "Max open files            3 ") {
				return child
			}
		}
	}
	return ""
}
