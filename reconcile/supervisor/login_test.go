package supervisor_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/supervisor"
)

const (
	loginPassword = "canary-login-1f"
	loginUser     = "administrator@vsphere.local"
)

// A controlPlane is a Supervisor that gives out tokens at /wcp/login and asks for
// them everywhere else.
type controlPlane struct {
	*httptest.Server
	api *server

	mu     sync.Mutex // guards what is below
	now    time.Time
	life   time.Duration
	logins int
	valid  map[string]time.Time // tokens, with when they end
	refuse int                  // the status of logins, when not 0
	tokens []string
	// gate is passed by each login that succeeds; nil is open.
	gate chan struct{}
}

func newControlPlane(t *testing.T) *controlPlane {
	t.Helper()
	p := &controlPlane{api: serve(t), now: time.Now(), life: 10 * time.Hour, valid: map[string]time.Time{}}
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.EnableHTTP2 = true
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func (p *controlPlane) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *controlPlane) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func (p *controlPlane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/wcp/login" {
		p.login(w, r)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !p.accepts(token) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","message":"Unauthorized","code":401}`)
		return
	}
	p.api.ServeHTTP(w, r)
}

func (p *controlPlane) accepts(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ends, known := p.valid[token]
	return known && p.now.Before(ends)
}

func (p *controlPlane) login(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.logins++
	n, refuse, gate, ends := p.logins, p.refuse, p.gate, p.now.Add(p.life)
	p.mu.Unlock()
	user, password, _ := r.BasicAuth()
	switch {
	case refuse != 0:
		http.Error(w, "no "+loginPassword, refuse)
		return
	case r.Method != http.MethodPost || user != loginUser || password != loginPassword:
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if gate != nil {
		<-gate
	}
	claims := fmt.Sprintf(`{"sub":%q,"exp":%d,"n":%d}`, user, ends.Unix(), n)
	token := "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
	p.mu.Lock()
	p.valid[token] = ends
	p.tokens = append(p.tokens, token)
	p.mu.Unlock()
	_, _ = fmt.Fprintf(w, `{"session_id": %q}`, token)
}

func (p *controlPlane) set(f func(p *controlPlane)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *controlPlane) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logins
}

func (p *controlPlane) config(l *link.Link) supervisor.LoginConfig {
	address := strings.TrimPrefix(p.URL, "https://")
	return supervisor.LoginConfig{
		Address: address, API: address, Username: loginUser, Password: loginPassword,
		Insecure: true, Link: l, Now: p.clock,
	}
}

func (p *controlPlane) connect(t *testing.T, l *link.Link) *supervisor.Client {
	t.Helper()
	config, err := supervisor.Login(t.Context(), p.config(l))
	if err != nil {
		t.Fatal(err)
	}
	c, err := supervisor.ConnectThrough(t.Context(), config, l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lists(t *testing.T, c *supervisor.Client, want int) {
	t.Helper()
	if got, err := c.List(t.Context(), clusterGK); err != nil || len(got) != want {
		t.Errorf("listed %d, %v; want %d", len(got), err, want)
	}
}

func TestLoginRenewsBeforeTheTokenEnds(t *testing.T) {
	t.Parallel()
	p := newControlPlane(t)
	p.api.putCluster(t, "c1", nil)
	l := link.New(link.Options{Name: "the Supervisor"})
	c := p.connect(t, l)
	p.pass(7 * time.Hour)
	if lists(t, c, 1); p.count() != 1 {
		t.Errorf("%d logins after 7 of 10 hours, want 1", p.count())
	}
	p.pass(time.Hour + time.Minute) // past four fifths
	lists(t, c, 1)
	eventually(t, "a second login", func() bool { return p.count() == 2 })
	for day := range 3 { // tokens of ten hours carry a daemon for days
		for range 4 {
			p.pass(9 * time.Hour)
			lists(t, c, 1)
			eventually(t, "nobody is logging in", func() bool { return p.idle(c, t) })
		}
		if h := l.Health(); h.State != link.OK {
			t.Errorf("day %d: health %+v", day, h)
		}
	}
}

// idle lists once more, which waits for nothing when the token is fresh.
func (p *controlPlane) idle(c *supervisor.Client, t *testing.T) bool {
	t.Helper()
	before := p.count()
	lists(t, c, 1)
	return p.count() == before
}

func TestARevokedTokenCostsOneLogin(t *testing.T) {
	t.Parallel()
	p := newControlPlane(t)
	p.api.putCluster(t, "c1", nil)
	c := p.connect(t, nil)
	gate := make(chan struct{})
	p.set(func(p *controlPlane) { clear(p.valid); p.gate = gate })
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() { lists(t, c, 1) })
	}
	eventually(t, "one of them logs in", func() bool { return p.count() == 2 })
	close(gate)
	callers.Wait()
	if got := p.count(); got != 2 {
		t.Errorf("%d logins for 20 callers, want 2 with the first", got)
	}
	// A write that met a 401 had no effect, and is sent again whole.
	p.set(func(p *controlPlane) { clear(p.valid) })
	if stored, err := c.Apply(t.Context(), cluster("c2", replicas(3)), false); err != nil || replicasOf(stored.Object) != 3 {
		t.Errorf("applied %v, %v", stored, err)
	}
}

