//go:build unix

package gate_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/vksync/vksync/simulate/gate"
)

// While an endpoint is down it refuses connections and nobody else gets its port.
func TestThePortOfAnEndpointThatIsDownIsKept(t *testing.T) {
	a, err := gate.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	e, err := gate.Open("vCenter", 0, a, http.NotFoundHandler(), nil)
	if err != nil {
		t.Fatal(err)
	}
	url := e.URL()
	address := strings.TrimPrefix(url, "https://")
	for range 3 {
		if err := e.Down(); err != nil {
			t.Fatal(err)
		}
		if c, err := net.Dial("tcp", address); err == nil {
			t.Error("a connection is accepted while the endpoint is down")
			_ = c.Close()
		}
		taker := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: portOf(t, address)}}
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if c, err := taker.Dial("tcp", other.Addr().String()); err == nil {
			t.Error("somebody else got the port")
			_ = c.Close()
		}
		_ = other.Close()
		if err := e.Up(); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("the endpoint is up and refuses a connection: %v", err)
		}
		_ = c.Close()
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e.URL() != url {
		t.Errorf("the endpoint moved from %s to %s", url, e.URL())
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return at.Port
}
