//go:build unix

package gate

import (
	"net/netip"
	"syscall"
)

// reserve binds an address without listening on it: connections are refused, and
// the system gives the port to nobody else until release is called. An address
// that cannot be had is nobody's.
func reserve(address string) (release func()) {
	nothing := func() {}
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() {
		return nothing
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nothing
	}
	syscall.CloseOnExec(fd)
	release = func() { _ = syscall.Close(fd) }
	// Listening on the same address is allowed while both sockets say so.
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	}
	if err != nil {
		release()
		return nothing
	}
	return release
}
