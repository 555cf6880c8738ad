package simulate_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vksync/vksync/simulate/trace"
)

var traceFile = flag.String("trace", "", "the recording to compare with instead of those in testdata; its steps are in FILE with .steps.yaml for .jsonl")

const (
	ourTraces = "../testdata/traces/*.jsonl"
	// maxListed is how many differences may be listed.
	maxListed = 15
)

// TestTraceOfTheRealControllers plays what was asked in recordings and compares
// what happened.
func TestTraceOfTheRealControllers(t *testing.T) {
	listed := listedDifferences(t)
	if *traceFile != "" {
		compareTrace(t, *traceFile, listed)
		return
	}
	files, err := filepath.Glob(ourTraces)
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { compareTrace(t, file, listed) })
	}
	for _, e := range listed.Entries {
		if e.Met == 0 {
			t.Errorf("differences.yaml:%d: nothing differs as %q any more; take it off the list", e.Line, e.Pattern)
		}
	}
}

// compareTrace plays what was asked in one recording, and tells each difference that
// is not listed.
func compareTrace(t *testing.T, file string, listed *trace.Listed) {
	recording, script := readTrace(t, file)
	played := playTrace(t, script, recording, 1)
	realParts, err := trace.Split(recording, script, trace.NamesOf(recording.Changes))
	if err != nil {
		t.Fatal(err)
	}
	playedParts, err := trace.Split(played, script, trace.NamesOf(played.Changes))
	if err != nil {
		t.Fatal(err)
	}
	found := trace.Compare(realParts, playedParts)
	for i, part := range realParts {
		t.Run(part.Step.Mark, func(t *testing.T) {
			tell, known := t.Errorf, 0
			if slices.Contains(listed.Pending, part.Step.Mark) {
				tell = t.Logf
			}
			differences := found[i]
			for _, d := range differences {
				if listed.Covers(d) {
					known++
					continue
				}
				tell("%s", d)
			}
			t.Logf("%s: %d differences, of which %d are listed; it took %d s in the recording and %d s here", part.Step.Mark, len(differences), known,
				(part.To-part.From)/1000, (playedParts[i].To-playedParts[i].From)/1000)
		})
	}
}

func listedDifferences(t testing.TB) *trace.Listed {
	t.Helper()
	const file = "../testdata/traces/differences.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := trace.DecodeListed(file, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.Entries) > maxListed {
		t.Errorf("%s lists %d differences, at most %d may stay", file, len(listed.Entries), maxListed)
	}
	return listed
}

func readTrace(t testing.TB, file string) (*trace.Recording, *trace.Script) {
	t.Helper()
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) { // named from the root of the project
		file = filepath.Join("..", file)
		text, err = os.ReadFile(file)
	}
	if err != nil {
		t.Fatal(err)
	}
	recording, err := trace.Decode(file, text)
	if err != nil {
		t.Fatal(err)
	}
	steps := strings.TrimSuffix(file, ".jsonl") + ".steps.yaml"
	if text, err = os.ReadFile(steps); errors.Is(err, os.ErrNotExist) {
		steps = file + ".steps.yaml"
		text, err = os.ReadFile(steps)
	}
	if err != nil {
		t.Fatal(err)
	}
	script, err := trace.DecodeScript(steps, text)
	if err != nil {
		t.Error(err) // what was understood is compared all the same
	}
	if script == nil || len(script.Steps) == 0 {
		t.FailNow()
	}
	return recording, script
}
