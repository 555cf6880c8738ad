package link_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vksync/vksync/reconcile/link"
)

// quiet is for handshakes that are meant to fail.
var quiet = log.New(io.Discard, "", 0)

// A script answers requests in turn; the last answer stays.
type script struct {
	mu    sync.Mutex
	steps []step
	// sent are the requests, "GET body".
	sent []string
	at   []time.Time
}

type step func(*http.Request) (*http.Response, error)

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(content)
	}
	s.mu.Lock()
	s.sent, s.at = append(s.sent, strings.TrimSpace(r.Method+" "+body)), append(s.at, time.Now())
	now := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	return now(r)
}

func (s *script) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

func answers(status int, header ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		a := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("text")), Request: r}
		for i := 0; i+1 < len(header); i += 2 {
			a.Header.Set(header[i], header[i+1])
		}
		return a, nil
	}
}

func fails(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// cutShort answers and ends in the middle.
func cutShort(r *http.Request) (*http.Response, error) {
	a, _ := answers(http.StatusOK)(r)
	a.Body = io.NopCloser(io.MultiReader(strings.NewReader("te"), broken{io.ErrUnexpectedEOF}))
	return a, nil
}

// hangs until the request is over.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func request(ctx context.Context, t *testing.T, method, body string) *http.Request {
	t.Helper()
	// A reader that net/http cannot rewind, as govmomi sends.
	r, err := http.NewRequestWithContext(ctx, method, "https://vc.example/x", io.MultiReader(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// through sends a request and returns the status and the text that came.
func through(t *testing.T, rt http.RoundTripper, r *http.Request) (int, string, error) {
	t.Helper()
	a, err := rt.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatalf("the body of an answer that was returned: %v", err)
	}
	if err := a.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text), nil
}

func TestReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	t.Parallel()
	reset := &opError{syscall.ECONNRESET}
	for name, test := range map[string]struct {
		failing      step
		reads, write int // how often each is sent, when it fails once
	}{
		"a reset":            {fails(reset), 2, 1},
		"an end":             {fails(io.EOF), 2, 1},
		"an answer cut":      {cutShort, 2, 1},
		"no answer":          {hangs, 2, 1},
		"502":                {answers(http.StatusBadGateway), 2, 1},
		"503":                {answers(http.StatusServiceUnavailable), 2, 1},
		"504":                {answers(http.StatusGatewayTimeout), 2, 1},
		"429":                {answers(http.StatusTooManyRequests), 2, 2},
		"500":                {answers(http.StatusInternalServerError), 1, 1},
		"404":                {answers(http.StatusNotFound), 1, 1},
		"a fault of the TLS": {fails(errors.New("x509: nobody trusts it")), 1, 1},
	} {
		for method, want := range map[string]int{"GET": test.reads, "POST": test.write} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []step{test.failing, answers(http.StatusOK)}}
					status, _, err := through(t, link.New(link.Options{}).Wrap(s), request(t.Context(), t, method, "content"))
					if got := s.requests(); got != want {
						t.Fatalf("sent %d times, want %d", got, want)
					}
					if ok := err == nil && status == http.StatusOK; ok != (want == 2) {
						t.Errorf("got %d, %v", status, err)
					}
					for _, sent := range s.sent {
						if sent != method+" content" {
							t.Errorf("sent %q, want the whole request each time", sent)
						}
					}
				})
			})
		}
	}
}

// opError is what package net returns.
type opError struct{ error }

func (opError) Timeout() bool   { return false }
func (opError) Temporary() bool { return true }
func (e opError) Unwrap() error { return e.error }

func TestAMarkedPostIsARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{fails(io.EOF), answers(http.StatusOK)}}
		status, text, err := through(t, link.New(link.Options{}).Wrap(s), request(link.Idempotent(t.Context()), t, "POST", "x"))
		if status != http.StatusOK || text != "text" || err != nil {
			t.Errorf("got %d %q, %v", status, text, err)
		}
	})
}

