package journal_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

var update = flag.Bool("update", false, "write the golden files")

// Each example journal is played, and every change of progress or cause written
// down. The observed ones are of real controllers.
func TestTimelineOfExampleJournals(t *testing.T) {
	t.Parallel()
	for _, name := range journals(t) {
		short := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		if short == "many" {
			continue // for layout only
		}
		t.Run(short, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			golden(t, short, story(decode(t, f)))
		})
	}
}

// story tells what a timeline says while events come.
func story(events []journal.Event) string {
	var b strings.Builder
	timeline := journal.NewTimeline()
	said := map[string]string{}
	say := func(e journal.Event, what, key, text string) {
		if said[key+what] != text {
			said[key+what] = text
			fmt.Fprintf(&b, "%8.3f %s %s\n", e.At().Seconds(), key, text)
		}
	}
	for _, e := range events {
		timeline.Apply(e)
		for _, row := range timeline.Rows() {
			key := row.Addr.Name
			say(e, "progress", key, progressOf(row))
			cause := phase.Cause(timeline.Why(row.Addr))
			if row.State == phase.Done {
				continue
			}
			say(e, "cause", key, "waits: "+cause)
		}
	}
	for _, row := range timeline.Rows() {
		fmt.Fprintf(&b, "\n%s: %s, start %v, end %v\n", row.Addr, row.State, row.Start, row.End)
		for _, s := range row.Spans {
			fmt.Fprintf(&b, "  %-2s %v to %v\n", s.ID, s.Start, s.End)
		}
		for _, link := range timeline.Why(row.Addr) {
			fmt.Fprintf(&b, "  why: %s %s %s %s: %s\n", link.Kind, link.Name, link.Condition, link.Reason, link.Message)
		}
	}
	fmt.Fprintf(&b, "\n%+v\n", timeline.Totals())
	return b.String()
}

func progressOf(row journal.Row) string {
	text := fmt.Sprintf("%s in %s:", row.State, row.Current)
	for _, s := range row.Steps {
		if s.State == phase.Pending {
			continue
		}
		text += fmt.Sprintf(" %s=%s", s.ID, s.State)
		if s.Wanted > 0 {
			text += fmt.Sprintf("(%d/%d)", s.Done, s.Wanted)
		}
	}
	return text
}

func golden(t *testing.T, name, got string) {
	t.Helper()
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
