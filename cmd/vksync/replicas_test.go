package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
)

// A deed is a request of a replica that changes something.
type deed struct {
	replica, what string
	at            time.Time
}

// A register notes what replicas do, in the order in which they do it.
type register struct {
	mu    sync.Mutex
	deeds []deed
	each  func(deed) // nil for none; it is called with the lock held
}

func (w *register) note(replica string, r *http.Request) {
	path := r.URL.Path
	switch {
	case r.Method == http.MethodGet, r.URL.Query().Has("dryRun"):
		return
	case strings.Contains(path, "/leases"), path == "/sdk", path == "/api/session", strings.Contains(path, "selfsubject"):
		return // both may compete, log in and ask
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	d := deed{replica, r.Method + " " + path, time.Now()}
	w.deeds = append(w.deeds, d)
	if w.each != nil {
		w.each(d)
	}
}

// of are the deeds of a replica.
func (w *register) of(replica string) (out []deed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.deeds {
		if d.replica == replica {
			out = append(out, d)
		}
	}
	return out
}

// A replica is a process whose every request passes a front of its own.
type replica struct {
	*process
	name     string
	register *register

	mu   sync.Mutex
	hung chan struct{} // closed when the Supervisor answers again; nil while it does
}

// hang lets the Supervisor go silent for this replica alone: nothing it sends
// arrives, and nothing that was sent to it does. The function ends it.
func (r *replica) hang() (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	hung := make(chan struct{})
	r.hung = hung
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.hung = nil
		close(hung)
	})
}

// answers waits while the Supervisor hangs, and says whether anybody still asks
// and whether it had to wait.
func (r *replica) answers(ctx context.Context) (is, late bool) {
	r.mu.Lock()
	hung := r.hung
	r.mu.Unlock()
	if hung == nil {
		return true, false
	}
	select {
	case <-hung:
		return ctx.Err() == nil, true
	case <-ctx.Done():
		return false, true
	}
}

