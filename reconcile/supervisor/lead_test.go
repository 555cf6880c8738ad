package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

// terms are who led from when to when, and whether two ever did at once.
type terms struct {
	t  *testing.T
	mu sync.Mutex // guards what is below
	// leading is empty while nobody leads.
	leading string
	began   map[string]time.Time // of the last term of each
	ended   map[string]time.Time
}

func newTerms(t *testing.T) *terms {
	return &terms{t: t, began: map[string]time.Time{}, ended: map[string]time.Time{}}
}

func (r *terms) begin(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leading != "" {
		r.t.Errorf("%s leads while %s still does", name, r.leading)
	}
	r.leading, r.began[name] = name, time.Now()
}

func (r *terms) end(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leading, r.ended[name] = "", time.Now()
}

func (r *terms) leader() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leading
}

// A replica competes with a wire of its own, which a test can break.
type replica struct {
	name   string
	client *supervisor.Client
	cancel context.CancelFunc
	done   chan error
	// windDown is how long it goes on working after it was told to stop.
	windDown time.Duration

	mu   sync.Mutex // guards what is below
	wire func(next http.RoundTripper, r *http.Request) (*http.Response, error)
}

type wired struct {
	replica *replica
	next    http.RoundTripper
}

// WrappedRoundTripper is how client-go looks for what can be cancelled.
func (w wired) WrappedRoundTripper() http.RoundTripper { return w.next }

func (w wired) RoundTrip(r *http.Request) (*http.Response, error) {
	w.replica.mu.Lock()
	wire := w.replica.wire
	w.replica.mu.Unlock()
	if wire != nil {
		return wire(w.next, r)
	}
	return w.next.RoundTrip(r)
}

func (r *replica) breakWire(f func(http.RoundTripper, *http.Request) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire = f
}

func compete(t *testing.T, s *server, terms *terms, name string, windDown time.Duration) *replica {
	t.Helper()
	r := &replica{name: name, done: make(chan error, 1), windDown: windDown}
	config := rest.CopyConfig(s.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return wired{r, next} })
	var err error
	if r.client, err = supervisor.Connect(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		r.done <- r.client.Lead(ctx, supervisor.LeaderOptions{Namespace: "team-a", Name: "vksync", Identity: name}, func(ctx context.Context) error {
			terms.begin(name)
			<-ctx.Done()
			time.Sleep(r.windDown)
			terms.end(name)
			return ctx.Err()
		})
	})
	t.Cleanup(running.Wait)
	t.Cleanup(r.cancel)
	return r
}

// stop ends a replica and waits for it.
func (r *replica) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		t.Errorf("%s: %v, want nil after the end of its context", r.name, err)
	}
}

// until waits in the bubble's time.
func until(t *testing.T, terms *terms, name string, most time.Duration) time.Duration {
	t.Helper()
	begun := time.Now()
	for terms.leader() != name {
		if time.Since(begun) > most {
			t.Fatalf("after %s %q leads, want %s", most, terms.leader(), name)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(begun)
}

func TestOneReplicaLeadsAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	errGone := errors.New("the wire is cut")
	for name, test := range map[string]struct {
		wire func(http.RoundTripper, *http.Request) (*http.Response, error)
	}{
		"its wire is cut": {func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, errGone }},
		"its requests hang": {func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}},
		"its answers are late and then lost": {lateThenLost()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, terms := serve(t), newTerms(t)
				// What it does takes longer to stop than others wait for the Lease, at
				// worst: 15 s after the last renewal.
				a := compete(t, s, terms, "a", 2*time.Second)
				until(t, terms, "a", 5*time.Second)
				b := compete(t, s, terms, "b", 0)
				time.Sleep(time.Minute)
				if terms.leader() != "a" {
					t.Fatalf("%q leads although a is well", terms.leader())
				}
				a.breakWire(test.wire)
				took := until(t, terms, "b", 45*time.Second)
				if !strings.Contains(name, "late") && took > 20*time.Second {
					t.Errorf("b leads after %s, want 20s at most", took)
				}
				a.breakWire(nil)
				time.Sleep(time.Minute)
				if terms.leader() != "b" {
					t.Errorf("%q leads, want b", terms.leader())
				}
				b.stop(t)
				until(t, terms, "a", 5*time.Second)
				a.stop(t)
			})
		})
	}
}

