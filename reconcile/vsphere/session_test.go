package vsphere_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/sim25"

	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// The response of a call that met a lost session still carries the fault: without
// a reset the repeated call would fail as well.
func TestManyCallersLogInOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeVM(t, s.VCenter, "prod-1")
	c := s.dial(t, vsphere.Config{})
	terminate(t, s.admin(t))
	before := s.count("Login")
	// All of them meet the lost session before the first can log in.
	var arrived sync.WaitGroup
	arrived.Add(12)
	var first atomic.Int32
	s.breakBy(func(call string, _ http.ResponseWriter) bool {
		if call == "CreateCollectorForEvents" && first.Add(1) <= 12 {
			arrived.Done()
			arrived.Wait()
		}
		return false
	})
	var callers sync.WaitGroup
	for range 12 {
		callers.Go(func() {
			if events, err := c.Events(t.Context(), time.Time{}); err != nil || len(events) == 0 {
				t.Errorf("got %d events, %v", len(events), err)
			}
		})
	}
	callers.Wait()
	if got := s.count("Login") - before; got != 1 {
		t.Errorf("%d logins for 12 callers, want 1", got)
	}
	closed(t, c)
}

func closed(t *testing.T, c *vsphere.Client) {
	t.Helper()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whatever belongs to a session ends with it: the view an observation reads
// through is made anew. Each call of an observation is the one after which the
// session ends.
func TestASessionThatEndsInAnObservationCostsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeVM(t, s.VCenter, "prod-1")
	admin := s.admin(t)
	calls := 1
	for at := 1; at <= calls; at++ {
		c := s.dial(t, vsphere.Config{})
		n := 0
		s.follow(func(call string) {
			if call == "Login" || strings.Contains(call, "/session") {
				return
			}
			if n++; n == at {
				s.follow(nil)
				terminate(t, admin)
				s.ExpireSessions()
			}
			calls = max(calls, n)
		})
		o, err := c.Inventory(t.Context())
		s.follow(nil)
		if err != nil || !hasVM(o, "prod-1") {
			t.Fatalf("the session ended after call %d: %v", at, err)
		}
		// The rest of an interrupted observation is not counted.
		if at == 1 {
			calls = callsOf(t, s, c)
		}
		closed(t, c)
	}
	if calls < 8 {
		t.Errorf("an observation has %d calls: too few to be true", calls)
	}
}

// callsOf is how many calls an observation of everything takes.
func callsOf(t *testing.T, s *site, c *vsphere.Client) int {
	t.Helper()
	n := atomic.Int32{}
	s.follow(func(string) { n.Add(1) })
	defer s.follow(nil)
	if _, err := c.Inventory(t.Context()); err != nil {
		t.Fatal(err)
	}
	return int(n.Load())
}

// vcsim ends idle sessions when told to; vCenter does after 30 minutes.
func TestAnIdleSessionIsRenewed(t *testing.T) { //nolint:paralleltest // the timeout is shared by all vcsims of the process
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Remove)
	vcsim := model.Service.NewServer()
	t.Cleanup(vcsim.Close)
	model.Service.Listen = new(url.URL) // says that any user with a password may log in
	s := newSite(t)
	s.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sdk") {
			model.Service.ServeMux.ServeHTTP(w, r)
			return
		}
		s.Handler().ServeHTTP(w, r)
	})
	admin := s.admin(t)
	if err := sim25.SetSessionTimeout(t.Context(), admin, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	c := s.dial(t, vsphere.Config{})
	if len(sessions(t, admin)) != 1 {
		t.Fatal("there is no session of the client")
	}
	eventually(t, "the session ended", func() bool { return len(sessions(t, admin)) == 0 })
	before := s.count("Login")
	o, err := c.Inventory(t.Context())
	if err != nil || len(o.VMs) != 4 || len(o.Hosts) != 4 {
		t.Errorf("got %+v, %v; want the 4 VMs and 4 hosts of vcsim", o, err)
	}
	if s.count("Login") == before {
		t.Error("nobody logged in again")
	}
	closed(t, c)
}

