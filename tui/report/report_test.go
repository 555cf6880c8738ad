package report

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update accepts it:\n%s", path, diff)
	}
}

// timelineOf is an example journal at its end.
func timelineOf(t *testing.T, name string) *journal.Timeline {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "journals", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	timeline := journal.NewTimeline()
	for d := journal.NewDecoder(f); ; {
		e, err := d.Decode()
		if errors.Is(err, io.EOF) {
			return timeline
		}
		if err != nil {
			t.Fatal(err)
		}
		timeline.Apply(e)
	}
}
