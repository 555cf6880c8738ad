package simulate_test

import (
	"bytes"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
)

// journalOf is the journal of a 3+3 cluster as it would be written to a file.
func journalOf(t *testing.T, seed uint64) []byte {
	t.Helper()
	events, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 3), seed: seed})
	var out bytes.Buffer
	enc := journal.NewEncoder(&out)
	for _, e := range events {
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestTheSameSeedGivesTheSameJournalToTheByte(t *testing.T) {
	t.Parallel()
	const runs = 20
	first := journalOf(t, 42)
	for n := 2; n <= runs; n++ {
		again := journalOf(t, 42)
		if at := firstDifference(first, again); at >= 0 {
			t.Fatalf("run %d of seed 42 differs from the first in line %d:\n%s\n%s", n, at+1, line(first, at), line(again, at))
		}
	}
	if other := journalOf(t, 43); bytes.Equal(first, other) {
		t.Error("seeds 42 and 43 gave the same journal")
	}
}

// firstDifference is the number of the first line that differs, or -1.
func firstDifference(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for n := 0; ; n++ {
		if !bytes.Equal(line(a, n), line(b, n)) {
			return n
		}
	}
}

func line(text []byte, n int) []byte {
	lines := bytes.Split(text, []byte("\n"))
	if n >= len(lines) {
		return []byte("(no such line)")
	}
	return lines[n]
}
