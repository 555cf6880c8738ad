package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

func mark(s *server) string { return strconv.FormatUint(s.Bookmark(), 10) }

func TestTheCacheHoldsWhatTheServerHasAtTheMark(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.putCluster(t, "old", nil)
	s.putCluster(t, "stays", nil)
	w := s.watch(t)
	told, ended := w.Subscribe(), w.Subscribe()
	ended.Close()
	if got := told.TakeChanged(); len(got) != 0 {
		t.Errorf("what was there at first counts as changed: %v", got)
	}
	s.putCluster(t, "stays", map[string]any{"spec": map[string]any{"paused": true}})
	s.putCluster(t, "new", nil)
	s.remove(t, "old")
	// Of a kind that is not watched: only the bookmark tells that its version was seen.
	s.put(t, "v1", "ConfigMap", "team-a", "other", nil)
	if err := w.CatchUp(t.Context(), mark(s)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-told.Changed():
	default:
		t.Error("Changed is not signalled")
	}
	if got := ended.TakeChanged(); len(got) != 0 {
		t.Errorf("a Subscription that was closed was told %v", got)
	}
	var changed []string
	for _, a := range told.TakeChanged() {
		changed = append(changed, a.String())
	}
	if diff := cmp.Diff([]string{"Cluster team-a/new", "Cluster team-a/old", "Cluster team-a/stays"}, changed); diff != "" {
		t.Errorf("TakeChanged (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Cluster team-a/new", "Cluster team-a/stays", "Namespace team-a"}, names(w.Objects())); diff != "" {
		t.Errorf("Objects (-want +got):\n%s", diff)
	}
	if o, there := w.Get(cluster("stays", nil).Addr()); !there || !resource.Flag(o.Object, "spec", "paused") {
		t.Errorf("Get returns what was there before the mark: %t, %v", there, o)
	}
	if _, there := w.Get(cluster("old", nil).Addr()); there {
		t.Error("Get returns what was deleted")
	}
}

func TestCatchUpEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := serve(t).watch(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.CatchUp(ctx, "999999"); !errors.Is(err, context.Canceled) {
		t.Errorf("CatchUp with a mark that is never reached: %v", err)
	}
	for _, mark := range []string{"", "opaque"} {
		if err := w.CatchUp(ctx, mark); err != nil {
			t.Errorf("CatchUp(%q): %v, want nothing to wait for", mark, err)
		}
	}
}

func TestWhatWasWrittenIsSeenAfterAwaitWrite(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c := s.connect(t)
	w, err := c.Watch(t.Context(), clusterGK, namespaceGK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for i := range 20 {
		stored, err := c.Apply(t.Context(), cluster("c1", map[string]any{"spec": map[string]any{"n": int64(i)}}), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.AwaitWrite(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		if o, there := w.Get(stored.Addr()); !there || resource.Int(o.Object, "spec", "n") != int64(i) {
			t.Fatalf("write %d is not seen: %t, %v", i, there, o)
		}
	}
}

func TestAwaitWriteIsContentWhenTheObjectIsGoneAgain(t *testing.T) {
	t.Parallel()
	s := serve(t)
	w := s.watch(t)
	stored := resource.Object{Unstructured: s.putCluster(t, "brief", nil)}
	s.remove(t, "brief")
	if err := w.AwaitWrite(t.Context(), stored); err != nil {
		t.Error(err)
	}
}

// The history of the server is lost while the watch is down, as after a
// compaction of etcd: only a new list can tell what was deleted meanwhile.
func TestAfterALostHistoryTheKindIsListedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		s.putCluster(t, "stays", nil)
		s.putCluster(t, "deleted", nil)
		w := s.watch(t)
		synctest.Wait()
		before := s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters")
		expired := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","message":"too old resource version","code":410}`
		var gone atomic.Bool
		s.breakBy(func(w http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("watch") || !strings.HasSuffix(r.URL.Path, "/clusters") || !gone.CompareAndSwap(false, true) {
				return false
			}
			w.WriteHeader(http.StatusGone)
			_, _ = w.Write([]byte(expired))
			return true
		})
		// A watch that ends before it has said anything is not resumed.
		s.putCluster(t, "stays", map[string]any{"spec": map[string]any{"paused": true}})
		synctest.Wait()
		s.endWatches()
		synctest.Wait()
		s.remove(t, "deleted")
		s.putCluster(t, "new", nil)
		if err := w.CatchUp(t.Context(), mark(s)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Cluster team-a/new", "Cluster team-a/stays", "Namespace team-a"}, names(w.Objects())); diff != "" {
			t.Errorf("Objects (-want +got):\n%s", diff)
		}
		if !gone.Load() {
			t.Error("no watch was refused")
		}
		if after := s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters"); after < before+2 {
			t.Errorf("%d requests after the refusal, want a list and a watch", after-before)
		}
		w.Close()
	})
}

func TestAKindThatCanNoLongerBeListedIsAnError(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.putCluster(t, "c1", nil)
	w := s.watch(t)
	s.fail("/clusters", http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`)
	s.endWatches()
	for way, err := range map[string]error{
		"CatchUp to a mark": w.CatchUp(t.Context(), "999999"), "CatchUp": w.CatchUp(t.Context(), ""), "Err": w.Err(),
	} {
		if supervisor.ClassOf(err) != supervisor.Denied {
			t.Errorf("%s: %v, want what was denied", way, err)
		}
	}
	if _, there := w.Get(cluster("c1", nil).Addr()); !there {
		t.Error("a failed list took an object away")
	}
}

func TestCloseEndsTheWatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		for i := range 3 {
			s.putCluster(t, fmt.Sprint("c", i), nil)
		}
		w := s.watch(t)
		synctest.Wait()
		if !s.Watched(clusterGK) {
			t.Fatal("no watch is open")
		}
		w.Close()
		synctest.Wait()
		if s.Watched(clusterGK) || s.Watched(namespaceGK) {
			t.Error("a watch is open after Close")
		}
	})
}
