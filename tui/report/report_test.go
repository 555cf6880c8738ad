package report

import (
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/tuitest"
)

// golden compares with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	tuitest.File(t, name, got)
}

// timelineOf is an example journal at its end.
func timelineOf(t *testing.T, name string) *journal.Timeline {
	t.Helper()
	timeline := journal.NewTimeline()
	for _, e := range tuitest.Example(t, name, 0) {
		timeline.Apply(e)
	}
	return timeline
}
