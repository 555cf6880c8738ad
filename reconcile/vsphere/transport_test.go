package vsphere_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// With Go's default of two idle connections nearly every call shakes hands anew.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeVM(t, s.VCenter, "prod-1")
	c := s.dial(t, vsphere.Config{})
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 25 {
				if _, err := c.Events(t.Context(), time.Time{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	s.mu.Lock()
	conns := s.conns
	s.mu.Unlock()
	if calls := s.count("ReadNextEvents"); calls < 200 || conns > 16 {
		t.Errorf("%d connections for %d calls of 8 workers, want 16 at most", conns, calls)
	}
	closed(t, c)
}

// silent is the other end of a connection that takes what is sent and says nothing.
func silent(conn net.Conn) {
	buffer := make([]byte, 4096)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}

// In a bubble of synctest no goroutine may be left when the test is over, and the
// hours that a dead vCenter would take pass at once.
func TestADeadVCenterHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dial    func(context.Context, string, string) (net.Conn, error)
		timeout time.Duration // of the caller
		least   time.Duration
		most    time.Duration
	}{
		"nobody answers the dial":         {func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, time.Hour, 15 * time.Second, 16 * time.Second},
		"nobody shakes hands":             {handshake, time.Hour, 15 * time.Second, 16 * time.Second},
		"the caller's deadline is sooner": {handshake, time.Second, time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				begun := time.Now()
				_, err := vsphere.Dial(ctx, vsphere.Config{
					URL:         &url.URL{Scheme: "https", Host: "vc.example", User: url.UserPassword("a", password)},
					DialContext: test.dial,
				})
				took := time.Since(begun)
				if vsphere.KindOf(err) != vsphere.Transient || took < test.least || took > test.most {
					t.Errorf("%v after %s, want a transient error after %s", err, took, test.least)
				}
				time.Sleep(16 * time.Second) // what was begun may take its own timeout to end
				synctest.Wait()
			})
		})
	}
}

func handshake(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go silent(far)
	return near, nil
}

// A connection that was fine and falls silent is a failed attempt, and the read
// is made anew on another.
func TestAReadThatHangsIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	c := s.dial(t, vsphere.Config{Link: link.New(link.Options{Timeout: 2 * time.Second, Backoff: time.Millisecond})})
	var seen atomic.Int32
	s.breakBy(func(call string, _ http.ResponseWriter) bool {
		hangs := call == "GET /api/vcenter/storage/policies" && seen.Add(1) == 1
		if hangs {
			<-release
		}
		return hangs
	})
	if _, err := c.Inventory(t.Context()); err != nil {
		t.Error(err)
	}
	if got := s.count("GET /api/vcenter/storage/policies"); got != 2 {
		t.Errorf("%d requests, want the second to be answered", got)
	}
	closed(t, c)
}

func TestANamespaceIsNotCreatedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.dial(t, vsphere.Config{Link: link.New(link.Options{Backoff: time.Millisecond})})
	const create = "POST /api/vcenter/namespaces/instances/v2"
	s.breakBy(func(call string, w http.ResponseWriter) bool { return call == create && cut(w) })
	o := namespaceOf("team-b")
	var e *vsphere.Error
	if err := c.CreateNamespace(t.Context(), o); !errors.As(err, &e) || e.Kind != vsphere.Transient {
		t.Errorf("got %v, want a transient error", err)
	}
	if got := s.count(create); got != 1 {
		t.Errorf("sent %d times, want once: the first may have had an effect", got)
	}
	closed(t, c)
}
