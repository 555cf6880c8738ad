package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/simulate"
)

// A trouble is a fault between the daemon and what it works on, and what it has
// to say of it.
type trouble struct {
	// serve is how the world is served; login has the daemon log in at /wcp/login.
	serve simulate.ServeOptions
	login bool
	// begin makes the fault and end takes it away.
	begin, end func(*testing.T, *scene)
	// fails are words of the error by which the loop fails while the fault lasts,
	// endpoint those that are said of the endpoint, with its address, and goal those
	// of a goal that waits. Without any of them nothing is lost by the fault: the
	// push is carried out while it lasts.
	fails, endpoint, goal string
	// unready is the answer of /readyz while it lasts; empty is that it is ready.
	unready string
}

// A scene is a daemon that keeps a world equal to a repository while something
// goes wrong.
type scene struct {
	*liveWorld
	repo    *gittest.Repo
	daemon  *process
	witness witness
}

// A witness sees every request to a world, and makes faults.
type witness struct {
	mu      sync.Mutex
	fault   func(simulate.Endpoint, *http.Request) *simulate.Fault // nil for none
	deleted []string
	effects map[string]int // the actions that took effect, by what they do
}

func (s *witness) see(at simulate.Endpoint) func(*http.Request) *simulate.Fault {
	return func(r *http.Request) (f *simulate.Fault) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Method == http.MethodDelete && r.URL.Path != "/api/session" {
			s.deleted = append(s.deleted, r.URL.Path)
		}
		if s.fault != nil {
			f = s.fault(at, r)
		}
		if what, is := action(r); is && (f == nil || f.Truncate > 0) {
			s.effects[what]++
		}
		return f
	}
}

// makes has requests to an endpoint that match meet a fault from now on.
func (s *witness) makes(at simulate.Endpoint, f simulate.Fault, match func(*http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = func(where simulate.Endpoint, r *http.Request) *simulate.Fault {
		if where != at || !match(r) {
			return nil
		}
		return &f
	}
}

func (s *witness) ends() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = nil
}

// always and the like are which requests meet a fault.
func always(*http.Request) bool    { return true }
func watches(r *http.Request) bool { return r.URL.Query().Has("watch") }
func lists(r *http.Request) bool   { return r.Method == http.MethodGet && !watches(r) }
func applies(r *http.Request) bool {
	return r.Method == http.MethodPatch && !r.URL.Query().Has("dryRun") && strings.Contains(r.URL.Path, "/clusters/")
}

// met makes a fault for requests.
func met(at simulate.Endpoint, f simulate.Fault, match func(*http.Request) bool) func(*testing.T, *scene) {
	return func(_ *testing.T, s *scene) { s.witness.makes(at, f, match) }
}

func normally(_ *testing.T, s *scene) { s.witness.ends() }

// gone takes an endpoint down.
func gone(at simulate.Endpoint) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) { must(t, s.Down(at)) }
}

func back(at simulate.Endpoint) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) { must(t, s.Up(at)) }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// twoPushes are the files of a push, and of one that scales a cluster and adds
// another and a vSphere Namespace. Neither takes anything away.
func twoPushes() (first, second map[string]string) {
	namespace := func(n int) string { return namespaces(n, 1, 2)[0] }
	first = map[string]string{"team.yaml": namespace(1)}
	more := strings.Replace(namespace(2), "replicas: 1\n", "replicas: 3\n", 1)
	spare, _, _ := strings.Cut(strings.TrimPrefix(namespace(1), "---\n"), "---\n")
	second = map[string]string{"team.yaml": more, "spare.yaml": strings.ReplaceAll(spare, "team-000", "spare")}
	return first, second
}

func newScene(t *testing.T, o simulate.ServeOptions) *scene {
	t.Helper()
	s := &scene{liveWorld: newLiveWorld(t, func(to *simulate.ServeOptions) { to.TokenLife = o.TokenLife }), repo: gittest.New(t)}
	s.witness.effects = map[string]int{}
	s.Fail(simulate.Supervisor, s.witness.see(simulate.Supervisor))
	s.Fail(simulate.VCenter, s.witness.see(simulate.VCenter))
	return s
}

// endure brings a fleet up, has something go wrong, pushes while it lasts, and
// waits until the daemon says what it is. Once that is over, the push is carried
// out, by the same process.
func (x trouble) endure(t *testing.T) {
	s := newScene(t, x.serve)
	first, second := twoPushes()
	revision := s.repo.Push(t, first)
	if x.login {
		s.daemon = s.startDaemon(t, "--request-timeout=1s", "--config="+s.loginConfig(t, s.repo.Bare, ""))
	} else {
		s.daemon = s.runDaemon(t, s.repo.Bare, "--prune", "--request-timeout=1s")
	}
	s.daemon.synced(t, revision)
	before := s.clusters(t)

	x.begin(t, s)
	began := time.Now()
	revision = s.repo.Push(t, second)
	if x.fails+x.goal == "" {
		s.daemon.synced(t, revision)
	}
	s.sees(t, x)
	t.Logf("it took %s to say so", time.Since(began).Round(100*time.Millisecond))
	x.end(t, s)
	began = time.Now()
	s.daemon.synced(t, revision)
	t.Logf("it recovered in %s", time.Since(began).Round(100*time.Millisecond))
	if text := s.daemon.ready(t); text != "200 ready" {
		t.Errorf("after it, it is %s", text)
	}
	s.unharmed(t)
	after := s.clusters(t)
	if len(before) != 1 || len(after) != 2 {
		t.Errorf("there were %d clusters and are %d", len(before), len(after))
	}
	for name, o := range before {
		kept := after[name]
		if kept.GetUID() != o.GetUID() {
			t.Errorf("%s is another one than before", name)
		}
	}
}

