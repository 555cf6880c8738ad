package gitsource

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// MaxHookBytes is the size of the largest delivery that is read. The forges
	// send up to 25 MB for pushes of thousands of commits; those are answered with
	// 413 and found by polling.
	MaxHookBytes = 1 << 20
	// hookRate and hookBurst are how many deliveries of one hook are heeded, each
	// costing one look.
	hookRate, hookBurst = rate.Limit(1), 10
	// rememberedDeliveries is how many delivery ids are known again.
	rememberedDeliveries = 1024
)

// Hook is where one forge tells of pushes to one source.
type Hook struct {
	// Path is the URL path that the forge sends to, such as /hooks/fleet. Several
	// hooks may share one; each delivery goes to all whose secret it carries.
	Path string
	// Provider is "github", "gitlab", "gitea", "forgejo" or "bitbucket" (Cloud and
	// Data Center).
	Provider string
	// Secret is what the forge signs with. It is asked for at each delivery. A hook
	// with an empty one refuses all.
	Secret func() (string, error)
	// Branch is the followed one; "" has every push heeded.
	Branch string
	// Look is called for each authentic push that may concern Branch. It must not
	// wait.
	Look func()
}

// NewWebhook answers the deliveries of forges. An authentic one means "go and
// look" and nothing more: no hash, branch or address is taken from it. Answers are
// text: 202 heeded, 200 nothing to do, 400 no delivery, 401 not authentic, 404 no
// hook there, 405 no POST, 413 too large, 429 too many, 503 the secret cannot be
// read. It fails on hooks that cannot work.
func NewWebhook(hooks []Hook) (http.Handler, error) {
	w := webhook{}
	for _, h := range hooks {
		kind, known := providers[h.Provider]
		switch {
		case !known:
			return nil, fmt.Errorf("webhook %s: %q is no provider: want github, gitlab, gitea, forgejo or bitbucket", h.Path, h.Provider)
		case !strings.HasPrefix(h.Path, "/"):
			return nil, fmt.Errorf("webhook %q: the path must begin with a slash", h.Path)
		case h.Secret == nil || h.Look == nil:
			return nil, fmt.Errorf("webhook %s needs a secret", h.Path)
		}
		w[h.Path] = append(w[h.Path], &hook{Hook: h, provider: kind, limit: rate.NewLimiter(hookRate, hookBurst)})
	}
	return w, nil
}

// webhook has the hooks by path.
type webhook map[string][]*hook

type hook struct {
	Hook
	provider provider
	limit    *rate.Limiter
	seen     deliveries
}

// answer is what a delivery comes to.
type answer struct {
	status int
	text   string
}

var (
	heeded       = answer{http.StatusAccepted, "looking"}
	known        = answer{http.StatusOK, "this delivery is known"}
	noPush       = answer{http.StatusOK, "no push to the followed branch"}
	noDelivery   = answer{http.StatusBadRequest, "the body is not a delivery of this provider"}
	notAuthentic = answer{http.StatusUnauthorized, "the signature is missing or wrong: give the forge the source's webhook secret"}
	nowhere      = answer{http.StatusNotFound, "there is no webhook here"}
	noPost       = answer{http.StatusMethodNotAllowed, "send a POST"}
	tooLong      = answer{http.StatusRequestEntityTooLarge, "the delivery is too large to be read"}
	cutShort     = answer{http.StatusBadRequest, "the delivery was cut short"}
	tooMany      = answer{http.StatusTooManyRequests, "too many deliveries"}
	noSecret     = answer{http.StatusServiceUnavailable, "the webhook's secret cannot be read: see vksync's configuration"}
)

// ServeHTTP answers one delivery.
func (w webhook) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	a := w.answer(to, r)
	to.Header().Set("Content-Type", "text/plain; charset=utf-8")
	to.Header().Set("X-Content-Type-Options", "nosniff")
	switch a.status {
	case http.StatusMethodNotAllowed:
		to.Header().Set("Allow", http.MethodPost)
	case http.StatusTooManyRequests:
		to.Header().Set("Retry-After", "1")
	}
	to.WriteHeader(a.status)
	_, _ = io.WriteString(to, a.text+"\n") // who does not listen does not matter
}

func (w webhook) answer(to http.ResponseWriter, r *http.Request) answer {
	hooks := w[r.URL.Path]
	switch {
	case len(hooks) == 0:
		return nowhere
	case r.Method != http.MethodPost:
		return noPost
	}
	body, err := io.ReadAll(http.MaxBytesReader(to, r.Body, MaxHookBytes))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return tooLong
	case err != nil:
		return cutShort
	}
	var answers []answer
	for _, h := range hooks {
		answers = append(answers, h.deliver(r.Header, body, time.Now()))
	}
	// One hook that knows the delivery is enough; a fault tells more than a
	// wrong signature, which the others must find.
	return slices.MinFunc(answers, func(a, b answer) int { return rank(a) - rank(b) })
}

func rank(a answer) int {
	return slices.Index([]answer{heeded, tooMany, noDelivery, known, noPush, noSecret, notAuthentic}, a)
}

// deliver heeds a delivery that is authentic, new, about a push to the branch and
// not one too many.
func (h *hook) deliver(header http.Header, body []byte, now time.Time) answer {
	secret, err := h.Secret()
	if secret = strings.TrimRight(secret, "\r\n"); err != nil || secret == "" {
		return noSecret
	}
	if !h.provider.authentic(header, body, secret, now) {
		return notAuthentic
	}
	news, err := h.provider.read(header, body)
	switch {
	case err != nil:
		return noDelivery
	case !news.concerns(h.Branch):
		return noPush
	case h.seen.known(news.id):
		return known
	case !h.limit.AllowN(now, 1):
		return tooMany // and not remembered, so that sending it again helps
	}
	h.seen.remember(news.id)
	h.Look()
	return heeded
}

// news is what a delivery says: a push, and to which references.
type news struct {
	id   string
	push bool
	refs []string // none: the delivery does not say
}

// concerns says whether a branch may have changed. A delivery that does not say
// which one did concerns all.
func (n news) concerns(branch string) bool {
	if !n.push {
		return false
	}
	return branch == "" || len(n.refs) == 0 || slices.Contains(n.refs, "refs/heads/"+branch)
}

// mac is the code that both ends can make of a secret and bytes.
func mac(secret string, parts ...string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

// deliveries are the ids of the last deliveries.
type deliveries struct {
	mu   sync.Mutex
	ids  [rememberedDeliveries]string
	next int
	have map[string]bool
}

// known says whether a delivery was heeded before; one without id never was.
func (d *deliveries) known(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.have[id]
}

func (d *deliveries) remember(id string) {
	if id == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.have == nil {
		d.have = map[string]bool{}
	}
	delete(d.have, d.ids[d.next])
	d.ids[d.next], d.have[id] = id, true
	d.next = (d.next + 1) % len(d.ids)
}
