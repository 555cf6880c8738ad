package reconcile_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/link"
)

// faulty fails one request.
type faulty struct {
	next http.RoundTripper
	seen *atomic.Int32
	at   int32 // 0 is none
	how  func(*http.Request) (*http.Response, error)
}

func (f faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Has("watch") { // watches begin at any time
		return f.next.RoundTrip(r)
	}
	if f.seen.Add(1) == f.at {
		return f.how(r)
	}
	return f.next.RoundTrip(r)
}

func answered(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"0"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
}

// Each request of connecting and planning in turn is the one that fails. With a
// Link the plan is the same; dry runs are sent as writes, and have no effect.
func TestAPlanIsTheSameWhicheverRequestFails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := desired(t, teamA, clusterOf("prod"))
	s.bring(t, s.engine(t, "test"), want, reconcile.Options{})
	changed := desired(t, teamA, strings.ReplaceAll(clusterOf("prod"), "replicas: 1}", "replicas: 3}"))
	plan := func(f faulty) (string, error) {
		kube := s.world.KubeConfig()
		kube.Wrap(func(next http.RoundTripper) http.RoundTripper {
			f.next = next
			return f
		})
		engine, err := reconcile.Connect(t.Context(), reconcile.Endpoints{
			Kube: kube, KubeLink: link.New(link.Options{Name: "the Supervisor", Backoff: time.Millisecond}),
			VSphere: s.world.VSphereConfig(), World: s.world, Source: "test",
		})
		if err != nil {
			return "", err
		}
		p, err := engine.Plan(t.Context(), changed, reconcile.Options{})
		if closing := engine.Close(t.Context()); err != nil || closing != nil {
			return "", errors.Join(err, closing)
		}
		return p.Text(), nil
	}
	var requests atomic.Int32
	unhurt, err := plan(faulty{seen: &requests})
	if err != nil || requests.Load() < 8 {
		t.Fatalf("%v after %d requests", err, requests.Load())
	}
	for name, how := range map[string]func(*http.Request) (*http.Response, error){
		"cut": func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"503": answered(http.StatusServiceUnavailable, "starting"),
		"429": answered(http.StatusTooManyRequests, "slow down"),
		"short": func(r *http.Request) (*http.Response, error) {
			a, err := answered(http.StatusOK, "")(r)
			a.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"kind":"`), ends{}))
			return a, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for at := range requests.Load() {
				got, err := plan(faulty{seen: new(atomic.Int32), at: at + 1, how: how})
				if err != nil || got != unhurt {
					t.Errorf("request %d: %v, the plan is\n%s\nwant\n%s", at+1, err, got, unhurt)
				}
			}
		})
	}
}

type ends struct{}

func (ends) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestASupervisorThatRefusesLeavesNoSessionInVCenter(t *testing.T) {
	t.Parallel()
	for range 10 { // both are asked at the same time, and either may be the first
		s := newSite(t)
		s.wire.refuse("/namespaces")
		if _, err := s.connect(t, "fleet"); err == nil {
			t.Fatal("connected to a Supervisor that refuses to list namespaces")
		}
		sent := strings.Join(s.wire.take(), "\n")
		if n := strings.Count(sent, "vCenter POST /sdk"); n != 3 {
			t.Fatalf("%d calls of vCenter, want 3: what it is, login, logout:\n%s", n, sent)
		}
	}
}
