package apiserver

import (
	"net/http"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
)

// calls are the requests that somebody has sent.
type calls struct {
	mu   sync.Mutex
	list []string
}

// note takes a request down, as METHOD PATH. Watches come on their own at any
// time, and the later pages of a list are no calls of their own.
func (c *calls) note(r *http.Request) {
	if q := r.URL.Query(); q.Has("watch") || q.Has("continue") {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, r.Method+" "+r.URL.Path)
}

// take returns what was noted since the last time, sorted.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.list
	c.list = nil
	slices.Sort(out)
	return out
}

// counted leads to the same server and notes what is sent to it.
func (c *calls) counted(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return noting{c, next} })
	return config
}

type noting struct {
	calls *calls
	next  http.RoundTripper
}

// RoundTrip notes one request and sends it.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	n.calls.note(r)
	return n.next.RoundTrip(r)
}
