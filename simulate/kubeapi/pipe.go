package kubeapi

import (
	"context"
	"net"
	"sync"
)

// PipeListener is a net.Listener in memory: what Dial returns is the other end
// of what Accept returns, a net.Pipe. Serve a handler on it and give Dial to a
// client, and the two speak without a network. Make one with NewPipeListener.
type PipeListener struct {
	pending chan net.Conn
	closed  chan struct{} // closed by Close: Accept and Dial fail from then on
	once    sync.Once
}

var _ net.Listener = (*PipeListener)(nil)

// NewPipeListener makes an open listener.
func NewPipeListener() *PipeListener {
	return &PipeListener{pending: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept waits for a Dial. It fails with net.ErrClosed after Close.
func (l *PipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.pending:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Dial connects to whoever accepts. Network and address are not looked at, so
// that it fits http.Transport.DialContext, rest.Config.Dial and the like.
func (l *PipeListener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.pending <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: l.Addr(), Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends Accept and Dial. Connections that are open stay so.
func (l *PipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the same for all listeners.
func (l *PipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