// vCenter locks an account after a few wrong passwords.
func TestWrongCredentialsAreNotTriedInALoop(t *testing.T) {
	t.Parallel()
	p := newControlPlane(t)
	l := link.New(link.Options{Name: "the Supervisor", Backoff: time.Millisecond})
	c := p.connect(t, l)
	p.set(func(p *controlPlane) { clear(p.valid); p.refuse = http.StatusUnauthorized })
	for range 20 {
		_, err := c.List(t.Context(), clusterGK)
		if got := supervisor.ClassOf(err); got != supervisor.Denied && got != supervisor.Transient { // the breaker opens in between
			t.Fatalf("class %q of %v", got, err)
		}
	}
	if got := p.count(); got != 2 {
		t.Errorf("%d logins, want the first and one that failed", got)
	}
	h := l.Health()
	if h.State == link.OK || !strings.Contains(h.LastError, "logging in") || !strings.Contains(h.LastError, loginUser) {
		t.Errorf("health %+v, want it to tell of the login", h)
	}
	p.set(func(p *controlPlane) { p.refuse = 0 })
	p.pass(10 * time.Minute)
	eventually(t, "it works again", func() bool {
		_, err := c.List(t.Context(), clusterGK)
		return err == nil && l.Health().State == link.OK
	})
}

func TestATokenThatIsDueStillServesWhileLoginsFail(t *testing.T) {
	t.Parallel()
	p := newControlPlane(t)
	p.api.putCluster(t, "c1", nil)
	l := link.New(link.Options{Name: "the Supervisor"})
	c := p.connect(t, l)
	p.set(func(p *controlPlane) { p.refuse = http.StatusServiceUnavailable })
	p.pass(9 * time.Hour)
	for range 10 {
		lists(t, c, 1)
	}
	eventually(t, "the failing login is seen", func() bool { return l.Health().State == link.Failing })
	p.pass(2 * time.Hour)
	_, err := c.List(t.Context(), clusterGK)
	if got := supervisor.ClassOf(err); got != supervisor.Transient {
		t.Errorf("class %q of %v, want transient once the token is over", got, err)
	}
}

func TestLoginFailuresSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*supervisor.LoginConfig, *controlPlane)
		want   supervisor.Class
		text   string
	}{
		"a wrong password":          {func(c *supervisor.LoginConfig, _ *controlPlane) { c.Password = "canary-wrong" }, supervisor.Denied, "does not accept the credentials of " + loginUser},
		"not a Supervisor":          {func(_ *supervisor.LoginConfig, p *controlPlane) { p.refuse = http.StatusNotFound }, supervisor.Invalid, "has no /wcp/login"},
		"a Supervisor that is busy": {func(_ *supervisor.LoginConfig, p *controlPlane) { p.refuse = http.StatusServiceUnavailable }, supervisor.Transient, "503"},
		"nobody vouches for it":     {func(c *supervisor.LoginConfig, _ *controlPlane) { c.Insecure = false }, supervisor.Denied, "certificate"},
		"no password":               {func(c *supervisor.LoginConfig, _ *controlPlane) { c.Password = "" }, supervisor.Invalid, "password"},
		"a thumbprint that is none": {func(c *supervisor.LoginConfig, _ *controlPlane) { c.Insecure, c.Thumbprint = false, "x" }, supervisor.Invalid, "in hex"},
		"an address with a path":    {func(c *supervisor.LoginConfig, _ *controlPlane) { c.Address = "a b" }, supervisor.Invalid, "host or host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newControlPlane(t)
			config := p.config(nil)
			test.change(&config, p)
			_, err := supervisor.Login(t.Context(), config)
			if got := supervisor.ClassOf(err); got != test.want || !strings.Contains(err.Error(), test.text) {
				t.Errorf("class %q of %v, want %q that says %q", got, err, test.want, test.text)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%v holds a password", err)
			}
		})
	}
}

func TestWhoWaitsForALoginMayGo(t *testing.T) {
	t.Parallel()
	p := newControlPlane(t)
	c := p.connect(t, nil)
	gate := make(chan struct{})
	p.set(func(p *controlPlane) { clear(p.valid); p.gate = gate })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.List(ctx, clusterGK)
		done <- err
	}()
	eventually(t, "it logs in", func() bool { return p.count() == 2 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
	close(gate)
	lists(t, c, 0)
	if p.count() != 2 {
		t.Errorf("%d logins: the one that was waited for was lost", p.count())
	}
}

func TestTheTokenAppearsNowhere(t *testing.T) { //nolint:paralleltest // it replaces the process's logger
	var logged bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(old)
	p := newControlPlane(t)
	l := link.New(link.Options{Name: "the Supervisor", Backoff: time.Millisecond})
	config, err := supervisor.Login(t.Context(), p.config(l))
	if err != nil {
		t.Fatal(err)
	}
	c, err := supervisor.ConnectThrough(t.Context(), config, l)
	if err != nil {
		t.Fatal(err)
	}
	p.api.breakBy(func(w http.ResponseWriter, r *http.Request) bool { // a proxy that dumps what it was sent
		http.Error(w, "cannot pass on "+r.Header.Get("Authorization"), http.StatusBadGateway)
		return true
	})
	_, err = c.List(t.Context(), clusterGK)
	if err == nil {
		t.Fatal("no error")
	}
	shown := fmt.Sprintf("%v %+v %v %s", err, config, l.Health(), logged.String())
	for _, secret := range append(p.tokens, loginPassword) {
		if strings.Contains(shown, secret) {
			t.Errorf("a secret is in %s", shown)
		}
	}
}
