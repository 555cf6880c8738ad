package tui

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file; control codes are visible in it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", `\e`)
	path := filepath.Join("testdata", name+".golden")
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

// names are the example journals.
func names(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../testdata/journals/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no example journals: %v", err)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".jsonl")
	}
	return paths
}

func events(t *testing.T, name string) []journal.Event {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", "journals", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := journal.NewDecoder(f)
	var out []journal.Event
	for {
		e, err := d.Decode()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

// upTo is the timeline of a journal at a time; 0 is its end.
func upTo(t *testing.T, name string, at time.Duration) *journal.Timeline {
	t.Helper()
	timeline := journal.NewTimeline()
	for _, e := range events(t, name) {
		if at > 0 && e.At() > at {
			break
		}
		timeline.Apply(e)
	}
	return timeline
}

// fits fails for every line wider than width.
func fits(t *testing.T, text string, width int) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("a line has %d cells, want at most %d:\n%s", w, width, line)
		}
	}
}

var sizes = []struct{ width, height int }{{60, 15}, {80, 24}, {140, 40}}

var looks = map[string]Options{"plain": {}, "color": {Color: true}, "ascii": {ASCII: true}}

func TestSummaries(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		for look, o := range looks {
			t.Run(name+" "+look, func(t *testing.T) {
				t.Parallel()
				var all bytes.Buffer
				timeline := upTo(t, name, 0)
				for _, width := range []int{60, 80, 140} {
					o.Width, o.Title = width, "vksync simulate"
					fmt.Fprintf(&all, "== %d\n", width)
					var one bytes.Buffer
					if err := Summary(&one, timeline, o); err != nil {
						t.Fatal(err)
					}
					fits(t, one.String(), width)
					all.Write(one.Bytes())
				}
				if look == "ascii" && !isASCII(all.String()) {
					t.Error("it is not ASCII")
				}
				golden(t, "summary-"+name+"-"+look, all.String())
			})
		}
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

func TestForecasts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fleet", "reached"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := Forecast(&out, upTo(t, name, 0), Options{}); err != nil {
				t.Fatal(err)
			}
			fits(t, out.String(), 80)
			golden(t, "forecast-"+name, out.String())
		})
	}
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			d := newPlain(&out, Options{Color: true})
			for _, e := range events(t, name) {
				d.Event(e)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Error("there are control codes")
			}
			golden(t, "plain-"+name, out.String())
		})
	}
}

// A fleet of many clusters must not scroll for each object: a phase of a cluster
// has a line when it begins and one when it ends.
func TestPlainLinesGrowWithPhasesNotWithEvents(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := newPlain(&out, Options{})
	all := events(t, "many")
	for _, e := range all {
		d.Event(e)
	}
	goals := len(all[0].Begin.Goals)
	if lines := strings.Count(out.String(), "\n"); lines > goals*18 {
		t.Errorf("%d lines for %d goals, want at most 18 for each", lines, goals)
	}
}
