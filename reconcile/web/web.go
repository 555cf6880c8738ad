package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/link"
)

// Options are what is served.
type Options struct {
	Status func() reconcile.Status
	// Events are the journals.
	Events *Events
	// Token lets clients in that are not on this machine; nil lets none in, and an
	// error of it lets nobody in.
	Token func() (string, error)
	// Approve approves a plan that waits; see reconcile.Daemon. Nil takes no approval.
	Approve func(ctx context.Context, source, supervisor, digest string) error
	// Webhook gets what is posted to /webhook and below; nil takes none.
	Webhook http.Handler
	// Version is of the program.
	Version string
}

// Handler serves /healthz, /readyz, /metrics, /webhook, and of /api/v1/ status,
// events and approve.
func Handler(o Options) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{o.Status, o.Version})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", o.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /api/v1/status", o.private(http.HandlerFunc(o.status)))
	mux.Handle("GET /api/v1/events", o.private(o.Events))
	mux.Handle("POST /api/v1/approve", o.trusted(http.HandlerFunc(o.approve)))
	if o.Webhook != nil {
		mux.Handle("POST /webhook", o.Webhook)
		mux.Handle("POST /webhook/", o.Webhook)
	}
	return mux
}

// ready says whether the daemon can do its work: every source has a valid
// revision, and every Supervisor is followed, here or by another replica. What
// stands in the way is named without its details, which are private.
func (o Options) ready(w http.ResponseWriter, _ *http.Request) {
	var missing []string
	s := o.Status()
	for _, source := range s.Sources {
		if source.Revision == "" {
			missing = append(missing, "source "+source.Name+" has no valid revision yet")
		}
	}
	for _, loop := range s.Loops {
		if loop.State == reconcile.Connecting || loop.State == reconcile.Failing {
			missing = append(missing, "Supervisor "+loop.Supervisor+" for source "+loop.Source+": "+string(loop.State))
		}
		for _, e := range loop.Endpoints {
			if e.State == link.Open {
				missing = append(missing, "Supervisor "+loop.Supervisor+" for source "+loop.Source+": the "+e.Kind+" does not answer")
			}
		}
	}
	if len(missing) > 0 {
		answer(w, http.StatusServiceUnavailable, strings.Join(missing, "\n"))
		return
	}
	answer(w, http.StatusOK, "ready")
}

func (o Options) status(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(o.Status()) // a client that has gone needs no answer
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n"))
}

// private lets only those in who have the token or, without one, are on this
// machine.
func (o Options) private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.Token == nil && local(r):
			next.ServeHTTP(w, r)
		case o.Token == nil:
			answer(w, http.StatusForbidden, "only clients on the daemon's machine may read this: set a token (server.token in the configuration) to let others in")
		case o.hasToken(r):
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="vksync"`)
			answer(w, http.StatusUnauthorized, "a valid token is needed: Authorization: Bearer TOKEN")
		}
	})
}

// local says whether a request comes from this machine and was meant for it. A
// web page can have a browser here ask for anything; the Host it then sends is
// the page's.
func local(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}

func (o Options) hasToken(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, err := o.Token()
	if !ok || err != nil || want == "" {
		return false
	}
	// Hashed, so that the time tells not even the length.
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
