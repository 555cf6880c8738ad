package journal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// What was reached has its end, what was not has its cause, and what nothing was
// done for is not there.
func TestForecastOf(t *testing.T) {
	t.Parallel()
	timeline := journal.NewTimeline()
	for _, e := range decodeFile(t, "../../testdata/journals/fleet.jsonl") {
		timeline.Apply(e)
	}
	peak := []journal.Meter{{Kind: journal.Addresses, Name: "lb", Used: 4}}
	f := journal.ForecastOf(timeline, peak, "the lab")
	if f.Basis != "the lab" || !cmp.Equal(f.Peak, peak) {
		t.Errorf("it is of %q with %+v", f.Basis, f.Peak)
	}
	if !slices.IsSortedFunc(f.Goals, func(a, b journal.GoalForecast) int { return a.Addr.Compare(b.Addr) }) {
		t.Error("its goals are not sorted")
	}
	if f.End() != phase.NotYet {
		t.Errorf("not all is reached, and it ends at %v", f.End())
	}
	stuck := 0
	for _, row := range timeline.Rows() {
		g, known := f.Goal(row.Addr)
		switch {
		case !known || g.State != row.State || g.EndAt() != row.End:
			t.Errorf("%s: %+v, %v; the row is %s and ends at %v", row.Addr, g, known, row.State, row.End)
		case row.State == phase.Done && (g.Cause != "" || len(g.Steps) == 0):
			t.Errorf("%s is reached: %+v", row.Addr, g)
		case row.State == phase.Blocked && !strings.Contains(g.Cause, "no address is free"):
			t.Errorf("%s is blocked: %q", row.Addr, g.Cause)
		case row.State == phase.Blocked:
			stuck++
		}
	}
	if stuck == 0 {
		t.Error("no goal is blocked, so nothing was tested")
	}
}

func TestForecastLeavesOutWhatNothingIsDoneFor(t *testing.T) {
	t.Parallel()
	kept := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: "kept"}
	made := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: "made"}
	timeline := journal.NewTimeline()
	timeline.Apply(journal.Event{Begin: &journal.Begin{Goals: []journal.Goal{{Addr: made, Verb: "create"}, {Addr: kept, Verb: "none"}}}})
	timeline.Apply(journal.Event{T: 5, Action: &journal.Action{Addr: made, Verb: "create", State: journal.ActionFailed, Reason: "denied", Message: "no such class"}})
	want := []journal.GoalForecast{{Addr: made, State: phase.Failed, Steps: []journal.StepForecast{{ID: phase.Prerequisites, Start: 5, End: -1}}, End: -1, Cause: "denied: no such class"}}
	if diff := cmp.Diff(want, journal.ForecastOf(timeline, nil, "").Goals); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
