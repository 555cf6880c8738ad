package main

import (
	"net/http"
	"testing"

	"github.com/vksync/vksync/simulate"
)

// The same with the vCenter, which loses its sessions when it is restarted.
func TestTroubleWithTheVCenterPasses(t *testing.T) {
	t.Parallel()
	const (
		at     = simulate.VCenter
		silent = "503 Supervisor supervisor for source default: failing\nSupervisor supervisor for source default: the vCenter does not answer"
	)
	endureAll(t, map[string]trouble{
		"it is restarted":   {begin: gone(at), end: back(at), fails: "the vCenter", endpoint: "the connection was refused", unready: silent},
		"sessions are lost": {begin: func(_ *testing.T, s *scene) { s.DropSessions() }, end: normally},
		"it is unavailable": {
			begin: met(at, simulate.Fault{Status: http.StatusServiceUnavailable}, always), end: normally,
			fails: "503", endpoint: "answered 503 Service Unavailable", unready: silent,
		},
		"connections are reset": {
			begin: met(at, simulate.Fault{Reset: true}, always), end: normally,
			fails: "the connection ", endpoint: "the connection ", unready: silent,
		},
		"nothing is answered": {
			begin: met(at, simulate.Fault{Hang: true}, always), end: normally,
			fails: "no answer in time", endpoint: "no answer in time", unready: silent,
		},
		"answers are cut short": {
			begin: met(at, simulate.Fault{Truncate: 20}, lists), end: normally,
			fails: "the connection ended before the answer did", endpoint: "the connection ended before the answer did", unready: silent,
		},
	})
}
