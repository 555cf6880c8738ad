package supervisor_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/simulate/kubeapi"
)

var (
	clusterGK   = schema.GroupKind{Group: "cluster.x-k8s.io", Kind: "Cluster"}
	namespaceGK = schema.GroupKind{Kind: "Namespace"}
	secretGK    = schema.GroupKind{Kind: "Secret"}
)

// A server is an API server in memory that notes what goes over the wire, and
// that a test can break.
type server struct {
	*kubeapi.Store
	config *rest.Config

	mu       sync.Mutex // guards what is below
	requests []string   // "GET /apis/..."
	answers  bytes.Buffer
	// broken, when it returns true, has answered in place of the store.
	broken func(http.ResponseWriter, *http.Request) bool
	// following is cancelled to end the watches that are open.
	following context.Context
	end       context.CancelFunc
}

func serve(t testing.TB) *server {
	t.Helper()
	s := &server{Store: kubeapi.New(kubeapi.Config{Kinds: []kubeapi.Kind{
		{Group: "cluster.x-k8s.io", Versions: []string{"v1beta2", "v1beta1"}, Kind: "Cluster", Resource: "clusters", Status: true},
		{Group: "coordination.k8s.io", Versions: []string{"v1"}, Kind: "Lease", Resource: "leases"},
	}})}
	s.following, s.end = context.WithCancel(t.Context())
	listener := kubeapi.NewPipeListener()
	server := &http.Server{Handler: s}
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	s.config = &rest.Config{Host: "http://x", Dial: listener.Dial, QPS: -1, UserAgent: "vksync"}
	s.put(t, "v1", "Namespace", "", "team-a", nil)
	return s
}

// ServeHTTP answers as the store does, unless the server is broken.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	broken, following := s.broken, s.following
	s.mu.Unlock()
	if broken != nil && broken(w, r) {
		return
	}
	if r.URL.Query().Has("watch") {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(following, cancel)()
		r = r.WithContext(ctx)
	}
	s.Handler().ServeHTTP(recording{w, s}, r)
}

// recording keeps what is answered.
type recording struct {
	http.ResponseWriter
	server *server
}

func (r recording) Write(b []byte) (int, error) {
	r.server.mu.Lock()
	r.server.answers.Write(b)
	r.server.mu.Unlock()
	return r.ResponseWriter.Write(b)
}

func (r recording) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r recording) Flush() {
	if f, ok := r.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// fail has requests whose path holds part answered with a status.
func (s *server) fail(part string, code int, body string) {
	s.breakBy(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, part) {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
		return true
	})
}

func (s *server) breakBy(f func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = f
}

// endWatches has every watch that is open end, as servers do now and then.
func (s *server) endWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	s.following, s.end = context.WithCancel(context.WithoutCancel(s.following))
}

// count is how many requests begin with prefix.
func (s *server) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (s *server) wire() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answers.String()
}

func (s *server) connect(t testing.TB) *supervisor.Client {
	t.Helper()
	c, err := supervisor.Connect(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *server) watch(t testing.TB) *supervisor.Cache {
	t.Helper()
	w, err := s.connect(t).Watch(t.Context(), clusterGK, namespaceGK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// put writes an object as a controller of the Supervisor would.
func (s *server) put(t testing.TB, apiVersion, kind, namespace, name string, content map[string]any) *unstructured.Unstructured {
	t.Helper()
	o := object(apiVersion, kind, namespace, name, content)
	if old := s.Get(key(o)); old != nil {
		o.SetResourceVersion(old.GetResourceVersion())
		o.SetUID(old.GetUID())
	}
	stored, err := s.Put("controller", o.Unstructured)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func (s *server) putCluster(t testing.TB, name string, content map[string]any) *unstructured.Unstructured {
	t.Helper()
	return s.put(t, "cluster.x-k8s.io/v1beta2", "Cluster", "team-a", name, content)
}

func (s *server) remove(t testing.TB, name string) {
	t.Helper()
	if err := s.Delete("controller", key(cluster(name, nil))); err != nil {
		t.Fatal(err)
	}
}

func key(o resource.Object) kubeapi.Key {
	a := o.Addr()
	return kubeapi.Key{Group: a.Group, Kind: a.Kind, Namespace: a.Namespace, Name: a.Name}
}

func object(apiVersion, kind, namespace, name string, content map[string]any) resource.Object {
	o := resource.NewObject(map[string]any{})
	for k, v := range content {
		o.Object[k] = v
	}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	o.SetName(name)
	return o
}

func cluster(name string, content map[string]any) resource.Object {
	return object("cluster.x-k8s.io/v1beta2", "Cluster", "team-a", name, content)
}

func names(objects []resource.Object) []string {
	out := make([]string, 0, len(objects))
	for _, o := range objects {
		out = append(out, o.Addr().String())
	}
	slices.Sort(out)
	return out
}

// eventually waits until met, and fails when that takes absurdly long.
func eventually(t testing.TB, what string, met func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); !met(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
