package supervisor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vksync/vksync/reconcile/resource"
)

var noAddr resource.Addr

// tokens has the token of a login and renews it. One login runs at a time, and
// whoever needs its token waits for it.
type tokens struct {
	config LoginConfig
	op     string
	base   *http.Transport
	flight singleflight.Group

	mu      sync.Mutex // guards what is below
	token   string
	expires time.Time // zero when the token does not say
	due     time.Time // when to renew; zero is never
	// err and retry are of a login that failed: vCenter locks an account after a
	// few wrong passwords, so a caller in a loop must not be what decides how often.
	err   error
	retry time.Time
	pause time.Duration
}

// The pause after a login that failed; it doubles up to the longest.
const (
	firstPause   = time.Second
	deniedPause  = time.Minute
	longestPause = 5 * time.Minute
)

// current is a token to use now. One that is due but still good is renewed in the
// background.
func (t *tokens) current(ctx context.Context) (string, error) {
	t.mu.Lock()
	now := t.config.Now()
	token, due := t.token, !t.due.IsZero() && !now.Before(t.due)
	expired := token == "" || !t.expires.IsZero() && !now.Before(t.expires)
	t.mu.Unlock()
	switch {
	case expired:
		return t.renew(ctx, token)
	case due:
		t.start(token)
	}
	return token, nil
}

// renew is the token after a login, unless another one than stale is there
// already. It returns with ctx, while the login goes on for the others.
func (t *tokens) renew(ctx context.Context, stale string) (string, error) {
	select {
	case done := <-t.start(stale):
		token, _ := done.Val.(string)
		return token, done.Err
	case <-ctx.Done():
		return "", classify(t.op, noAddr, ctx.Err())
	}
}

func (t *tokens) start(stale string) <-chan singleflight.Result {
	return t.flight.DoChan("login", func() (any, error) {
		t.mu.Lock()
		token, err, wait := t.token, t.err, t.config.Now().Before(t.retry)
		t.mu.Unlock()
		switch {
		case token != "" && token != stale:
			return token, nil
		case wait:
			return "", err
		}
		token, err = t.ask(context.Background())
		t.config.Link.Note("logging in", err)
		t.keep(token, err)
		return token, err
	})
}

// keep notes how a login went.
func (t *tokens) keep(token string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.config.Now()
	if err != nil {
		t.pause = min(max(2*t.pause, firstPause), longestPause)
		if ClassOf(err) == Denied {
			t.pause = max(t.pause, deniedPause)
		}
		t.err, t.retry = err, now.Add(t.pause)
		return
	}
	t.err, t.retry, t.pause = nil, time.Time{}, 0
	t.token, t.expires, t.due = token, time.Time{}, time.Time{}
	// A clock that is off is not taken for a token that is over; a 401 is.
	if expires, ok := expiry(token); ok && expires.After(now) {
		t.expires, t.due = expires, now.Add(expires.Sub(now)*4/5)
	}
}

// expiry reads the exp claim of a JSON Web Token. The signature is for the server.
func expiry(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Expires float64 `json:"exp"` // seconds since the epoch
	}
	if err != nil || json.Unmarshal(text, &claims) != nil || claims.Expires <= 0 {
		return time.Time{}, false
	}
	return time.Unix(int64(claims.Expires), 0), true
}

// authenticated sends requests with the token.
type authenticated struct {
	tokens *tokens
	next   http.RoundTripper
}

// WrappedRoundTripper is how client-go looks for the transport underneath.
func (a authenticated) WrappedRoundTripper() http.RoundTripper { return a.next }

// RoundTrip sends r, and once more after a login when the answer is 401: nothing
// was done then.
func (a authenticated) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := a.tokens.current(r.Context())
	if err != nil {
		closeBody(r)
		return nil, err
	}
	answer, err := a.next.RoundTrip(bearing(r, token))
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		return answer, err
	}
	second, err := rewound(r)
	if err != nil {
		return answer, nil // the 401 says it
	}
	if token, err = a.tokens.renew(r.Context(), token); err != nil {
		closeBody(second)
		return nil, errors.Join(err, answer.Body.Close())
	}
	if err := answer.Body.Close(); err != nil {
		closeBody(second)
		return nil, err
	}
	return a.next.RoundTrip(bearing(second, token))
}

func bearing(r *http.Request, token string) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// rewound is r with its body from the beginning.
func rewound(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	if r.GetBody == nil {
		return nil, errors.New("the body was sent and is gone")
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = body
	return r, nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // a reader of memory
	}
}
