// Package tuitest is what the tests of displays share: golden files and the
// example journals. It is for tests only.
package tuitest

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
)

// Update says whether golden files are to be written instead of compared.
var Update = flag.Bool("update", false, "write the golden files")

// Golden compares with testdata/NAME.golden; control codes are visible in it.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	File(t, name+".golden", strings.ReplaceAll(got, "\x1b", `\e`))
}

// File compares with testdata/NAME as it is.
func File(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *Update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
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

// Journals is the directory of the example journals.
func Journals(t testing.TB) string {
	t.Helper()
	for dir := "."; ; dir = filepath.Join("..", dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", "journals")
		} else if !errors.Is(err, os.ErrNotExist) || len(dir) > 100 {
			t.Fatalf("no module around the test: %v", err)
		}
	}
}

// Examples are the names of the example journals.
func Examples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Journals(t), "*.jsonl"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no example journals: %v", err)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".jsonl")
	}
	return paths
}

// Example is an example journal up to a time; 0 is all of it.
func Example(t testing.TB, name string, upTo time.Duration) []journal.Event {
	t.Helper()
	f, err := os.Open(filepath.Join(Journals(t), name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := journal.NewDecoder(f)
	var out []journal.Event
	for {
		e, err := d.Decode()
		if err == io.EOF || err == nil && upTo > 0 && e.At() > upTo {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}
