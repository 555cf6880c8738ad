package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/vksync/vksync/simulate"
)

// Whatever goes wrong between the daemon and the Supervisor, it says so, deletes
// nothing, and carries out a push that came meanwhile once it is over.
func TestTroubleWithTheSupervisorPasses(t *testing.T) {
	t.Parallel()
	const (
		at      = simulate.Supervisor
		failing = "503 Supervisor supervisor for source default: failing"
		silent  = failing + "\nSupervisor supervisor for source default: the Supervisor does not answer"
	)
	endureAll(t, map[string]trouble{
		"connections are reset": {
			begin: met(at, simulate.Fault{Reset: true}, always), end: normally,
			fails: "the Supervisor at", endpoint: "the connection ", unready: silent,
		},
		"nothing is answered": {
			begin: met(at, simulate.Fault{Hang: true}, always), end: normally,
			fails: "no answer in time", endpoint: "no answer in time", unready: silent,
		},
		"it is asked too much": {
			begin: met(at, simulate.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}, always), end: normally,
			fails: "too many requests", endpoint: "answered 429 Too Many Requests", unready: failing,
		},
		"it is unavailable": {
			begin: met(at, simulate.Fault{Status: http.StatusServiceUnavailable}, always), end: normally,
			fails: "unable to handle the request", endpoint: "answered 503 Service Unavailable", unready: silent,
		},
		"somebody else writes": {
			begin: met(at, simulate.Fault{Status: http.StatusConflict}, applies), end: normally,
			goal: "Cluster team-000/c00000: transient: Operation cannot be fulfilled: the object has been modified",
		},
		"watches have expired": {begin: expired, end: normally},
		"lists are cut short": {
			begin: met(at, simulate.Fault{Truncate: 60}, lists), end: normally,
			fails: "the connection ended before the answer did", endpoint: "the connection ended before the answer did", unready: silent,
		},
		"it is down for a while": {
			begin: gone(at), end: back(at), fails: "asking the Supervisor at", endpoint: "the connection was refused", unready: silent,
		},
		"its tokens expire": {serve: simulate.ServeOptions{TokenLife: 2 * time.Second}, login: true, begin: revoked, end: normally},
	})
}

// expired ends all watches; where they were is no longer known to the server.
func expired(t *testing.T, s *scene) {
	met := map[string]bool{}
	s.witness.makes(simulate.Supervisor, simulate.Fault{Status: http.StatusGone}, func(r *http.Request) bool {
		first := watches(r) && !met[r.URL.Path]
		met[r.URL.Path] = met[r.URL.Path] || first
		return first
	})
	must(t, s.Restart(simulate.Supervisor))
}

// revoked has the Supervisor know no token any more that it gave out.
func revoked(_ *testing.T, s *scene) { s.ExpireTokens() }