func TestNoSessionIsLeftBehind(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.admin(t)
	c := s.dial(t, vsphere.Config{})
	for range 3 {
		if _, err := c.Inventory(t.Context()); err != nil {
			t.Fatal(err)
		}
		terminate(t, admin)
		s.ExpireSessions()
	}
	if _, err := c.Inventory(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed(t, c)
	if left := sessions(t, admin); len(left) != 0 {
		t.Errorf("%d SOAP sessions are left", len(left))
	}
	if in, out := s.count("POST /api/session"), s.count("DELETE /api/session"); in != 4 || out != 1 {
		t.Errorf("%d REST logins and %d logouts, want 4, of which 3 had ended, and 1", in, out)
	}
}

// A session that cannot be had again is to be seen, although the vCenter answers.
func TestALostSessionIsSeenInHealth(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"Login", "POST /api/session"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			l := link.New(link.Options{Name: "the vCenter"})
			c := s.dial(t, vsphere.Config{Link: l})
			if _, err := c.Inventory(t.Context()); err != nil || l.Health().State != link.OK {
				t.Fatal(err, l.Health())
			}
			terminate(t, s.admin(t))
			s.ExpireSessions()
			s.breakBy(func(call string, w http.ResponseWriter) bool {
				if call != what {
					return false
				}
				http.Error(w, "not today, "+password, http.StatusUnauthorized)
				return true
			})
			o, err := c.Inventory(t.Context())
			if o != nil || err == nil {
				t.Fatalf("got %+v, %v without a session", o, err)
			}
			h := l.Health()
			if h.State != link.Failing || !strings.Contains(h.LastError, "logging in") || strings.Contains(h.LastError, password) {
				t.Errorf("health %+v, want failing for the login, without the password", h)
			}
			s.breakBy(nil)
			if _, err := c.Inventory(t.Context()); err != nil {
				t.Fatal(err)
			}
			if h := l.Health(); h.State != link.OK {
				t.Errorf("health %+v after a login, want ok", h)
			}
			closed(t, c)
		})
	}
}

// Each call of an observation in turn is the one at which the vCenter restarts:
// it forgets all sessions, is not there for a while, and comes back. What is
// observed then is everything or an error.
func TestAVCenterThatRestartsIsNeverEmpty(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]func(http.ResponseWriter) bool{"cut": cut, "503": unavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			makeVM(t, s.VCenter, "prod-1")
			admin := s.admin(t)
			probe := s.dial(t, vsphere.Config{})
			calls := callsOf(t, s, probe)
			closed(t, probe)
			for at := 1; at <= calls; at++ {
				l := link.New(link.Options{Backoff: time.Millisecond, Pause: time.Millisecond})
				c := s.dial(t, vsphere.Config{Link: l})
				var seen atomic.Int32
				var ending atomic.Bool
				s.breakBy(func(_ string, w http.ResponseWriter) bool {
					if ending.Load() {
						return false // the calls that end the sessions
					}
					switch n := int(seen.Add(1)); {
					case n < at || n >= at+3:
						return false
					case n == at:
						ending.Store(true)
						terminate(t, admin)
						s.ExpireSessions()
						ending.Store(false)
					}
					return down(w)
				})
				o, err := c.Inventory(t.Context())
				if err == nil && !hasVM(o, "prod-1") {
					t.Fatalf("call %d of %d: the VM is absent from %+v", at, calls, o)
				}
				if err != nil && vsphere.KindOf(err) != vsphere.Transient && vsphere.KindOf(err) != vsphere.Unknown {
					t.Errorf("call %d of %d: %v", at, calls, err)
				}
				s.breakBy(nil)
				eventually(t, "the vCenter is observed again", func() bool {
					o, err := c.Inventory(t.Context())
					return err == nil && hasVM(o, "prod-1")
				})
				if h := l.Health(); h.State != link.OK {
					t.Errorf("health %+v, want ok", h)
				}
				closed(t, c)
			}
		})
	}
}

func TestCloseOfAVCenterThatIsGoneSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.dial(t, vsphere.Config{})
	s.breakBy(func(_ string, w http.ResponseWriter) bool { return cut(w) })
	var e *vsphere.Error
	if err := c.Close(t.Context()); !errors.As(err, &e) || e.Kind != vsphere.Transient {
		t.Errorf("got %v, want a transient error", err)
	}
}
