package reconcile_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/inventory"
)

// A stage is a served world that a loop keeps equal to a repository.
type stage struct {
	repo   *gittest.Repo
	served *simulate.Served
	kube   *supervisor.Client
	feed   *reconcile.Feed
	loop   *reconcile.Loop
	stop   func()

	mu     sync.Mutex
	events []journal.Event
}

// speed is how much faster than the wall clock model time runs.
const speed = 300

func newStage(t testing.TB) *stage {
	t.Helper()
	inv, err := inventory.Decode(schema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulate.New(simulate.Config{Inventory: inv, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{repo: gittest.New(t)}
	if s.served, err = world.Serve(context.WithoutCancel(t.Context()), simulate.ServeOptions{Speed: speed, OnFault: func(err error) { t.Error(err) }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.served.Close(); err != nil {
			t.Error(err)
		}
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.kube, err = supervisor.Connect(t.Context(), s.served.KubeConfig()); err != nil {
		t.Fatal(err)
	}
	return s
}

// begin starts a loop under a policy; the end of the test, or stop, ends it.
func (s *stage) begin(t testing.TB, change ...func(*reconcile.LoopConfig)) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, nil))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	source, err := gitsource.Follow(ctx, gitsource.Config{Name: "fleet", URL: s.repo.Bare, Branch: "main"})
	if err != nil {
		t.Fatal(err)
	}
	s.feed = reconcile.NewFeed("fleet", source, func(_ context.Context, tree *gitsource.Tree) (*schema.Desired, schema.Problems, error) {
		d, problems := schema.Load(tree.FS, tree.Root)
		return d, problems, nil
	}, log)
	c := reconcile.LoopConfig{
		Source: "fleet", Supervisor: "lab", Feed: s.feed, Namespace: "default", Resync: 300 * time.Millisecond, Log: log,
		Connect: func(ctx context.Context) (*reconcile.Engine, error) {
			vcenter, err := s.served.VSphereConfig()
			if err != nil {
				return nil, err
			}
			return reconcile.Connect(ctx, reconcile.Endpoints{Kube: s.served.KubeConfig(), VSphere: vcenter, Source: "fleet"})
		},
		Journal: []func(journal.Event){func(e journal.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
		}},
	}
	for _, f := range change {
		f(&c)
	}
	s.loop = reconcile.NewLoop(c)
	d := reconcile.Daemon{Feeds: []*reconcile.Feed{s.feed}, Loops: []*reconcile.Loop{s.loop}}
	var done sync.WaitGroup
	done.Go(func() { d.Run(ctx) })
	s.stop = sync.OnceFunc(func() {
		cancel()
		done.Wait()
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
}

// testWriter sends the log to the test's output.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

var _ io.Writer = testWriter{}

// await waits until what is asked for is so.
func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// synced waits until nothing is left to do of a revision.
func (s *stage) synced(t testing.TB, revision string) {
	t.Helper()
	await(t, "in sync with "+revision, func() bool {
		status := s.loop.Status()
		return status.State == reconcile.InSync && status.Synced == revision
	})
}

func (s *stage) cluster(t testing.TB, name string) (resource.Object, bool) {
	t.Helper()
	o, err := s.kube.Get(t.Context(), clusterAddr(name))
	if err != nil && supervisor.ClassOf(err) != supervisor.NotFound {
		t.Fatal(err)
	}
	return o, err == nil
}

// acted lists what was done, in order.
func (s *stage) acted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		if e.Action != nil && e.Action.State == journal.ActionDone {
			out = append(out, e.Action.Verb+" "+e.Action.Addr.Name)
		}
	}
	return out
}

func TestPushesAreCarriedOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.repo.Push(t, map[string]string{"team.yaml": teamA, "a.yaml": clusterOf("a"), "b.yaml": clusterOf("b")})
	s.begin(t, func(c *reconcile.LoopConfig) { c.Policy = schema.Policy{Prune: true, PruneLimit: 1} })
	s.synced(t, first)
	second := s.repo.Push(t, map[string]string{"team.yaml": teamA, "a.yaml": clusterOf("a")})
	s.synced(t, second)
	if _, is := s.cluster(t, "a"); !is {
		t.Error("a is gone")
	}
	if _, is := s.cluster(t, "b"); is {
		t.Error("b is still there")
	}
	want := []string{"create team-a", "create a", "create b", "delete b"}
	got := s.acted()
	slices.Sort(got[1:3])
	if !slices.Equal(got, want) {
		t.Errorf("done: %q, want %q", got, want)
	}
}

func base(clusters ...string) map[string]string {
	files := map[string]string{"team.yaml": teamA}
	for _, name := range clusters {
		files[name+".yaml"] = clusterOf(name)
	}
	return files
}

// scaled is a cluster with another number of workers.
func scaled(name string, workers string) string {
	return strings.Replace(clusterOf(name), "name: np, replicas: 1", "name: np, replicas: "+workers, 1)
}

func (s *stage) state() reconcile.State { return s.loop.Status().State }

func TestANewerRevisionEndsTheWaitOfAnOlderOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t)
	first := s.repo.Push(t, base("a"))
	await(t, "the first is running", func() bool { return s.state() == reconcile.Running })
	second := s.repo.Push(t, base("a", "b"))
	s.synced(t, second)
	var begun []string
	s.mu.Lock()
	for _, e := range s.events {
		if e.Begin != nil && !slices.Contains(begun, e.Begin.Revision) {
			begun = append(begun, e.Begin.Revision)
		}
	}
	s.mu.Unlock()
	if !slices.Equal(begun, []string{first, second}) {
		t.Errorf("runs of %q, want of %q", begun, []string{first, second})
	}
	if n := s.loop.Status().Runs.Interrupted; n == 0 {
		t.Error("no run was interrupted")
	}
}

