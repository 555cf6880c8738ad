package journal_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

var cluster = resource.Addr{Group: "cluster.x-k8s.io", Kind: resource.KindCluster, Namespace: "team-a", Name: "prod"}

// ahead is a forecast of one cluster: 0 to 10 s, 2 to 60 s, 3c to 120 s, and workers
// beside that from 60 s to 100 s.
var ahead = &journal.Forecast{Goals: []journal.GoalForecast{{
	Addr: cluster, State: phase.Done, End: 120_000, Steps: []journal.StepForecast{
		{ID: phase.Prerequisites, Start: 0, End: 10_000},
		{ID: phase.Infrastructure, Start: 10_000, End: 60_000},
		{ID: phase.Node, Start: 60_000, End: 120_000},
		{ID: phase.Workers, Start: 60_000, End: 100_000},
	},
}}}

const never = phase.NotYet

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// step is a phase that began and ended at a second, -1 when it has not.
func step(id phase.ID, start, end int) phase.Step {
	s := phase.Step{ID: id, State: phase.Pending, Start: never, End: never}
	if start >= 0 {
		s.State, s.Start = phase.Running, seconds(start)
	}
	if end >= 0 {
		s.State, s.End = phase.Done, seconds(end)
	}
	return s
}

func TestETA(t *testing.T) {
	t.Parallel()
	begun := func(steps ...phase.Step) journal.Row {
		return journal.Row{Progress: phase.Progress{Goal: phase.Goal{Addr: cluster}, State: phase.Running, Steps: steps, End: never}}
	}
	for _, c := range []struct {
		name string
		row  journal.Row
		now  int
		want journal.Estimate
	}{
		{"nothing has happened and nothing is due", begun(step("0", -1, -1), step("2", -1, -1), step("3c", -1, -1), step("4", -1, -1)), 0,
			journal.Estimate{Left: seconds(120), End: seconds(120)}},
		{"nothing has happened and it should have", begun(step("0", -1, -1), step("2", -1, -1), step("3c", -1, -1), step("4", -1, -1)), 7,
			journal.Estimate{Left: seconds(120), End: seconds(127), Late: seconds(7), Overdue: seconds(7)}},
		{"as forecast", begun(step("0", 0, 10), step("2", 10, -1), step("3c", -1, -1), step("4", -1, -1)), 40,
			journal.Estimate{Left: seconds(80), End: seconds(120)}},
		{"a phase ended late, and the rest slides", begun(step("0", 0, 30), step("2", 30, -1), step("3c", -1, -1), step("4", -1, -1)), 40,
			journal.Estimate{Left: seconds(100), End: seconds(140), Late: seconds(20)}},
		{"a phase ended early", begun(step("0", 0, 5), step("2", 5, -1), step("3c", -1, -1), step("4", -1, -1)), 6,
			journal.Estimate{Left: seconds(109), End: seconds(115), Late: -seconds(5)}},
		{"a phase does not end", begun(step("0", 0, 10), step("2", 10, -1), step("3c", -1, -1), step("4", -1, -1)), 90,
			journal.Estimate{Left: seconds(60), End: seconds(150), Late: seconds(30), Overdue: seconds(30)}},
		{"only the shorter of two phases is left", begun(step("0", 0, 10), step("2", 10, 60), step("3c", 60, 115), step("4", 60, -1)), 116,
			journal.Estimate{Left: 0, End: seconds(116), Late: -seconds(4), Overdue: seconds(21)}},
		{"all phases are over and the goal is not reached", begun(step("0", 0, 10), step("2", 10, 60), step("3c", 60, 120), step("4", 60, 100)), 130,
			journal.Estimate{Left: 0, End: seconds(130), Late: seconds(10)}},
		{"a phase that was done is open again", begun(step("0", 0, 10), step("2", 10, 60), step("3c", 60, -1), step("4", 60, -1)), 140,
			journal.Estimate{Left: seconds(20), End: seconds(160), Late: seconds(40), Overdue: seconds(40)}},
		{"a phase of what existed has yet to begin", begun(step("0", -1, 1), step("2", -1, 1), step("3c", 65, -1), step("4", -1, 1)), 64,
			journal.Estimate{Left: seconds(61), End: seconds(125), Late: seconds(5)}},
		{"a phase of what existed never began", begun(step("0", -1, 1), step("2", -1, 1), step("3c", 65, -1), step("4", -1, 1)), 100,
			journal.Estimate{Left: seconds(25), End: seconds(125), Late: seconds(5)}},
	} {
		got, ok := ahead.ETA(c.row, seconds(c.now))
		if diff := cmp.Diff(c.want, got); diff != "" || !ok {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, ok, diff)
		}
	}
}

