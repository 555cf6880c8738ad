package journal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

func clusterGoal(name, verb string) journal.Goal {
	return journal.Goal{Addr: resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team", Name: name}, Verb: verb, ControlPlane: 1, Workers: 1}
}

// watched is the timeline of a world that is watched, which has some clusters.
func watched(names ...string) (*journal.Timeline, *journal.Begin) {
	b := &journal.Begin{Watched: true}
	for _, name := range names {
		b.Goals = append(b.Goals, clusterGoal(name, "none"))
	}
	t := journal.NewTimeline()
	t.Apply(journal.Event{Begin: b})
	return t, b
}

// rows are the goals of a timeline in order.
func rows(t *journal.Timeline) string {
	var out []string
	for _, row := range t.Rows() {
		out = append(out, fmt.Sprintf("%s:%s:%s", row.Addr.Name, row.Verb, row.State))
	}
	return strings.Join(out, " ")
}

func TestGoalsComeChangeAndGo(t *testing.T) {
	t.Parallel()
	timeline, b := watched("a", "b", "c", "d")
	for _, step := range []struct {
		goal journal.Goal
		want string
	}{
		{clusterGoal("e", "create"), "a:none:done b:none:done c:none:done d:none:done e:create:running"},
		{clusterGoal("b", "update"), "a:none:done b:update:running c:none:done d:none:done e:create:running"},
		{clusterGoal("a", journal.VerbForget), "b:update:running c:none:done d:none:done e:create:running"},
		{clusterGoal("a", journal.VerbForget), "b:update:running c:none:done d:none:done e:create:running"},
		{clusterGoal("c", journal.VerbForget), "b:update:running d:none:done e:create:running"},
		{clusterGoal("a", "create"), "b:update:running d:none:done e:create:running a:create:running"},
		{clusterGoal("e", "delete"), "b:update:running d:none:done e:delete:running a:create:running"},
		{clusterGoal("d", journal.VerbForget), "b:update:running e:delete:running a:create:running"},
		{clusterGoal("e", journal.VerbForget), "b:update:running a:create:running"},
		{clusterGoal("b", "none"), "b:none:done a:create:running"},
		{clusterGoal("b", journal.VerbForget), "a:create:running"},
		{clusterGoal("a", journal.VerbForget), ""},
	} {
		timeline.Apply(journal.Event{Goal: &step.goal})
		if got := rows(timeline); got != step.want {
			t.Errorf("after %s %s the rows are %q, want %q", step.goal.Verb, step.goal.Addr.Name, got, step.want)
		}
		if got := timeline.Totals(); got.Clusters != len(timeline.Rows()) {
			t.Errorf("after %s %s there are %d clusters and %d rows", step.goal.Verb, step.goal.Addr.Name, got.Clusters, len(timeline.Rows()))
		}
	}
	_, before := watched("a", "b", "c", "d")
	if diff := cmp.Diff(before, b); diff != "" {
		t.Errorf("the event was changed (-before +after):\n%s", diff)
	}
}

// What stopped a goal is forgotten with it.
func TestABlockedGoalIsForgotten(t *testing.T) {
	t.Parallel()
	timeline, _ := watched("a")
	goal := clusterGoal("a", "update")
	timeline.Apply(journal.Event{Goal: &goal})
	blocked := &journal.Blocked{Addr: goal.Addr, Phase: phase.Workers, Cause: "no room"}
	timeline.Apply(journal.Event{Blocked: blocked})
	if row, _ := timeline.Row(goal.Addr); row.State != phase.Blocked || row.Blocked != blocked || timeline.Totals().Stuck != 1 {
		t.Errorf("it is %s by %v", row.State, row.Blocked)
	}
	gone := clusterGoal("a", journal.VerbForget)
	timeline.Apply(journal.Event{Goal: &gone})
	timeline.Apply(journal.Event{Goal: &goal})
	if row, _ := timeline.Row(goal.Addr); row.State != phase.Running || row.Blocked != nil {
		t.Errorf("after it was forgotten it is %s by %v", row.State, row.Blocked)
	}
}

// A change of one goal costs the same however many there are.
func BenchmarkGoalEvents(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var names []string
			for i := range n {
				names = append(names, fmt.Sprint("c", i))
			}
			timeline, _ := watched(names...)
			b.ReportAllocs()
			for b.Loop() {
				for _, verb := range []string{"create", "none", journal.VerbForget} {
					g := clusterGoal("new", verb)
					timeline.Apply(journal.Event{Goal: &g})
				}
			}
		})
	}
}