func TestTheLastGoodRevisionStaysWhileANewerOneIsInvalid(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t)
	good := s.repo.Push(t, base("a"))
	s.synced(t, good)
	bad := s.repo.Push(t, map[string]string{"team.yaml": teamA, "a.yaml": "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: A_B, namespace: team-a}\n"})
	await(t, "the bad one is refused", func() bool { return s.feed.Status().Invalid != nil })
	status := s.feed.Status()
	if status.Invalid.Revision != bad || status.Revision != good || !strings.Contains(strings.Join(status.Invalid.Problems, "\n"), "a.yaml:3:18: metadata.name") {
		t.Errorf("status %+v", status)
	}
	better := s.repo.Push(t, base("a", "b"))
	s.synced(t, better)
	if s.feed.Status().Invalid != nil {
		t.Error("the problems are still shown")
	}
}

// What somebody changes on the Supervisor is put right, or left alone until the
// next push, as the policy says.
func TestDriftIsCorrectedOrObserved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		drift string
		want  int64
	}{{schema.DriftCorrect, 1}, {schema.DriftObserve, 2}} {
		t.Run(test.drift, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.begin(t, func(c *reconcile.LoopConfig) {
				c.Policy = schema.Policy{Drift: test.drift, ForceConflicts: test.drift == schema.DriftObserve}
			})
			first := s.repo.Push(t, base("a"))
			s.synced(t, first)
			s.patch(t, "a", `[{"op":"replace","path":"/spec/topology/workers/machineDeployments/0/replicas","value":2}]`)
			plans := s.loop.Status().Plans.Count
			if test.drift == schema.DriftCorrect {
				await(t, "it is put right", func() bool { return s.workers(t, "a") == test.want })
			} else {
				await(t, "it was looked at", func() bool { return s.loop.Status().Plans.Count > plans+1 })
				if got := s.workers(t, "a"); got != test.want {
					t.Errorf("%d workers, want what was written, %d", got, test.want)
				}
				if status := s.loop.Status(); status.Summary.Update != 1 {
					t.Errorf("the plan does not show it: %+v", status.Summary)
				}
				// A restart forgets nothing of that.
				s.stop()
				s.begin(t, func(c *reconcile.LoopConfig) { c.Policy = schema.Policy{Drift: test.drift, ForceConflicts: true} })
				s.synced(t, first)
				if got := s.workers(t, "a"); got != test.want {
					t.Errorf("after a restart %d workers, want %d", got, test.want)
				}
				s.synced(t, s.repo.Push(t, map[string]string{"team.yaml": teamA, "a.yaml": clusterOf("a"), "note.txt": "a new revision"}))
				if got := s.workers(t, "a"); got != 1 {
					t.Errorf("after a push %d workers, want 1", got)
				}
			}
		})
	}
}

func TestAPlanWaitsForItsApproval(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t, func(c *reconcile.LoopConfig) { c.Policy.Mode = schema.ModeApproval })
	first := s.repo.Push(t, base("a"))
	await(t, "it is held", func() bool { return s.state() == reconcile.Held })
	s.approve(t, "another plan")
	for range 2 {
		if s.state() == reconcile.Running {
			t.Fatal("a plan was run that nobody approved")
		}
	}
	ledger, err := s.kube.Get(t.Context(), resource.Addr{Kind: "ConfigMap", Namespace: "default", Name: "vksync-fleet"})
	if err != nil {
		t.Fatal(err)
	}
	digest := resource.Text(ledger.Object, "data", "pending")
	if text := resource.Text(ledger.Object, "data", "plan"); !strings.Contains(text, "+ Cluster team-a/a") {
		t.Errorf("the plan that waits is not shown:\n%s", text)
	}
	s.approve(t, digest)
	s.synced(t, first)
}

