package kubeapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/simulate/kubeapi"
)

var (
	clusterKind = kubeapi.Kind{Group: "cluster.x-k8s.io", Versions: []string{"v1beta2", "v1beta1"}, Kind: "Cluster", Resource: "clusters", ShortNames: []string{"cl"}, Status: true}
	machineKind = kubeapi.Kind{Group: "cluster.x-k8s.io", Versions: []string{"v1beta2", "v1beta1"}, Kind: "Machine", Resource: "machines", Status: true}

	clusterGK  = schema.GroupKind{Group: "cluster.x-k8s.io", Kind: "Cluster"}
	machineGK  = schema.GroupKind{Group: "cluster.x-k8s.io", Kind: "Machine"}
	clusters   = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}
	machines   = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"}
	configmaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

	leaseKey = kubeapi.Key{Group: "coordination.k8s.io", Kind: "Lease", Namespace: "team-a", Name: "vksync"}
)

// clock is a time that moves when a test says so.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	queue []timer
}

type timer struct {
	at time.Time
	f  func()
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) AfterFunc(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, timer{c.now.Add(d), f})
}

// advance moves the time by d and does on the way what is due.
func (c *clock) advance(d time.Duration) {
	end := c.Now().Add(d)
	for {
		next, due := c.pop(end)
		if !due {
			return
		}
		next.f()
	}
}

func (c *clock) pop(end time.Time) (timer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortStableFunc(c.queue, func(a, b timer) int { return a.at.Compare(b.at) })
	if len(c.queue) == 0 || c.queue[0].at.After(end) {
		c.now = end
		return timer{}, false
	}
	next := c.queue[0]
	c.queue = c.queue[1:]
	c.now = next.at
	return next, true
}

// world is a store with a clock in the hands of a test.
type world struct {
	*kubeapi.Store
	clock *clock
}

func newWorld(t testing.TB, with ...func(*kubeapi.Config)) *world {
	t.Helper()
	w := &world{clock: newClock()}
	config := kubeapi.Config{
		Kinds: []kubeapi.Kind{clusterKind, machineKind},
		Clock: w.clock,
		UID:   func(_ kubeapi.Key, n uint64) string { return fmt.Sprintf("uid-%d", n) },
	}
	for _, f := range with {
		f(&config)
	}
	w.Store = kubeapi.New(config)
	w.put(t, "test", "v1 Namespace /team-a", nil)
	return w
}

// object makes an object called "APIVERSION KIND NAMESPACE/NAME".
func object(id string, content map[string]any) *unstructured.Unstructured {
	var apiVersion, kind, address string
	if _, err := fmt.Sscan(id, &apiVersion, &kind, &address); err != nil {
		panic(err)
	}
	i := slices.Index([]byte(address), '/')
	u := &unstructured.Unstructured{Object: map[string]any{}}
	for key, value := range content {
		u.Object[key] = value
	}
	if u.Object["metadata"] == nil {
		u.Object["metadata"] = map[string]any{}
	}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetName(address[i+1:])
	if i > 0 {
		u.SetNamespace(address[:i])
	}
	return u
}

func (w *world) put(t testing.TB, actor, id string, content map[string]any) *unstructured.Unstructured {
	t.Helper()
	u, err := w.Put(actor, object(id, content))
	if err != nil {
		t.Fatalf("Put(%s, %s): %v", actor, id, err)
	}
	return u
}

// change copies what is stored, has f change the copy, and puts it.
func (w *world) change(t testing.TB, actor string, k kubeapi.Key, f func(*unstructured.Unstructured)) *unstructured.Unstructured {
	t.Helper()
	u := w.Get(k).DeepCopy()
	f(u)
	u, err := w.Put(actor, u)
	if err != nil {
		t.Fatalf("Put(%s, %v): %v", actor, k, err)
	}
	return u
}

func (w *world) delete(t testing.TB, k kubeapi.Key) {
	t.Helper()
	if err := w.Delete("test", k); err != nil {
		t.Fatalf("Delete(%v): %v", k, err)
	}
}

func clusterKey(name string) kubeapi.Key {
	return kubeapi.Key{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team-a", Name: name}
}

func names(objects []*unstructured.Unstructured) []string {
	out := []string{}
	for _, u := range objects {
		out = append(out, u.GetKind()+" "+u.GetNamespace()+"/"+u.GetName())
	}
	return out
}

func diff(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// log notes the changes of a store as lines of text.
type changeLog struct {
	mu    sync.Mutex
	lines []string
}

func follow(w *world) *changeLog {
	l := &changeLog{}
	w.Subscribe(func(c kubeapi.Change) {
		l.mu.Lock()
		defer l.mu.Unlock()
		verb, u := "updates", c.After
		switch {
		case c.Before == nil:
			verb = "creates"
		case c.After == nil:
			verb, u = "removes", c.Before
		case c.Before.GetDeletionTimestamp() == nil && u.GetDeletionTimestamp() != nil:
			verb = "marks"
		}
		l.lines = append(l.lines, fmt.Sprintf("%s %s %s %s", c.Actor, verb, u.GetKind(), u.GetName()))
	})
	return l
}

func (l *changeLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// serve serves the world's handler in memory and returns how to reach it.
func serve(t testing.TB, w *world) *rest.Config {
	t.Helper()
	listener := kubeapi.NewPipeListener()
	server := &http.Server{Handler: w.Handler()}
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return &rest.Config{Host: "http://supervisor", Dial: listener.Dial, QPS: -1, UserAgent: "tester/1.0"}
}

func dynamicClient(t testing.TB, w *world) *dynamic.DynamicClient {
	t.Helper()
	client, err := dynamic.NewForConfig(serve(t, w))
	if err != nil {
		t.Fatal(err)
	}
	return client
}