// lateThenLost delays the answers to two writes nearly as long as a renewal may
// take, and then loses everything: the elector counts from the late answer, others
// from the write.
func lateThenLost() func(http.RoundTripper, *http.Request) (*http.Response, error) {
	var mu sync.Mutex
	writes := 0
	return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		mu.Lock()
		if r.Method == http.MethodPut {
			writes++
		}
		n := writes
		mu.Unlock()
		if n > 2 {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		answer, err := next.RoundTrip(r)
		if r.Method == http.MethodPut {
			select {
			case <-time.After(4900 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
		return answer, err
	}
}

func TestTheLeaseIsGivenUpOnlyAfterTheWorkHasStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, terms := serve(t), newTerms(t)
		a := compete(t, s, terms, "a", time.Minute) // far longer than a Lease lasts
		until(t, terms, "a", 5*time.Second)
		b := compete(t, s, terms, "b", 0)
		a.stop(t)
		stopped := time.Now()
		until(t, terms, "b", 5*time.Second)
		if waited := terms.began["b"].Sub(terms.ended["a"]); waited < 0 || waited > 4*time.Second || terms.ended["a"].After(stopped) {
			t.Errorf("b leads %s after a has stopped, want within 4s", waited)
		}
		b.stop(t)
	})
}

func TestLeadReturnsWhatTheWorkReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, terms := serve(t), newTerms(t)
		failed := errors.New("the work is done for")
		c := s.connect(t)
		lead := func() error {
			return c.Lead(t.Context(), supervisor.LeaderOptions{Namespace: "team-a", Name: "vksync", Identity: "a"}, func(context.Context) error { return failed })
		}
		if err := lead(); err != failed {
			t.Errorf("got %v, want it as it is", err)
		}
		b := compete(t, s, terms, "b", 0)
		until(t, terms, "b", 5*time.Second) // the Lease was given up
		b.stop(t)
	})
}

// Who leads may write for as long as the Lease is renewed. After that nothing is sent,
// also with a context that nobody ends: a process that was frozen has not heard yet.
func TestNothingIsSentWithoutTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		c := s.connect(t)
		write := func(ctx context.Context, name string) error {
			_, err := c.Apply(ctx, resource.NewObject(map[string]any{
				"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": map[string]any{"namespace": "team-a", "name": name},
			}), false)
			return err
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		err := c.Lead(ctx, supervisor.LeaderOptions{Namespace: "team-a", Name: "vksync", Identity: "a"}, func(ctx context.Context) error {
			for i := range 10 {
				if err := write(ctx, fmt.Sprintf("c%d", i)); err != nil {
					t.Error(err)
				}
				time.Sleep(7 * time.Second)
			}
			s.fail("/leases/", http.StatusInternalServerError, "")
			<-ctx.Done()
			time.Sleep(5 * time.Second) // until nobody can know any more whose the Lease is
			if err := write(context.WithoutCancel(ctx), "late"); !errors.Is(err, supervisor.ErrLost) {
				t.Errorf("got %v, want that the Lease is lost", err)
			}
			stop()
			return ctx.Err()
		})
		if err != nil {
			t.Error(err)
		}
		if n := len(s.List(clusterGK, "team-a", nil)); n != 10 {
			t.Errorf("there are %d Clusters, want the 10 that were written with the Lease", n)
		}
	})
}

func TestALeaseThatMayNotBeHadIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code      int
		body      string
		namespace string
		want      supervisor.Class
	}{
		"forbidden":    {http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"leases.coordination.k8s.io is forbidden","code":403}`, "team-a", supervisor.Denied},
		"no namespace": {0, "", "nowhere", supervisor.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := serve(t)
				c := s.connect(t)
				if test.code != 0 {
					s.fail("/leases", test.code, test.body)
				}
				var noted []error
				begun := time.Now()
				err := c.Lead(t.Context(), supervisor.LeaderOptions{
					Namespace: test.namespace, Name: "vksync", Identity: "a", Note: func(err error) { noted = append(noted, err) },
				}, func(context.Context) error { return fmt.Errorf("it leads") })
				if supervisor.ClassOf(err) != test.want || time.Since(begun) > 15*time.Second {
					t.Errorf("%v after %s, want an error of class %q soon", err, time.Since(begun), test.want)
				}
				if len(noted) == 0 || noted[len(noted)-1] == nil {
					t.Error("nobody was told")
				}
			})
		})
	}
}
