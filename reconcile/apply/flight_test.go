package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// A remote is an Actor whose answers take their time. Clusters are available as
// soon as they are made. It is for bubbles of synctest, with RealTime.
type remote struct {
	mu      sync.Mutex // guards what is below
	objects map[resource.Addr]resource.Object
	changed map[resource.Addr]bool
	signal  chan struct{}
	// answer is how long the answer to an action takes; less than 0 is for ever.
	answer map[resource.Addr]time.Duration
	// reading is how long the vSphere Namespaces take to be read from the second time on.
	reading   time.Duration
	refreshes int
	underWay  int
	most      int
	attempts  map[resource.Addr]int
}

func newRemote(clusters ...string) *remote {
	r := &remote{
		objects: map[resource.Addr]resource.Object{}, changed: map[resource.Addr]bool{}, signal: make(chan struct{}, 1),
		answer: map[resource.Addr]time.Duration{}, attempts: map[resource.Addr]int{},
	}
	r.objects[resource.Addr{Kind: "Namespace", Name: "team-a"}] = resource.NewObject(map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "team-a"},
	})
	for _, name := range clusters {
		r.objects[clusterAddr(name)] = clusterObject("team-a", name, "True")
	}
	return r
}

func (r *remote) Do(ctx context.Context, a plan.Action) error {
	r.mu.Lock()
	r.attempts[a.Addr]++
	r.underWay++
	r.most = max(r.most, r.underWay)
	takes := r.answer[a.Addr]
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.underWay--
		r.mu.Unlock()
	}()
	if err := pass(ctx, takes); err != nil {
		return err
	}
	o := clusterObject(a.Addr.Namespace, a.Addr.Name, "True")
	if a.Addr.Kind == resource.KindVSphereNamespace {
		o = vsphereNamespace(a.Addr.Name, "CONFIGURING")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects[a.Addr] = o
	r.changed[a.Addr] = true
	select {
	case r.signal <- struct{}{}:
	default:
	}
	return nil
}

func pass(ctx context.Context, takes time.Duration) error {
	if takes < 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-time.After(takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *remote) Refresh(ctx context.Context) error {
	r.mu.Lock()
	r.refreshes++
	takes := r.reading
	if r.refreshes == 1 {
		takes = 0
	}
	r.mu.Unlock()
	if err := pass(ctx, takes); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, made := r.objects[team]; made && r.refreshes > 1 {
		r.objects[team] = vsphereNamespace("team-a", "RUNNING")
		r.changed[team] = true
	}
	return nil
}

func (r *remote) Changed() <-chan struct{}                      { return r.signal }
func (r *remote) CatchUp(context.Context, string) error         { return nil }
func (r *remote) TakeRefused() map[resource.Addr]*apply.Failure { return nil }
func (r *remote) Replan(context.Context) (*plan.Plan, error)    { return &plan.Plan{}, nil }
func (r *remote) Get(a resource.Addr) (o resource.Object, there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, there = r.objects[a]
	return o, there
}

func (r *remote) TakeChanged() []resource.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []resource.Addr
	for a := range r.changed {
		out = append(out, a)
	}
	clear(r.changed)
	slices.SortFunc(out, resource.Addr.Compare)
	return out
}

// play runs a plan on the remote and returns the lines of its journal.
func (r *remote) play(ctx context.Context, p *plan.Plan, o apply.Options) (journal.End, []string, error) {
	log := &site{}
	o.Client = r
	o.Journal = journal.NewRecorder(time.Now(), func(e journal.Event) { log.events = append(log.events, e) })
	end, err := apply.Run(ctx, p, o)
	return end, log.story(), err
}

func TestASlowRequestHoldsUpOnlyItsOwnCluster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRemote()
		r.answer[dev] = 50 * time.Second
		end, story, err := r.play(t.Context(), planOf(do(plan.Create, dev), do(plan.Create, prod)), apply.Options{})
		if err != nil || end.Outcome != journal.Reached {
			t.Errorf("the run ended %v, %v", end, err)
		}
		want := []string{
			"0s create Cluster team-a/dev started", "0s create Cluster team-a/prod started",
			"0s create Cluster team-a/prod done", "50s create Cluster team-a/dev done",
		}
		if diff := cmp.Diff(want, story); diff != "" {
			t.Errorf("story (-want +got):\n%s", diff)
		}
	})
}

