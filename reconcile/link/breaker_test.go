package link_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vksync/vksync/reconcile/link"
)

func TestTheBreakerOpensProbesAndCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{fails(io.EOF)}}
		l := link.New(link.Options{Name: "the vCenter", Attempts: 1, Failures: 3, Pause: time.Second, MaxPause: 3 * time.Second})
		rt := l.Wrap(s)
		ask := func() error {
			_, _, err := through(t, rt, request(t.Context(), t, "GET", ""))
			return err
		}
		begun := time.Now()
		for range 10 {
			if err := ask(); err == nil {
				t.Fatal("no error")
			}
		}
		if got := s.requests(); got != 3 {
			t.Errorf("%d requests reached the server, want 3", got)
		}
		h := l.Health()
		if h.State != link.Open || h.Name != "the vCenter" || h.LastError == "" || !h.Retry.Equal(begun.Add(time.Second)) {
			t.Errorf("health %+v, want open until a second from the beginning", h)
		}
		err := ask()
		var refused *link.Error
		if !errors.As(err, &refused) || refused.Attempts != 0 || !strings.Contains(err.Error(), "the vCenter is not asked again before") {
			t.Errorf("got %v, want to be told that nothing is sent", err)
		}
		// Each probe that fails doubles the pause, up to the longest.
		for i, pause := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second} {
			time.Sleep(pause - time.Millisecond)
			if _ = ask(); s.requests() != 3+i {
				t.Errorf("probe %d came before its pause of %s was over", i+1, pause)
			}
			time.Sleep(time.Millisecond)
			if _ = ask(); s.requests() != 4+i {
				t.Errorf("probe %d did not come after a pause of %s", i+1, pause)
			}
		}
		s.steps = []step{answers(http.StatusOK)}
		time.Sleep(3 * time.Second)
		for range 3 {
			if err := ask(); err != nil {
				t.Errorf("after the probe: %v", err)
			}
		}
		if h := l.Health(); h.State != link.OK || h.LastError != "" || !h.Since.Equal(time.Now()) {
			t.Errorf("health %+v, want ok since now", h)
		}
	})
}

func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{fails(io.EOF), hangs}}
		rt := link.New(link.Options{Attempts: 1, Failures: 1}).Wrap(s)
		_, _, _ = through(t, rt, request(t.Context(), t, "GET", ""))
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := rt.RoundTrip(request(ctx, t, "GET", ""))
			done <- err
		}()
		synctest.Wait()
		if _, err := rt.RoundTrip(request(t.Context(), t, "GET", "")); err == nil || s.requests() != 2 {
			t.Errorf("a second request was sent beside the probe: %v", err)
		}
		cancel() // who probed lost interest: the next one probes
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		s.steps = []step{answers(http.StatusOK)}
		if status, _, err := through(t, rt, request(t.Context(), t, "GET", "")); err != nil || status != http.StatusOK {
			t.Errorf("after a probe that was cancelled: %d, %v", status, err)
		}
	})
}

func TestCancelledAndRefusedRequestsAreNoFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{hangs, answers(http.StatusNotFound)}}
		l := link.New(link.Options{Failures: 1})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, _ = l.Wrap(s).RoundTrip(request(ctx, t, "GET", ""))
		_, _, _ = through(t, l.Wrap(s), request(t.Context(), t, "GET", ""))
		if h := l.Health(); h.State != link.OK {
			t.Errorf("health %+v, want ok", h)
		}
	})
}

func TestALoginThatFailedStaysInSight(t *testing.T) {
	t.Parallel()
	l := link.New(link.Options{})
	l.Note("logging in", errors.New("no such user at https://me:canary-1@vc.example/sdk, sent Authorization: Basic Y2FuYXJ5LTI="))
	if status, _, err := through(t, l.Wrap(&script{steps: []step{answers(http.StatusOK)}}), request(t.Context(), t, "GET", "")); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	h := l.Health()
	if h.State != link.Failing || !strings.Contains(h.LastError, "logging in: no such user at https://(hidden)vc.example/sdk") {
		t.Errorf("health %+v, want failing for the login", h)
	}
	if strings.Contains(h.LastError, "canary") || strings.Contains(h.LastError, "Y2FuYXJ5") {
		t.Errorf("the error %q holds a credential", h.LastError)
	}
	if l.Note("logging in", nil); l.Health().State != link.OK {
		t.Errorf("health %+v after a login, want ok", l.Health())
	}
}

func TestANilLinkDoesNothing(t *testing.T) {
	t.Parallel()
	var l *link.Link
	l.Note("logging in", errors.New("x"))
	s := &script{steps: []step{fails(io.EOF)}}
	if _, err := l.Wrap(s).RoundTrip(request(t.Context(), t, "GET", "")); err != io.EOF || l.Health().State != link.OK {
		t.Errorf("got %v and %+v", err, l.Health())
	}
}

// A watch lasts: it must begin in time, and is not read before it is handed over.
func TestAStreamBeginsInTimeAndLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		var ctx context.Context
		s := &script{steps: []step{hangs, func(r *http.Request) (*http.Response, error) {
			ctx = r.Context()
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: in, Request: r}, nil
		}}}
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://k8s.example/apis?watch=true", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		a, err := link.New(link.Options{Timeout: 10 * time.Second}).Wrap(s).RoundTrip(r)
		if err != nil || time.Since(begun) < 10*time.Second || time.Since(begun) > 11*time.Second {
			t.Fatalf("%v after %s, want the second attempt after 10s", err, time.Since(begun))
		}
		go func() {
			time.Sleep(time.Hour)
			_, _ = out.Write([]byte("event"))
			_ = out.Close()
		}()
		if text, err := io.ReadAll(a.Body); string(text) != "event" || err != nil {
			t.Errorf("read %q, %v", text, err)
		}
		if err := a.Body.Close(); err != nil || ctx.Err() == nil {
			t.Errorf("closed with %v, and the request goes on: %t", err, ctx.Err() == nil)
		}
	})
}

// A server that refuses for being asked too much is there: the breaker stays
// closed, and its words are shown until it answers again.
func TestABusyServerIsNotADeadOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answers(http.StatusTooManyRequests)}}
		l := link.New(link.Options{Name: "the server", Attempts: 1, Failures: 2})
		for range 5 {
			if status, _, err := through(t, l.Wrap(s), request(t.Context(), t, "GET", "")); status != http.StatusTooManyRequests || err != nil {
				t.Fatalf("got %d, %v", status, err)
			}
		}
		if h := l.Health(); h.State != link.Failing || h.LastError != "answered 429 Too Many Requests" {
			t.Errorf("health %+v", h)
		}
		s.steps = []step{answers(http.StatusOK)}
		if _, _, err := through(t, l.Wrap(s), request(t.Context(), t, "GET", "")); err != nil {
			t.Fatal(err)
		}
		if h := l.Health(); h.State != link.OK || h.LastError != "" {
			t.Errorf("health %+v", h)
		}
	})
}
