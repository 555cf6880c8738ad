package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
)

// The picture of the README is what the dashboard shows of the example fleet in the
// middle of its rollout, estimated by the forecast. make picture draws it again.
func TestThePictureOfTheReadmeIsNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, drawn := filepath.Join(dir, "run.jsonl"), filepath.Join(dir, "dashboard.svg")
	quietly(t, "simulate", "../../testdata/fleet", "--quiet", "--journal", log)
	foresee(t, log)
	quietly(t, "report", log, "--format", "svg", "--at", "7m", "--out", drawn)
	got, err := os.ReadFile(drawn)
	if err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join("..", "..", "docs", "dashboard.svg")
	if *update {
		if err := os.WriteFile(picture, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/dashboard.svg is not what the dashboard shows any more; make picture draws it again, and then look at it")
	}
}

// quietly runs a command in this process that has nothing to say.
func quietly(t *testing.T, args ...string) {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	code := run(t.Context(), args, bytes.NewReader(nil), said, said)
	if text, err := os.ReadFile(said.Name()); err != nil || code != exitOK || len(text) > 0 {
		t.Fatalf("%q: exit code %d, %v\n%s", args, code, err, text)
	}
}

// foresee puts the forecast of a simulated run into its journal, which is the run
// itself: the dashboard of simulate plays it ahead.
func foresee(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []journal.Event
	timeline, meters := journal.NewTimeline(), journal.NewMeters()
	d := journal.NewDecoder(bytes.NewReader(text))
	for e, err := d.Decode(); err != io.EOF; e, err = d.Decode() {
		if err != nil {
			t.Fatal(err)
		}
		timeline.Apply(e)
		meters.Apply(e)
		events = append(events, e)
	}
	events[0].Begin.Forecast = journal.ForecastOf(timeline, meters.Peaks(), "the plan, played ahead")
	var out bytes.Buffer
	encoder := journal.NewEncoder(&out)
	for _, e := range events {
		if err := encoder.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