// A namespace of another team takes a minute to be read: what is due elsewhere
// is done meanwhile.
func TestASlowReadOfNamespacesHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRemote()
		r.reading = 45 * time.Second
		r.answer[prod] = 20 * time.Second
		other := resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team-b", Name: "quick"}
		r.objects[resource.Addr{Kind: "Namespace", Name: "team-b"}] = resource.Object{}
		r.answer[other] = 20 * time.Second
		end, story, err := r.play(t.Context(), planOf(do(plan.Create, team), do(plan.Create, prod), do(plan.Create, other)), apply.Options{})
		if err != nil || end.Outcome != journal.Reached {
			t.Errorf("the run ended %v, %v", end, err)
		}
		want := []string{
			"0s create VSphereNamespace team-a started", "0s create Cluster team-b/quick started",
			"0s create VSphereNamespace team-a done", "20s create Cluster team-b/quick done",
			"55s create Cluster team-a/prod started", "1m15s create Cluster team-a/prod done",
		}
		if diff := cmp.Diff(want, story); diff != "" {
			t.Errorf("story (-want +got):\n%s", diff)
		}
	})
}

func TestARequestWithoutAnAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRemote()
		r.answer[prod] = -1
		end, story, err := r.play(t.Context(), planOf(do(plan.Create, dev), do(plan.Create, prod)), apply.Options{RequestTimeout: 30 * time.Second})
		if err != nil || end.Outcome != journal.NotReached || end.Reached != 1 {
			t.Errorf("the run ended %v, %v", end, err)
		}
		if last := story[len(story)-1]; last[len(last)-len("failed Timeout: no answer within 30s"):] != "failed Timeout: no answer within 30s" {
			t.Errorf("the last line is %q", last)
		}
		if r.attempts[prod] != 9 {
			t.Errorf("%d attempts, want 9", r.attempts[prod])
		}
	})
}

func TestAnInterruptedRunAwaitsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		takes time.Duration
		ended time.Duration
		story []string
	}{
		{"an answer in time is in the journal", 7 * time.Second, 7 * time.Second, []string{
			"0s create Cluster team-a/prod started", "7s create Cluster team-a/prod done",
		}},
		{"one that does not come is cut off", -1, 12 * time.Second, []string{"0s create Cluster team-a/prod started"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				r := newRemote()
				r.answer[prod] = test.takes
				time.AfterFunc(2*time.Second, cancel)
				begun := time.Now()
				end, story, err := r.play(ctx, planOf(do(plan.Create, prod)), apply.Options{})
				if !errors.Is(err, context.Canceled) || end.Outcome != journal.Interrupted {
					t.Errorf("the run ended %v, %v", end, err)
				}
				if took := time.Since(begun); took != test.ended {
					t.Errorf("it ended after %s, want %s", took, test.ended)
				}
				if diff := cmp.Diff(test.story, story); diff != "" {
					t.Errorf("story (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestNoMoreActionsAreUnderWayThanAllowed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ limit, most int }{{3, 3}, {0, 8}, {1, 1}} {
		synctest.Test(t, func(t *testing.T) {
			const clusters = 30
			r := newRemote()
			var actions []plan.Action
			for i := range clusters {
				a := clusterAddr(fmt.Sprintf("c%02d", i))
				// Longer, all together, than anything may stand still.
				r.answer[a] = 50 * time.Second
				actions = append(actions, do(plan.Create, a))
			}
			end, story, err := r.play(t.Context(), planOf(actions...), apply.Options{Concurrency: test.limit, StallAfter: time.Minute})
			if err != nil || end.Reached != clusters {
				t.Fatalf("the run ended %v, %v:\n%s", end, err, story)
			}
			if r.most != test.most {
				t.Errorf("%d actions were under way at once, want %d", r.most, test.most)
			}
		})
	}
}

// Whether the run has ended before, for another reason, or ends with it.
func TestWhatIsUnderWayIsCutOffWhenAnotherMayAct(t *testing.T) {
	t.Parallel()
	for _, ends := range []time.Duration{time.Second, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cutOff, cut := context.WithCancel(t.Context())
			r := newRemote()
			r.answer[prod] = -1
			begun := time.Now()
			time.AfterFunc(ends, cancel)
			time.AfterFunc(3*time.Second, func() {
				cancel()
				cut()
			})
			end, _, err := r.play(ctx, planOf(do(plan.Create, prod)), apply.Options{CutOff: cutOff})
			if !errors.Is(err, context.Canceled) || end.Outcome != journal.Interrupted {
				t.Errorf("the run ended %v, %v", end, err)
			}
			if took := time.Since(begun); took != 3*time.Second {
				t.Errorf("it ended after %s, want 3s", took)
			}
		})
	}
}