// What is approved over HTTP ends where kubectl annotate puts it.
func TestApprovingIsAnnotating(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t, func(c *reconcile.LoopConfig) { c.Policy.Mode = schema.ModeApproval })
	if err := s.loop.Approve(t.Context(), "sha256:1"); !errors.Is(err, reconcile.ErrNotPending) {
		t.Errorf("before there is a plan: %v", err)
	}
	first := s.repo.Push(t, base("a"))
	await(t, "it is held", func() bool { return s.loop.Status().Pending != "" })
	status := s.loop.Status()
	if err := s.loop.Approve(t.Context(), "sha256:1"); !errors.Is(err, reconcile.ErrNotPending) {
		t.Errorf("another plan than the one that waits: %v", err)
	}
	if err := s.loop.Approve(t.Context(), status.Pending); err != nil {
		t.Fatal(err)
	}
	s.synced(t, first)
	if now := s.loop.Status(); now.Pending != "" || now.Approve != "" {
		t.Errorf("what was done still waits: %q, %q", now.Pending, now.Approve)
	}
	ledger, err := s.kube.Get(t.Context(), resource.Addr{Kind: "ConfigMap", Namespace: "default", Name: "vksync-fleet"})
	if err != nil {
		t.Fatal(err)
	}
	if got := ledger.GetAnnotations()[reconcile.AnnotationApprove]; got != status.Pending || !strings.HasSuffix(status.Approve, "configmap/vksync-fleet vksync.dev/approve="+got) {
		t.Errorf("the annotation is %q, the command %q, want both with %s", got, status.Approve, status.Pending)
	}
}

func TestPlanOnlyChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t, func(c *reconcile.LoopConfig) { c.Policy.Mode = schema.ModePlanOnly })
	s.repo.Push(t, base("a"))
	await(t, "it is held", func() bool { return s.state() == reconcile.Held })
	if got := s.acted(); len(got) > 0 {
		t.Errorf("done: %q", got)
	}
}

func TestAShardActsOnItsOwnOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	mine := strings.Replace(clusterOf("a"), "name: a,", "name: a, labels: {shard: one},", 1)
	s.begin(t, func(c *reconcile.LoopConfig) {
		c.Policy = schema.Policy{Prune: true}
		c.Shard = func(labels map[string]string) bool { return labels["shard"] != "two" }
	})
	other := strings.Replace(clusterOf("b"), "name: b,", "name: b, labels: {shard: two},", 1)
	revision := s.repo.Push(t, map[string]string{"team.yaml": teamA, "a.yaml": mine, "b.yaml": other})
	s.synced(t, revision)
	if _, is := s.cluster(t, "a"); !is {
		t.Error("a cluster of the shard was not made")
	}
	if _, is := s.cluster(t, "b"); is {
		t.Error("a cluster of another shard was made")
	}
}

// A cluster that cannot be is tried less and less often, and does not keep the
// others waiting.
func TestASickClusterDoesNotHoldUpAHealthyOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t)
	files := base("good")
	files["bad.yaml"] = strings.Replace(clusterOf("bad"), "best-effort-small", "no-such-class", 1)
	s.repo.Push(t, files)
	await(t, "the good one is available", func() bool {
		return slices.ContainsFunc(s.loop.Status().Goals, func(g reconcile.GoalStatus) bool {
			return g.Addr.Name == "good" && g.State == "done"
		})
	})
	files["good.yaml"] = scaled("good", "2")
	s.repo.Push(t, files)
	await(t, "the good one is scaled", func() bool { return s.workers(t, "good") == 2 })
}

// A push that comes before drift was corrected takes what vksync had applied back
// as well, and what others decided all along only when told.
func TestAPushOverDriftTakesBackWhatWasApplied(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.begin(t, func(c *reconcile.LoopConfig) { c.Resync = time.Hour })
	s.synced(t, s.repo.Push(t, base("a")))
	s.patch(t, "a", `[{"op":"replace","path":"/spec/topology/workers/machineDeployments/0/replicas","value":2}]`)
	s.synced(t, s.repo.Push(t, map[string]string{"team.yaml": teamA, "a.yaml": scaled("a", "3")}))
	if got := s.workers(t, "a"); got != 3 {
		t.Errorf("%d workers, want 3", got)
	}
}