func TestWhereThereIsNoETA(t *testing.T) {
	t.Parallel()
	row := func(state phase.State) journal.Row {
		return journal.Row{Progress: phase.Progress{Goal: phase.Goal{Addr: cluster}, State: state, End: never}}
	}
	other := row(phase.Running)
	other.Addr.Name = "other"
	unreached := &journal.Forecast{Goals: []journal.GoalForecast{{Addr: cluster, State: phase.Blocked, End: -1}}}
	for _, c := range []struct {
		name     string
		forecast *journal.Forecast
		row      journal.Row
	}{
		{"no forecast", nil, row(phase.Running)},
		{"not of this goal", ahead, other},
		{"blocked", ahead, row(phase.Blocked)},
		{"failed", ahead, row(phase.Failed)},
		{"was as wanted before", ahead, row(phase.Done)},
		{"not reached in the forecast", unreached, row(phase.Running)},
	} {
		if got, ok := c.forecast.ETA(c.row, 0); ok {
			t.Errorf("%s: %+v", c.name, got)
		}
		if _, _, ok := c.forecast.Expected(c.row, phase.Node, 0); ok {
			t.Errorf("%s: a phase is expected", c.name)
		}
	}
	done := row(phase.Done)
	done.End = seconds(130)
	if got, ok := ahead.ETA(done, seconds(900)); !ok || got != (journal.Estimate{End: seconds(130), Late: seconds(10)}) {
		t.Errorf("reached late: %+v, %v", got, ok)
	}
}

func TestExpectedPhases(t *testing.T) {
	t.Parallel()
	row := journal.Row{Progress: phase.Progress{
		Goal: phase.Goal{Addr: cluster}, State: phase.Running, End: never,
		Steps: []phase.Step{step("0", 0, 30), step("1", 3, 4), step("2", 30, -1), step("3c", -1, -1), step("4", -1, 1)},
	}}
	for _, c := range []struct {
		id         phase.ID
		now        int
		start, end int
	}{
		{"0", 40, 0, 30},
		{"1", 40, 3, 4}, // was not forecast
		{"2", 40, 30, 80},
		{"2", 90, 30, 90},
		{"3c", 40, 80, 140},
		{"3c", 90, 90, 150},
		{"4", 40, 80, 120},
	} {
		start, end, ok := ahead.Expected(row, c.id, seconds(c.now))
		if !ok || start != seconds(c.start) || end != seconds(c.end) {
			t.Errorf("phase %s at %d s: %v to %v, %v; want %d s to %d s", c.id, c.now, start, end, ok, c.start, c.end)
		}
	}
	if _, _, ok := ahead.Expected(row, phase.Machine, seconds(40)); ok {
		t.Error("a phase with nothing to do is expected")
	}
}

// A journal that is its own forecast is never early, late or overdue.
func TestForecastOfExampleJournals(t *testing.T) {
	t.Parallel()
	for _, name := range journals(t) {
		events := decodeFile(t, name)
		whole := journal.NewTimeline()
		for _, e := range events {
			whole.Apply(e)
		}
		f := journal.ForecastOf(whole, nil, "itself")
		again := journal.NewTimeline()
		for _, e := range events {
			again.Apply(e)
			for _, row := range again.Rows() {
				eta, ok := f.ETA(row, again.Elapsed())
				goal, known := f.Goal(row.Addr)
				if ok && (!known || eta.End != goal.EndAt() || eta.Left < 0 || eta.Late != 0 || eta.Overdue != 0) {
					t.Fatalf("%s: %s at %v: %+v, want its end at %v", name, row.Addr, again.Elapsed(), eta, goal.EndAt())
				}
			}
		}
	}
}

func decodeFile(t *testing.T, name string) []journal.Event {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return decode(t, f)
}
