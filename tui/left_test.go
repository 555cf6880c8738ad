package tui

import (
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// The summary says how what it sums up came to its end.
func TestTheSummarySaysHowItEnded(t *testing.T) {
	t.Parallel()
	goal := journal.Goal{Addr: resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: "prod"}, Verb: "create", ControlPlane: 1}
	for _, test := range []struct {
		name  string
		begin journal.Begin
		end   *journal.End
		left  bool
		want  string
	}{
		{"a run whose display failed", journal.Begin{}, nil, false, "interrupted"},
		{"a run that was interrupted", journal.Begin{}, &journal.End{Outcome: journal.Interrupted}, true, "interrupted"},
		{"a run that goes on", journal.Begin{}, nil, true, "so far"},
		{"a world that is watched", journal.Begin{Watched: true}, &journal.End{Outcome: journal.Interrupted}, true, "as it was last seen"},
		{"a plan", journal.Begin{Proposed: true}, nil, true, "waits for approval"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			timeline := journal.NewTimeline()
			test.begin.Version, test.begin.Goals = journal.Version, []journal.Goal{goal}
			timeline.Apply(journal.Event{Begin: &test.begin})
			if test.end != nil {
				timeline.Apply(journal.Event{Seq: 1, End: test.end})
			}
			var out strings.Builder
			if err := Summary(&out, timeline, Options{Left: test.left}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), " "+test.want+" · 0/1 clusters") {
				t.Errorf("it does not say %q:\n%s", test.want, out.String())
			}
		})
	}
}
