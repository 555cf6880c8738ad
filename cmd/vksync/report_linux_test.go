package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A report that cannot be written says so, and is not taken for one.
func TestAReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	for _, form := range []string{"html", "svg", "text"} {
		code := run(t.Context(), []string{"report", "../../testdata/journals/fleet.jsonl", "--format", form}, bytes.NewReader(nil), full, said)
		if text, err := os.ReadFile(said.Name()); err != nil || code != exitError || !strings.Contains(string(text), "writing the report: ") {
			t.Errorf("%s: exit code %d and %q, %v", form, code, text, err)
		}
	}
}
