package supervisor_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/supervisor"
)

func status(code int, reason, message string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":%q,"code":%d}`, reason, message, code)
}

// paged has a list of Clusters in pages; answer gives the body for the token and
// the number of the request.
func (s *server) paged(answer func(token string, n int32) (int, string)) {
	var n atomic.Int32
	s.breakBy(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/clusters") || r.URL.Query().Has("watch") {
			return false
		}
		code, body := answer(r.URL.Query().Get("continue"), n.Add(1))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, body)
		return true
	})
}

func pageOf(next, more, name string) string {
	return fmt.Sprintf(`{"kind":"ClusterList","apiVersion":"cluster.x-k8s.io/v1beta2","metadata":{"resourceVersion":"1","continue":%q%s},
"items":[{"apiVersion":"cluster.x-k8s.io/v1beta2","kind":"Cluster","metadata":{"namespace":"team-a","name":%q,"resourceVersion":"1"}}]}`, next, more, name)
}

var expired = status(410, "Expired", "The provided continue parameter is too old")

func TestAListIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(token string, n int32) (int, string)
		want   []string // nil is an error
		class  supervisor.Class
	}{
		"the token expires once": {func(token string, n int32) (int, string) {
			switch {
			case token == "" && n == 1:
				return 200, pageOf("t1", "", "deleted-since")
			case token == "":
				return 200, pageOf("t2", "", "c1")
			case token == "t1":
				return 410, expired
			}
			return 200, pageOf("", "", "c2")
		}, []string{"Cluster team-a/c1", "Cluster team-a/c2"}, ""},
		"the token expires each time": {func(token string, _ int32) (int, string) {
			if token == "" {
				return 200, pageOf("t", "", "c1")
			}
			return 410, expired
		}, nil, supervisor.Transient},
		"the second page is refused": {func(token string, _ int32) (int, string) {
			if token == "" {
				return 200, pageOf("t", "", "c1")
			}
			return 500, status(500, "InternalError", "etcd is gone")
		}, nil, supervisor.Transient},
		"it ends before its end": {func(string, int32) (int, string) {
			return 200, pageOf("", `,"remainingItemCount":7`, "c1")
		}, nil, supervisor.Transient},
		"a page comes again": {func(string, int32) (int, string) { return 200, pageOf("t", "", "c1") }, nil, supervisor.Transient},
		"it is no list":      {func(string, int32) (int, string) { return 200, status(500, "InternalError", "x") }, nil, supervisor.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			c := s.connect(t)
			s.paged(test.answer)
			got, err := c.List(t.Context(), clusterGK)
			if test.want == nil {
				if got != nil || supervisor.ClassOf(err) != test.class {
					t.Errorf("got %q, %v; want no objects and an error of class %q", names(got), err, test.class)
				}
				return
			}
			if diff := cmp.Diff(test.want, names(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestTooManyRequestsIsWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		c, err := supervisor.ConnectThrough(t.Context(), s.config, link.New(link.Options{Name: "the Supervisor"}))
		if err != nil {
			t.Fatal(err)
		}
		var n atomic.Int32
		s.breakBy(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/clusters") || n.Add(1) > 2 {
				return false
			}
			w.Header().Set("Retry-After", "3")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return true
		})
		begun := time.Now()
		if _, err := c.List(t.Context(), clusterGK); err != nil || n.Load() != 3 || time.Since(begun) != 6*time.Second {
			t.Errorf("%v after %d requests and %s, want 3 and 6s", err, n.Load(), time.Since(begun))
		}
		n.Store(0)
		if _, err := c.Apply(t.Context(), cluster("c1", nil), false); err != nil || n.Load() != 3 {
			t.Errorf("a write: %v after %d requests, want 3: none had begun", err, n.Load())
		}
	})
}

// client-go repeats up to ten times what has a Retry-After and what was reset. With
// a Link there are as many attempts as the Link makes, and one for a write.
func TestRepetitionsDoNotMultiply(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"429": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return true
		},
		"503": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return true
		},
		"a reset": func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := serve(t)
				c, err := supervisor.ConnectThrough(t.Context(), s.config, link.New(link.Options{Name: "the Supervisor", Failures: 100}))
				if err != nil {
					t.Fatal(err)
				}
				s.breakBy(broken)
				if _, err := c.List(t.Context(), clusterGK); supervisor.ClassOf(err) != supervisor.Transient {
					t.Errorf("got %v", err)
				}
				if got := s.count("GET /apis/cluster.x-k8s.io/v1beta2/clusters"); got != 4 && !(name == "a reset" && got == 5) { // net/http repeats by itself what met a connection that was idle
					t.Errorf("%d reads, want 4", got)
				}
				if _, err := c.Apply(t.Context(), cluster("c1", nil), false); supervisor.ClassOf(err) != supervisor.Transient {
					t.Errorf("got %v", err)
				}
				want := 1
				if name == "429" {
					want = 4
				}
				if got := s.count("PATCH"); got != want {
					t.Errorf("%d writes, want %d", got, want)
				}
			})
		})
	}
}