// unharmed fails when anything was deleted, or done twice.
func (s *scene) unharmed(t *testing.T) {
	t.Helper()
	s.witness.mu.Lock()
	defer s.witness.mu.Unlock()
	if len(s.witness.deleted) > 0 {
		t.Errorf("deleted: %v", s.witness.deleted)
	}
	// Of two pushes, the one cluster is in both.
	for _, what := range slices.Sorted(maps.Keys(s.witness.effects)) {
		most := 1
		if strings.Contains(what, "/c00000") {
			most = 2
		}
		if n := s.witness.effects[what]; n > most {
			t.Errorf("%s took effect %d times", what, n)
		}
	}
}

// sees waits until the daemon says of the trouble what it has to.
func (s *scene) sees(t *testing.T, x trouble) {
	t.Helper()
	var l reconcile.LoopStatus
	eventually(t, "the status says what is wrong", func() bool {
		status := s.daemon.status(t)
		if len(status.Loops) != 1 {
			return false
		}
		l = status.Loops[0]
		return x.failing(l) && x.endpointFailing(l) && x.goalWaits(l) && s.daemon.ready(t) == cmp.Or(x.unready, "200 ready")
	})
	for _, e := range l.Endpoints {
		t.Logf("%s is %s since %s: %s; retry %s", e.Name, e.State, since(e.Since), e.Error, since(e.Retry))
	}
	t.Logf("loop %s since %s: %s; retry %s", l.State, since(l.Since), l.Error, since(l.Retry))
	for _, g := range l.Goals {
		if g.Why != "" {
			t.Logf("%s %s: %s", g.Addr, g.State, g.Why)
		}
	}
}

func since(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return time.Since(at).Round(100 * time.Millisecond).String()
}

// failing says whether the loop fails as it has to, and says when it tries again.
func (x trouble) failing(l reconcile.LoopStatus) bool {
	if x.fails == "" {
		return true
	}
	return l.State == reconcile.Failing && strings.Contains(l.Error, x.fails) && !l.Since.IsZero() && !l.Retry.IsZero()
}

// endpointFailing says whether an endpoint is named as it has to be.
func (x trouble) endpointFailing(l reconcile.LoopStatus) bool {
	return x.endpoint == "" || slices.ContainsFunc(l.Endpoints, func(e reconcile.EndpointStatus) bool {
		return e.State != link.OK && strings.Contains(e.Name+": "+e.Error, x.endpoint) && strings.Contains(e.Name, "127.0.0.1:") && !e.Since.IsZero()
	})
}

func (x trouble) goalWaits(l reconcile.LoopStatus) bool {
	return x.goal == "" || slices.ContainsFunc(l.Goals, func(g reconcile.GoalStatus) bool {
		return strings.Contains(g.Addr.String()+": "+g.Why, x.goal)
	})
}

// ready is the answer of /readyz.
func (p *process) ready(t *testing.T) string {
	t.Helper()
	code, text := p.get(t, "/readyz")
	return fmt.Sprintf("%d %s", code, strings.TrimSpace(text))
}

// atOnce runs subtests side by side, a few at a time: they wait for most of theirs.
func atOnce(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	room := make(chan struct{}, 6)
	var running sync.WaitGroup
	for name, test := range tests {
		running.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			t.Run(name, test)
		})
	}
	running.Wait()
}

func endureAll(t *testing.T, troubles map[string]trouble) {
	t.Helper()
	tests := map[string]func(*testing.T){}
	for name, x := range troubles {
		tests[name] = x.endure
	}
	atOnce(t, tests)
}

// loginConfig is the file of a configuration in which the daemon logs in to the world
// and follows one source; more is what the source has besides its URL.
func (w *liveWorld) loginConfig(t *testing.T, url, more string) string {
	t.Helper()
	dir := t.TempDir()
	host := strings.TrimPrefix(w.SupervisorURL(), "https://")
	for name, text := range map[string]string{
		"password": w.Password, "ca.pem": string(w.CA),
		"vksync.yaml": fmt.Sprintf(`apiVersion: vksync.dev/v1alpha1
kind: Config
supervisors:
- name: lab
  vcenter: {url: %q, username: %q, password: {file: password}, caFile: ca.pem}
  kubernetes:
    login: {address: %q, api: %[3]q, caFile: ca.pem}
sources:
- name: default
  url: %q
  policy: {prune: true}
%s
server: {address: "127.0.0.1:0"}
leaderElection: {disabled: true, namespace: default}
`, w.VCenterURL(), w.User, host, url, more),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "vksync.yaml")
}