func TestPausesGrowAndAreRandom(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		jitter float64
		want   []time.Duration
	}{
		"least": {0, []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond}},
		"most":  {1, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []step{fails(io.EOF)}}
				l := link.New(link.Options{Backoff: 100 * time.Millisecond, MaxBackoff: 300 * time.Millisecond, Jitter: func() float64 { return test.jitter }})
				if _, _, err := through(t, l.Wrap(s), request(t.Context(), t, "GET", "")); !errors.Is(err, io.EOF) {
					t.Errorf("got %v, want io.EOF", err)
				}
				if len(s.at) != 4 {
					t.Fatalf("sent %d times, want 4", len(s.at))
				}
				for i, want := range test.want {
					if got := s.at[i+1].Sub(s.at[i]); got != want {
						t.Errorf("pause %d is %s, want %s", i+1, got, want)
					}
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat)
		s := &script{steps: []step{
			answers(http.StatusTooManyRequests, "Retry-After", "5"),
			answers(http.StatusServiceUnavailable, "Retry-After", date), answers(http.StatusOK),
		}}
		if status, _, err := through(t, link.New(link.Options{}).Wrap(s), request(t.Context(), t, "GET", "")); status != http.StatusOK || err != nil {
			t.Fatalf("got %d, %v", status, err)
		}
		if first, second := s.at[1].Sub(s.at[0]), s.at[2].Sub(s.at[1]); first != 5*time.Second || second < 3*time.Second || second > 5*time.Second {
			t.Errorf("paused %s and %s, want 5s and about 4s", first, second)
		}
	})
}

// client-go repeats by itself what has a Retry-After, and what a reset connection
// shows through.
func TestWhatWasGivenUpIsNotRepeatedByOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answers(http.StatusTooManyRequests, "Retry-After", "1")}}
		rt := link.New(link.Options{}).Wrap(s)
		a, err := rt.RoundTrip(request(t.Context(), t, "GET", ""))
		if err != nil || a.Header.Get("Retry-After") != "" {
			t.Errorf("got %v and Retry-After %q", err, a.Header.Get("Retry-After"))
		}
		s.steps = []step{fails(&opError{syscall.ECONNRESET})}
		_, err = rt.RoundTrip(request(t.Context(), t, "GET", ""))
		var errno syscall.Errno
		if err == nil || errors.As(err, &errno) || strings.Contains(err.Error(), syscall.ECONNRESET.Error()) {
			t.Errorf("the error %v still looks like a reset to client-go", err)
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("errors.Is does not see the reset in %v", err)
		}
	})
}

func TestAnAnswerThatDoesNotComeIsAwaitedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}}
		begun := time.Now()
		_, err := link.New(link.Options{Name: "the vCenter", Timeout: 10 * time.Second}).Wrap(s).RoundTrip(request(t.Context(), t, "GET", ""))
		if err == nil || err.Error() != "the vCenter: no answer in time (tried 2 times)" {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took > 21*time.Second {
			t.Errorf("it took %s, want twice the time for one", took)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answers(http.StatusServiceUnavailable, "Retry-After", "20")}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		if _, err := link.New(link.Options{}).Wrap(s).RoundTrip(request(ctx, t, "GET", "")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want a cancelled context", err)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %s, want 1s", took)
		}
	})
}

func TestNobodyWaitsPastTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{answers(http.StatusServiceUnavailable, "Retry-After", "20")}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		status, _, err := through(t, link.New(link.Options{}).Wrap(s), request(ctx, t, "GET", ""))
		if status != http.StatusServiceUnavailable || err != nil || s.requests() != 1 {
			t.Errorf("got %d, %v after %d requests; want the 503 at once", status, err, s.requests())
		}
	})
}

// A guard is asked before each attempt, the second of a request too, and what it stops
// says nothing about the endpoint.
func TestAGuardIsAskedRightBeforeARequest(t *testing.T) {
	t.Parallel()
	closed := errors.New("closed")
	for name, l := range map[string]*link.Link{"with a Link": link.New(link.Options{Backoff: time.Millisecond}), "without": nil} {
		s, asked := &script{steps: []step{answers(http.StatusBadGateway)}}, 0
		rt := l.Wrap(s)
		ctx := link.Guarded(t.Context(), func() error {
			if asked++; asked > 2 {
				return closed
			}
			return nil
		})
		var err error
		for err == nil && asked < 5 {
			_, err = rt.RoundTrip(request(ctx, t, "GET", ""))
		}
		if err != closed || s.requests() != 2 {
			t.Errorf("%s: %d were sent, and then came %v", name, s.requests(), err)
		}
	}
}
