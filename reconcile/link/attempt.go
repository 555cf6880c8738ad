package link

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"
)

type idempotentKey struct{}

// Idempotent marks requests with the context as reads although their method does
// not say so. SOAP sends everything by POST.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}

// isRead says whether a request may be sent twice.
func isRead(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "":
		return true
	}
	return r.Context().Value(idempotentKey{}) != nil
}

// isStream says whether the answer to a request goes on for as long as anybody
// reads it.
func isStream(r *http.Request) bool {
	query := r.URL.Query()
	for _, name := range []string{"watch", "follow"} {
		if on, err := strconv.ParseBool(query.Get(name)); err == nil && on {
			return true
		}
	}
	return false
}

// rewinder returns what makes the same request anew. A body that nobody can
// rewind is kept; requests here are small.
func rewinder(r *http.Request) (func() *http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return func() *http.Request { return r }, nil
	}
	content, err := io.ReadAll(r.Body)
	if closing := r.Body.Close(); err == nil {
		err = closing
	}
	return func() *http.Request {
		fresh := r.Clone(r.Context())
		fresh.Body, fresh.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
		// With it net/http itself repeats what met a connection that had just ended.
		fresh.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		return fresh
	}, err
}

// attempt is what came of sending a request once.
type attempt struct {
	answer *http.Response
	err    error
	// unsent is that no byte of the request can have left.
	unsent bool
}

// attempt sends r and, unless it is a stream, reads the answer.
func (t *transport) attempt(r *http.Request) attempt {
	var asked, connected atomic.Bool
	ctx, cancel := context.WithCancelCause(r.Context())
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	timer := time.AfterFunc(t.link.options.Timeout, func() { cancel(context.DeadlineExceeded) })
	answer, err := t.next.RoundTrip(r.WithContext(ctx))
	if err == nil && isStream(r) && answer.StatusCode < http.StatusBadRequest {
		timer.Stop()
		answer.Body = releasing{answer.Body, func() { cancel(nil) }}
		return attempt{answer: answer}
	}
	if err == nil {
		err = readWhole(answer)
	}
	timer.Stop()
	if late := context.Cause(ctx); err != nil && late != nil && r.Context().Err() == nil {
		err = late
	}
	cancel(nil)
	return attempt{answer: answer, err: err, unsent: asked.Load() && !connected.Load()}
}

// readWhole replaces the body of an answer by its content.
func readWhole(answer *http.Response) error {
	var content bytes.Buffer
	if answer.ContentLength > 0 {
		content.Grow(int(min(answer.ContentLength, 1<<20)) + bytes.MinRead)
	}
	_, err := content.ReadFrom(answer.Body)
	if closing := answer.Body.Close(); err == nil {
		err = closing
	}
	answer.Body = io.NopCloser(&content)
	return err
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

// repeatable says whether the request may be sent again.
func (a attempt) repeatable(read bool) bool {
	switch {
	case a.err != nil:
		return passing(a.err) && (read || a.unsent)
	case a.answer.StatusCode == http.StatusTooManyRequests:
		return true // the server has not begun
	}
	return read && isGateway(a.answer.StatusCode)
}

// retryAfter is how long the server asks to wait, in seconds or as a date; 0
// when it does not.
func (a attempt) retryAfter(now time.Time) time.Duration {
	if a.answer == nil {
		return 0
	}
	text := a.answer.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
