package link

import (
	"net/http"
	"time"
)

// Wrap sends requests through next as the Link sees fit. Several transports may
// share one Link: they lead to the same endpoint. A nil next is
// http.DefaultTransport, and a nil Link does nothing but ask guards (Guarded).
func (l *Link) Wrap(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	if l == nil {
		return guarded{next}
	}
	return &transport{link: l, next: next}
}

type transport struct {
	link *Link
	next http.RoundTripper
}

// WrappedRoundTripper is how client-go looks for the transport underneath.
func (t *transport) WrappedRoundTripper() http.RoundTripper { return t.next }

// RoundTrip sends r, more than once when that is safe. The answer is read to its
// end before it is returned, unless it is a stream, so that an answer that is cut
// short is a failed attempt as well.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	again, err := rewinder(r)
	if err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		if err := permitted(r.Context()); err != nil {
			return nil, err
		}
		probe, err := t.link.ask()
		if err != nil {
			return nil, err
		}
		a := t.attempt(again())
		t.report(r, probe, a)
		pause, more := t.pause(r, a, n)
		if !more {
			return t.result(r, a, n)
		}
		if err := t.link.options.Wait(r.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// report tells the breaker how an attempt went. One that the caller cancelled
// says nothing.
func (t *transport) report(r *http.Request, probe bool, a attempt) {
	switch {
	case a.err != nil && r.Context().Err() != nil && !isTimeout(r.Context().Err()):
		t.link.abandon(probe)
	case a.err != nil:
		t.link.tell(probe, describe(a.err))
	case isGateway(a.answer.StatusCode):
		t.link.tell(probe, describeStatus(a.answer))
	case a.answer.StatusCode == http.StatusTooManyRequests:
		t.link.busy(probe, describeStatus(a.answer))
	default:
		t.link.tell(probe, "")
	}
}

// isGateway says whether a status means that nobody is there who could answer.
func isGateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// slowAttempts is how often a request is tried at most that is not answered in time:
// whoever waits for it waits for all of that.
const slowAttempts = 2

// pause is how long to wait after attempt n, and whether there is to be another.
func (t *transport) pause(r *http.Request, a attempt, n int) (time.Duration, bool) {
	o := t.link.options
	if n >= o.Attempts || n >= slowAttempts && isTimeout(a.err) || r.Context().Err() != nil || !a.repeatable(isRead(r)) || t.link.Health().State == Open {
		return 0, false
	}
	longest := min(o.Backoff<<(n-1), o.MaxBackoff)
	pause := max(longest/2+time.Duration(o.Jitter()*float64(longest)/2), a.retryAfter(o.Now()))
	deadline, bound := r.Context().Deadline()
	if pause > o.MaxPause || bound && time.Until(deadline) < pause {
		return 0, false // the answer at hand says more than a deadline that passed
	}
	return pause, true
}

// result is what the caller gets after attempt n, the last.
func (t *transport) result(r *http.Request, a attempt, n int) (*http.Response, error) {
	switch {
	case a.err == nil:
		if a.answer.StatusCode == http.StatusTooManyRequests || a.answer.StatusCode >= http.StatusInternalServerError {
			// client-go repeats by itself what carries this, be it a write or a read.
			a.answer.Header.Del("Retry-After")
		}
		return a.answer, nil
	case r.Context().Err() == nil && isRead(r) && passing(a.err):
		return nil, &Error{Name: t.link.options.Name, Attempts: n, Text: describe(a.err), cause: a.err}
	}
	return nil, a.err
}
