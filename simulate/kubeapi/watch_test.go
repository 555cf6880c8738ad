package kubeapi_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// read takes n events off a watch, as lines of text.
func read(t *testing.T, w watch.Interface, n int) []string {
	t.Helper()
	var lines []string
	for range n {
		event, open := <-w.ResultChan()
		if !open {
			t.Fatalf("the watch ended after %q", lines)
		}
		u, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			t.Fatalf("the watch sends %#v", event.Object)
		}
		line := fmt.Sprintf("%s %s@%s", event.Type, u.GetName(), u.GetResourceVersion())
		if u.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true" {
			line += " end of initial events"
		}
		lines = append(lines, line)
	}
	return lines
}

func open(t *testing.T, r dynamic.ResourceInterface, o metav1.ListOptions) watch.Interface {
	t.Helper()
	w, err := r.Watch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func label(value string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{"tier": value}) }
}

func TestWatchSeesEveryChangeInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := dynamicClient(t, w).Resource(clusters)
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	all := open(t, api, metav1.ListOptions{})
	if !w.Watched(clusterGK) || w.Watched(machineGK) {
		t.Errorf("Watched: clusters %t, machines %t", w.Watched(clusterGK), w.Watched(machineGK))
	}
	gold := open(t, api, metav1.ListOptions{LabelSelector: "tier=gold"})
	w.put(t, "core", capi+"Machine team-a/m1", nil)
	w.change(t, "core", clusterKey("c1"), label("gold"))
	w.change(t, "core", clusterKey("c1"), label("tin"))
	w.put(t, "core", capi+"Cluster team-a/c2", nil)
	w.delete(t, clusterKey("c1"))
	w.change(t, "core", clusterKey("c2"), label("gold"))
	w.delete(t, clusterKey("c2"))
	diff(t, "all", read(t, all, 7), []string{
		"ADDED c1@2", "MODIFIED c1@4", "MODIFIED c1@5", "ADDED c2@6", "DELETED c1@7", "MODIFIED c2@8", "DELETED c2@9",
	})
	diff(t, "with a selector", read(t, gold, 4), []string{"ADDED c1@4", "DELETED c1@5", "ADDED c2@8", "DELETED c2@9"})
}

func TestWatchResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := dynamicClient(t, w).Resource(clusters)
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	list, err := api.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.change(t, "core", clusterKey("c1"), label("gold"))
	w.put(t, "core", capi+"Machine team-a/m1", nil)
	resumed := open(t, api, metav1.ListOptions{ResourceVersion: list.GetResourceVersion(), AllowWatchBookmarks: true})
	diff(t, "resumed", read(t, resumed, 2), []string{"MODIFIED c1@3", "BOOKMARK @4"})
	resumed.Stop()

	for i := range 10_001 {
		w.change(t, "core", clusterKey("c1"), label(strconv.Itoa(i)))
	}
	late := open(t, api, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err := apierrors.FromObject((<-late.ResultChan()).Object); !apierrors.IsResourceExpired(err) {
		t.Errorf("resuming from before the history: %v, want 410 expired", err)
	}
	near := open(t, api, metav1.ListOptions{ResourceVersion: "10004"})
	diff(t, "resumed within the history", read(t, near, 1), []string{"MODIFIED c1@10005"})
}

func TestWatchListAndBookmarks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := dynamicClient(t, w).Resource(clusters)
	w.put(t, "core", capi+"Cluster team-a/c1", nil)
	w.put(t, "core", capi+"Cluster team-a/c2", nil)
	yes := true
	streamed := open(t, api, metav1.ListOptions{
		SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	silent := open(t, api, metav1.ListOptions{ResourceVersion: "3"})
	diff(t, "initial events", read(t, streamed, 3), []string{"ADDED c1@2", "ADDED c2@3", "BOOKMARK @3 end of initial events"})
	w.put(t, "core", capi+"Machine team-a/m1", nil)
	if got := w.Bookmark(); got != 4 {
		t.Errorf("Bookmark returns %d, want 4", got)
	}
	w.delete(t, clusterKey("c1"))
	w.Bookmark()
	diff(t, "bookmarks", read(t, streamed, 3), []string{"BOOKMARK @4", "DELETED c1@5", "BOOKMARK @5"})
	diff(t, "a watch that did not ask for bookmarks", read(t, silent, 1), []string{"DELETED c1@5"})
}

// Both ways in which a reflector learns what is there lead to the same: by a
// list and a watch, and by a watch that begins with everything.
func TestReflectorKeepsUp(t *testing.T) {
	t.Parallel()
	for name, supported := range map[string]bool{"list and watch": false, "watch list": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { reflectorKeepsUp(t, supported) })
		})
	}
}

// semantics says whether a client knows watches that begin with everything.
type semantics bool

func (s semantics) IsWatchListSemanticsUnSupported() bool { return !bool(s) }

func reflectorKeepsUp(t *testing.T, watchList bool) {
	w := newWorld(t)
	api := dynamicClient(t, w).Resource(clusters)
	w.put(t, "core", capi+"Cluster team-a/c0", nil)
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			if watchList {
				t.Error("the reflector lists")
			}
			return api.List(ctx, o)
		},
		WatchFuncWithContext: api.Watch,
	}
	content := cache.NewStore(cache.MetaNamespaceKeyFunc)
	reflector := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(source, semantics(watchList)),
		&unstructured.Unstructured{}, content, cache.ReflectorOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		reflector.RunWithContext(ctx)
	}()
	synctest.Wait()
	for i := 1; i < 50; i++ {
		w.put(t, "core", fmt.Sprintf("%sCluster team-a/c%d", capi, i), nil)
	}
	w.delete(t, clusterKey("c0"))
	w.put(t, "core", capi+"Machine team-a/m1", nil)
	mark := strconv.FormatUint(w.Bookmark(), 10)
	synctest.Wait()
	if got := reflector.LastSyncResourceVersion(); got != mark {
		t.Errorf("the reflector is at %s, want %s", got, mark)
	}
	if got := len(content.List()); got != 49 {
		t.Errorf("the reflector has %d objects at the mark, want 49", got)
	}
	if _, there, err := content.GetByKey("team-a/c0"); there || err != nil {
		t.Errorf("the deleted object: %t, %v", there, err)
	}
	cancel()
	<-done
	synctest.Wait()
	if w.Watched(clusterGK) {
		t.Error("the watch is still open")
	}
}
