package vsphere

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxAnswer is the longest REST answer that is read, in bytes.
const maxAnswer = 64 << 20

const sessionHeader = "vmware-api-session-id"

// restClient calls vCenter's REST API. It has a session of its own, which it
// opens at the first call and again when vCenter does not know it any more.
// govmomi's client keeps only the status of most errors; here their text counts.
type restClient struct {
	base    url.URL // without user
	user    *url.Userinfo
	http    *http.Client
	timeout time.Duration
	slots   chan struct{} // one is taken by each call in flight
	note    func(what string, err error)

	mu    sync.Mutex // held while logging in
	token string
}

func newREST(c Config, transport *http.Transport, note func(string, error)) *restClient {
	return &restClient{
		base:    url.URL{Scheme: c.URL.Scheme, Host: c.URL.Host},
		user:    c.URL.User,
		http:    &http.Client{Transport: c.Link.Wrap(transport)},
		note:    note,
		timeout: c.Timeout,
		slots:   make(chan struct{}, inFlight),
	}
}

// call sends in as JSON, unless it is nil, and reads the answer into out, unless
// it is nil.
func (r *restClient) call(ctx context.Context, method, path string, in, out any) error {
	token, err := r.open(ctx, "")
	if err != nil {
		return err
	}
	err = r.try(ctx, method, path, token, in, out)
	if answer, ok := err.(*restError); !ok || answer.status != http.StatusUnauthorized {
		return err
	}
	// A 401 means that nothing was done, so even a POST can be repeated.
	if token, err = r.open(ctx, token); err != nil {
		return err
	}
	return r.try(ctx, method, path, token, in, out)
}

// open returns the session, logging in when there is none or when it is the one
// that is known to be stale.
func (r *restClient) open(ctx context.Context, stale string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" && r.token != stale {
		return r.token, nil
	}
	r.token = ""
	err := r.try(ctx, http.MethodPost, "/api/session", "", nil, &r.token)
	r.note("logging in to the REST API", err)
	return r.token, err
}

func (r *restClient) logout(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		return nil
	}
	err := r.try(ctx, http.MethodDelete, "/api/session", r.token, nil, nil)
	r.token = ""
	return err
}

// try is one request. Without a token it authenticates with user and password.
func (r *restClient) try(ctx context.Context, method, path, token string, in, out any) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := r.request(ctx, method, path, token, in)
	if err != nil {
		return err
	}
	res, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return newRESTError(res.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the answer to %s %s is not the expected JSON: %w", method, path, err)
	}
	return nil
}

func (r *restClient) request(ctx context.Context, method, path, token string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base.String()+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set(sessionHeader, token)
		return req, nil
	}
	password, _ := r.user.Password()
	req.SetBasicAuth(r.user.Username(), password)
	return req, nil
}

// restError is an answer that says no.
type restError struct {
	status   int
	Type     string `json:"error_type"`
	Messages []struct {
		Default string `json:"default_message"`
	} `json:"messages"`
}

func newRESTError(status int, body []byte) *restError {
	e := &restError{status: status}
	// An answer of another form has its status, which is enough.
	_ = json.Unmarshal(body, e)
	return e
}

// Error is the type and the messages, as vCenter wrote them.
func (e *restError) Error() string {
	words := []string{e.Type}
	if e.Type == "" {
		words[0] = fmt.Sprintf("HTTP %d %s", e.status, http.StatusText(e.status))
	}
	for _, m := range e.Messages {
		words = append(words, m.Default)
	}
	return strings.Join(words, ": ")
}

func (e *restError) kind() Kind {
	switch e.Type {
	case "ALREADY_EXISTS", "ALREADY_IN_DESIRED_STATE", "CONCURRENT_CHANGE", "FEATURE_IN_USE", "NOT_ALLOWED_IN_CURRENT_STATE", "RESOURCE_IN_USE":
		return Conflict
	case "NOT_FOUND":
		return NotFound
	case "UNAUTHENTICATED", "UNAUTHORIZED":
		return Denied
	case "RESOURCE_BUSY", "SERVICE_UNAVAILABLE", "TIMED_OUT", "RESOURCE_INACCESSIBLE":
		return Transient
	case "INVALID_ARGUMENT", "UNEXPECTED_INPUT", "INVALID_REQUEST", "UNSUPPORTED", "INVALID_ELEMENT_TYPE", "INVALID_ELEMENT_CONFIGURATION", "OPERATION_NOT_FOUND":
		return Invalid
	}
	return statusKind(e.status)
}
