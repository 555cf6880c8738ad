package trace

import (
	"os"
	"testing"
)

const ourRecording = "../../testdata/traces/supervisor-3x3"

func ours(t testing.TB) (*Recording, *Script) {
	t.Helper()
	text, err := os.ReadFile(ourRecording + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Decode("trace", text)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(ourRecording + ".steps.yaml"); err != nil {
		t.Fatal(err)
	}
	s, err := DecodeScript("steps", text)
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

func split(t testing.TB, r *Recording, s *Script) []Part {
	t.Helper()
	parts, err := Split(r, s, NamesOf(r.Changes))
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestTheRecordingKeepsEveryRule(t *testing.T) {
	r, s := ours(t)
	spoken := map[string]int{}
	kinds := map[string]bool{}
	for _, c := range r.Changes {
		kinds[c.ID.Kind] = true
	}
	for _, part := range split(t, r, s) {
		for rule, counts := range Kept(part) {
			spoken[rule] += counts[0]
			if counts[1] > 0 {
				t.Errorf("%s: %s is broken %d times", part.Step.Mark, rule, counts[1])
			}
		}
	}
	for _, rule := range Rules {
		if spoken[rule.String()] == 0 && kinds[rule.Before.Kind] && kinds[rule.After.Kind] {
			t.Errorf("nothing in the recording shows that %s", rule)
		}
	}
}