// front passes requests on to a server of the world, of which the Supervisor may hang.
func (r *replica) front(t testing.TB, w *liveWorld, to string, mayHang bool) (address string, ca []byte) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.CA)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(q *httputil.ProxyRequest) { q.SetURL(target) },
		Transport: transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, q *http.Request) {
		r.register.note(r.name, q)
		if mayHang {
			// Without its body it would not be noticed that nobody asks any more.
			body, err := io.ReadAll(q.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			q.Body = io.NopCloser(bytes.NewReader(body))
			is, late := r.answers(q.Context())
			switch {
			case !is:
				panic(http.ErrAbortHandler)
			case late:
				r.register.note(r.name, q) // it takes effect only now
			}
			out = hanging{out, r, q.Context()}
		}
		proxy.ServeHTTP(out, q)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// hanging is an answer that may stop in the middle, as that of a watch does.
type hanging struct {
	http.ResponseWriter
	replica *replica
	ctx     context.Context
}

func (h hanging) Write(b []byte) (int, error) {
	if is, _ := h.replica.answers(h.ctx); !is {
		return 0, h.ctx.Err()
	}
	return h.ResponseWriter.Write(b)
}

func (h hanging) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// startReplica starts one of several processes that follow the same repository.
func (w *liveWorld) startReplica(t testing.TB, name string, repo *gittest.Repo, s *register) *replica {
	t.Helper()
	r := &replica{name: name, register: s}
	supervisor, trusted := r.front(t, w, w.SupervisorURL(), true)
	vcenter, alsoTrusted := r.front(t, w, w.VCenterURL(), false)
	dir := t.TempDir()
	text, err := w.Kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Clusters {
		c.Server, c.CertificateAuthorityData = supervisor, trusted
	}
	if err := clientcmd.WriteToFile(*config, filepath.Join(dir, "kubeconfig")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), alsoTrusted, 0o600); err != nil {
		t.Fatal(err)
	}
	through := &liveWorld{Served: w.Served, world: w.world, env: append(slices.Clone(w.env),
		"KUBECONFIG="+filepath.Join(dir, "kubeconfig"), "GOVC_URL="+vcenter, "GOVC_TLS_CA_CERTS="+filepath.Join(dir, "ca.pem"))}
	r.process = through.runDaemon(t, repo.Bare, "--leader-elect", "--prune")
	return r
}

// teams are the files of n vSphere Namespaces with a cluster in each.
func teams(n, workers int) map[string]string {
	files := map[string]string{}
	for i := range n {
		name := fmt.Sprintf("team-%d", i)
		files[name+".yaml"] = strings.ReplaceAll(namespaces(1, 1, workers)[0], "team-000", name)
	}
	return files
}

// handOver has two replicas carry out a rollout whose leader is lost, as lose says,
// in the middle of it. The other is to act within a time, and never both.
func handOver(t *testing.T, within time.Duration, lose func(leader *replica)) (leader, other *replica, w *liveWorld, repo *gittest.Repo) {
	t.Helper()
	w, repo = newLiveWorld(t), gittest.New(t)
	s := &register{}
	leader = w.startReplica(t, "the leader", repo, s)
	eventually(t, "a leader", func() bool { return leader.loop(t).Leader })
	other = w.startReplica(t, "the other", repo, s)
	eventually(t, "a replica that stands by", func() bool { return other.loop(t).State == reconcile.Standby })
	if code, text := other.get(t, "/readyz"); code != http.StatusOK && !strings.Contains(text, "no valid revision") {
		t.Errorf("who stands by is not ready: %s", text)
	}
	reached := make(chan struct{})
	created := 0
	s.each = func(d deed) {
		if strings.Contains(d.what, "/clusters/") {
			if created++; created == 2 {
				close(reached)
			}
		}
	}
	revision := repo.Push(t, teams(8, 2))
	select {
	case <-reached:
	case <-time.After(patience):
		t.Fatal("the leader creates nothing")
	}
	lost := time.Now()
	lose(leader)
	other.synced(t, revision)
	before, after := s.of(leader.name), s.of(other.name)
	if len(after) == 0 {
		t.Fatalf("nothing was left to do for the other: %v", before)
	}
	first := after[0].at
	t.Logf("the other acted %s after the leader was lost, which had done %d things; %d were left", first.Sub(lost), len(before), len(after))
	if first.Sub(lost) > within {
		t.Errorf("the other acted after %s, want %s at most", first.Sub(lost), within)
	}
	if last := before[len(before)-1]; last.at.After(first) {
		t.Errorf("both acted: %s did %s %s after %s did %s", leader.name, last.what, last.at.Sub(first), other.name, after[0].what)
	}
	if got := w.clusters(t); len(got) != 8 {
		t.Errorf("there are %d clusters, want 8", len(got))
	}
	return leader, other, w, repo
}

// Of two replicas one acts. When it is gone, or cut off, the other does, and never both.
func TestOneOfTwoReplicasActs(t *testing.T) {
	t.Parallel()
	t.Run("the leader is killed", func(t *testing.T) {
		t.Parallel()
		_, other, _, _ := handOver(t, time.Minute, func(leader *replica) { leader.kill() }) // the Lease ends after 15
		other.stop(t)
	})
	t.Run("the leader is told to end", func(t *testing.T) {
		t.Parallel()
		_, other, _, _ := handOver(t, 14*time.Second, func(leader *replica) { leader.stop(t) }) // before the Lease ends
		other.stop(t)
	})
	t.Run("the Supervisor hangs for the leader", func(t *testing.T) {
		t.Parallel()
		var release func()
		leader, other, _, repo := handOver(t, time.Minute, func(leader *replica) { release = leader.hang() })
		if leader.loop(t).Leader {
			t.Error("who lost the Lease still leads")
		}
		done := len(leader.register.of(leader.name))
		release()
		eventually(t, "the old leader stands by", func() bool { return leader.loop(t).State == reconcile.Standby })
		other.synced(t, repo.Push(t, teams(8, 3)))
		if got := leader.register.of(leader.name); len(got) != done {
			t.Errorf("the old leader did %v without the Lease", got[done:])
		}
		leader.stop(t)
		other.stop(t)
	})
}
