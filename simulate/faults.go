package simulate

import (
	"errors"
	"net/http"

	"github.com/vksync/vksync/simulate/gate"
)

// What can go wrong between clients and a served world, for tests.

// Endpoint is one of the two servers of a served world.
type Endpoint string

// The endpoints.
const (
	Supervisor Endpoint = "Supervisor"
	VCenter    Endpoint = "vCenter"
)

// Fault is what happens to one request in place of its answer.
type Fault = gate.Fault

// Fail has every request to the endpoint go through f, whose answer nil lets it
// pass. f may read the body of the request, and is called by many goroutines. Nil
// ends it.
func (s *Served) Fail(at Endpoint, f func(*http.Request) *Fault) { s.endpoint(at).Fail(f) }

// Down closes the endpoint: connections are cut and new ones refused. vCenter
// loses its sessions; what is in it stays. It is no fault if it is down already.
func (s *Served) Down(at Endpoint) error {
	err := s.endpoint(at).Down()
	if at == VCenter {
		s.world.vcenter.EndSessions()
	}
	return err
}

// Up opens the endpoint again, at the same address.
func (s *Served) Up(at Endpoint) error { return s.endpoint(at).Up() }

// Restart is Down and Up.
func (s *Served) Restart(at Endpoint) error { return errors.Join(s.Down(at), s.Up(at)) }

// DropSessions ends every session with vCenter, as an administrator or its idle
// timeout does. Connections stay open.
func (s *Served) DropSessions() { s.world.vcenter.EndSessions() }

// ExpireTokens ends every token that /wcp/login gave out. That of the kubeconfig
// stays good.
func (s *Served) ExpireTokens() { s.tokens.Expire() }

func (s *Served) endpoint(at Endpoint) *gate.Endpoint {
	if at == VCenter {
		return s.vcenter
	}
	return s.supervisor
}