func TestADeadSupervisorIsSeenAndNotHammered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		l := link.New(link.Options{Name: "the Supervisor"})
		c, err := supervisor.ConnectThrough(t.Context(), s.config, l)
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Watch(t.Context(), clusterGK, namespaceGK)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		s.breakBy(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
		s.endWatches()
		before := s.count("")
		for range 600 { // callers for ten minutes
			_, err = c.List(t.Context(), clusterGK)
			time.Sleep(time.Second)
		}
		var refused *link.Error
		if !errors.As(err, &refused) && !strings.Contains(err.Error(), "is not asked again before") || supervisor.ClassOf(err) != supervisor.Transient {
			t.Errorf("got %v, want to be told that it is not asked", err)
		}
		if asked := s.count("") - before; asked > 40 {
			t.Errorf("asked %d times in ten minutes, want about two a minute", asked)
		}
		if h := l.Health(); h.State != link.Open || w.Err() == nil {
			t.Errorf("health %+v and the cache's error %v, want both to tell", h, w.Err())
		}
		s.breakBy(nil)
		s.putCluster(t, "c1", nil)
		time.Sleep(3 * time.Minute)
		if _, there := w.Get(cluster("c1", nil).Addr()); !there || w.Err() != nil || l.Health().State != link.OK {
			t.Errorf("after its return: in the cache %t, %v, %+v", there, w.Err(), l.Health())
		}
	})
}

func TestWhoeverNeedsTheCacheDoesNotWaitForItsPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		w := s.watch(t)
		s.fail("", http.StatusServiceUnavailable, status(503, "ServiceUnavailable", "restarting"))
		s.endWatches()
		time.Sleep(5 * time.Minute) // until it is asked as seldom as ever
		before := s.count("")
		if err := w.Retry(t.Context()); supervisor.ClassOf(err) != supervisor.Transient {
			t.Errorf("got %v, want it to fail anew", err)
		}
		if asked := s.count("") - before; asked != 2 {
			t.Errorf("asked %d times, want once for each kind", asked)
		}
		s.breakBy(nil)
		s.putCluster(t, "c1", nil)
		back := time.Now()
		if err := w.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, there := w.Get(cluster("c1", nil).Addr()); !there || time.Since(back) > 0 {
			t.Errorf("in the cache: %t, after %s; want it at once", there, time.Since(back))
		}
		synctest.Wait() // until the watches have begun
		before = s.count("")
		if err := w.Retry(t.Context()); err != nil || s.count("") != before {
			t.Errorf("when all is well: %v after %d requests, want nil without one", err, s.count("")-before)
		}
	})
}

func TestAConflictNamesEveryManager(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.applyAs(t, "kubectl", cluster("c1", map[string]any{"spec": map[string]any{"paused": true}}))
	s.applyAs(t, "helm", cluster("c1", map[string]any{"metadata": map[string]any{"labels": map[string]any{"tier": "prod"}}}))
	_, err := s.connect(t).Apply(t.Context(), cluster("c1", map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"tier": "dev"}}, "spec": map[string]any{"paused": false},
	}), false)
	var e *supervisor.Error
	if !errors.As(err, &e) || e.Class != supervisor.Conflict {
		t.Fatalf("got %v, want a conflict", err)
	}
	if want := "field manager helm owns metadata.labels.tier; field manager kubectl owns spec.paused (--force-conflicts takes over)"; e.Message != want {
		t.Errorf("got  %s\nwant %s", e.Message, want)
	}
}

// A kind may be listed and not watched. What the cache holds grows old then, and
// that must not go unsaid.
func TestAWatchThatIsRefusedIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		w := s.watch(t)
		synctest.Wait()
		s.breakBy(func(rw http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("watch") || !strings.HasSuffix(r.URL.Path, "/clusters") {
				return false
			}
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(rw, status(403, "Forbidden", "cannot watch"))
			return true
		})
		s.endWatches()
		time.Sleep(time.Minute)
		if err := w.Err(); supervisor.ClassOf(err) != supervisor.Denied {
			t.Errorf("got %v, want what was denied", err)
		}
		s.breakBy(nil)
		time.Sleep(4 * time.Minute)
		if err := w.Err(); err != nil {
			t.Errorf("once it is allowed: %v", err)
		}
	})
}
