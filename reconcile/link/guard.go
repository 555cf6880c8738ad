package link

import (
	"context"
	"net/http"
)

type guardKey struct{}

// Guarded has may asked right before each request with the context is sent, also when
// it is sent again. A request is not sent, and fails with what may returns, unless that
// is nil. It is for what must hold at that moment: a context that ends is heard of later
// by a process that was frozen.
func Guarded(ctx context.Context, may func() error) context.Context {
	return context.WithValue(ctx, guardKey{}, may)
}

// permitted asks the guard of a context, if it has one.
func permitted(ctx context.Context) error {
	if may, is := ctx.Value(guardKey{}).(func() error); is {
		return may()
	}
	return nil
}

// guarded is a transport without a Link.
type guarded struct{ next http.RoundTripper }

// WrappedRoundTripper is how client-go looks for the transport underneath.
func (g guarded) WrappedRoundTripper() http.RoundTripper { return g.next }

// RoundTrip sends r if it may.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := permitted(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as every RoundTripper does; nothing was read
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}
