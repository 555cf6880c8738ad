package supervisor

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

// discoveryTimeout is for one request; it is what client-go takes itself when
// it makes the HTTP client.
const discoveryTimeout = 32 * time.Second

// discover notes every kind in the version the server prefers.
func (c *Client) discover(ctx context.Context, config *rest.Config, client *http.Client) error {
	bound := *client
	bound.Transport = boundTo{ctx, client.Transport}
	bound.Timeout = discoveryTimeout
	d, err := discovery.NewDiscoveryClientForConfigAndClient(config, &bound)
	if err != nil {
		return err
	}
	groups, lists, err := d.ServerGroupsAndResources()
	var partly *discovery.ErrGroupDiscoveryFailed
	switch {
	case ctx.Err() != nil: // an end in between looks like groups that are broken
		return ctx.Err()
	case errors.As(err, &partly):
		for gv, cause := range partly.Groups {
			c.broken[gv.Group] = cause
		}
	case err != nil:
		return err
	}
	preferred := map[string]bool{}
	for _, g := range groups {
		preferred[g.PreferredVersion.GroupVersion] = true
	}
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range l.APIResources {
			gk := schema.GroupKind{Group: gv.Group, Kind: r.Kind}
			_, known := c.served[gk]
			if !slices.Contains(r.Verbs, "list") || known && !preferred[l.GroupVersion] {
				continue
			}
			c.served[gk] = kind{gv.WithResource(r.Name), r.Namespaced}
		}
	}
	return nil
}

// boundTo ends requests with ctx: client-go's discovery takes none.
type boundTo struct {
	ctx  context.Context
	next http.RoundTripper // nil is http.DefaultTransport
}

// RoundTrip sends one request.
func (b boundTo) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(b.ctx, cancel)
	release := func() {
		stop()
		cancel()
	}
	answer, err := next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		release()
		return nil, err
	}
	answer.Body = releasing{answer.Body, release}
	return answer, nil
}

// releasing is a body whose request is over when it is closed.
type releasing struct {
	io.ReadCloser
	release func()
}

// Close closes the body.
func (r releasing) Close() error {
	defer r.release()
	return r.ReadCloser.Close()
}

// findAgain asks the Supervisor once more how it serves a kind.
func (c *Client) findAgain(ctx context.Context, op string, gk schema.GroupKind) (kind, error) {
	fresh := &Client{served: map[schema.GroupKind]kind{}, broken: map[string]error{}}
	if err := fresh.discover(ctx, c.config, c.http); err != nil {
		return kind{}, classify(op, noAddr, err)
	}
	return fresh.kindOf(op, gk)
}
