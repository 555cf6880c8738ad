package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/resource"
)

func TestTheLimitOnDeletionsIsForAWholeRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options Options
		deleted int
		want    Options
	}{
		{"nothing deleted", Options{Prune: true, PruneLimit: 3}, 0, Options{Prune: true, PruneLimit: 3}},
		{"some left", Options{Prune: true, PruneLimit: 3}, 2, Options{Prune: true, PruneLimit: 1}},
		{"used up", Options{Prune: true, PruneLimit: 3}, 3, Options{}},
		{"no limit", Options{Prune: true}, 7, Options{Prune: true}},
		{"no deletions", Options{PruneLimit: 3}, 0, Options{PruneLimit: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.options.after(test.deleted)); diff != "" {
				t.Errorf("after (-want +got):\n%s", diff)
			}
		})
	}
}

// What was read of a vSphere Namespace before it was written, or while it lacks
// its label, must not pass for the result of the write.
func TestAVSphereNamespaceIsNotSeenBeforeItIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	live := resource.NewObject(map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": map[string]any{"name": "team-a"},
	})
	a := &actor{namespaces: map[string]resource.Object{"team-a": live}, unmarked: map[string]bool{}}
	seen := func(want bool, when string) {
		t.Helper()
		if _, there := a.Get(live.Addr()); there != want {
			t.Errorf("%s: seen %t, want %t", when, there, want)
		}
	}
	seen(true, "as read")
	a.written("team-a", false)
	seen(false, "after a write")
	a.namespaces["team-a"] = live
	seen(true, "read again")
	a.written("team-a", true)
	a.namespaces["team-a"] = live
	seen(false, "read again, without the label")
	delete(a.unmarked, "team-a")
	seen(true, "labelled")
}
