package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/schema"
)

// journals are what the loop's journals were about, a line each.
func (s *stage) journals(t *testing.T) []string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		if (e.Begin != nil) != (e.Seq == 0) {
			t.Errorf("event %d begins a journal: %t", e.Seq, e.Begin != nil)
		}
		last := len(out) - 1
		switch {
		case e.Begin != nil && e.Begin.Proposed:
			out = append(out, "proposed:")
		case e.Begin != nil:
			out = append(out, "begun:")
		case e.End != nil:
			out[last] += fmt.Sprintf(" %s %d/%d", e.End.Outcome, e.End.Reached, e.End.Goals)
		}
		if e.Begin != nil {
			for _, g := range e.Begin.Goals {
				out[len(out)-1] += " " + g.Verb + " " + g.Addr.Name
			}
		}
	}
	return out
}

// A plan that is held is to be seen, until it is run.
func TestAHeldPlanIsShown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t, func(c *reconcile.LoopConfig) { c.Policy.Mode = schema.ModeApproval })
	first := s.repo.Push(t, base("a"))
	await(t, "it is held", func() bool { return s.state() == reconcile.Held })
	plans := s.loop.Status().Plans.Count
	await(t, "it is looked at again", func() bool { return s.loop.Status().Plans.Count > plans+1 })
	if diff := cmp.Diff([]string{"proposed: create team-a create a"}, s.journals(t)); diff != "" {
		t.Errorf("journals while it is held (-want +got):\n%s", diff)
	}
	s.mu.Lock()
	b := s.events[0].Begin
	s.mu.Unlock()
	if !strings.Contains(string(b.Plan), `"create"`) || b.Revision != first || b.World != "Supervisor lab" {
		t.Errorf("the proposal is %+v", b)
	}
	if !slices.ContainsFunc(b.Site, func(m journal.Meter) bool { return m.Kind == journal.HostMemory && m.Capacity > 0 }) {
		t.Errorf("the proposal does not say what the site has: %v", b.Site)
	}
	s.approve(t, s.loop.Status().Pending)
	s.synced(t, first)
	if diff := cmp.Diff([]string{"proposed: create team-a create a", "begun: create team-a create a reached 2/2"}, s.journals(t)); diff != "" {
		t.Errorf("journals after the approval (-want +got):\n%s", diff)
	}
}

// A loop that finds everything in sync at once shows that, and has not run.
func TestALoopThatNeverRanShowsThatAllIsInSync(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t)
	first := s.repo.Push(t, base("a"))
	s.synced(t, first)
	s.stop()
	s.mu.Lock()
	s.events = nil
	s.mu.Unlock()
	s.begin(t)
	s.synced(t, first)
	plans := s.loop.Status().Plans.Count
	await(t, "it is looked at again", func() bool { return s.loop.Status().Plans.Count > plans+1 })
	if diff := cmp.Diff([]string{"begun: none team-a none a reached 2/2"}, s.journals(t)); diff != "" {
		t.Errorf("journals (-want +got):\n%s", diff)
	}
	if status := s.loop.Status(); status.Runs != (reconcile.Runs{}) || len(status.Actions) > 0 {
		t.Errorf("it counts as a run: %+v %+v", status.Runs, status.Actions)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.events, func(e journal.Event) bool { return e.Action != nil }) {
		t.Error("an action is told of")
	}
}
