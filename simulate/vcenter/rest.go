package vcenter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// maxBody is the longest request that is read, in bytes.
const maxBody = 4 << 20

// sessionHeader carries the session of a REST client.
const sessionHeader = "vmware-api-session-id"

// The error types of vAPI (com.vmware.vapi.std.errors) and the status each has.
const (
	alreadyExists   = "ALREADY_EXISTS"
	invalidArgument = "INVALID_ARGUMENT"
	notAllowed      = "NOT_ALLOWED_IN_CURRENT_STATE"
	notFound        = "NOT_FOUND"
	unauthenticated = "UNAUTHENTICATED"
)

// refusal is an error of the REST API.
type refusal struct{ kind, message string }

func refuse(kind, format string, args ...any) error {
	return &refusal{kind: kind, message: fmt.Sprintf(format, args...)}
}

func (r *refusal) Error() string { return r.kind + ": " + r.message }

func (r *refusal) status() int {
	switch r.kind {
	case notFound:
		return http.StatusNotFound
	case unauthenticated:
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

// serveREST registers the REST API with mux. /api answers plainly, /rest wraps
// what it answers, as vCenter's two generations do.
func (v *VCenter) serveREST(mux *http.ServeMux) {
	s := newSessions(v.Allows)
	mux.HandleFunc("POST /api/session", s.login)
	mux.HandleFunc("GET /api/session", s.guard(answer(s.show)))
	mux.HandleFunc("DELETE /api/session", s.logout)
	mux.HandleFunc("POST /rest/com/vmware/cis/session", s.login)
	mux.HandleFunc("DELETE /rest/com/vmware/cis/session", s.logout)
	v.sessions = s
	for pattern, handle := range v.routes() {
		mux.HandleFunc(pattern, s.guard(answer(handle)))
	}
}

// handleREST answers a request with something that becomes JSON, or nothing.
type handleREST func(*http.Request) (any, error)

func answer(handle handleREST) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := handle(r)
		switch {
		case err != nil:
			reply(w, r, 0, err)
		case value == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			reply(w, r, http.StatusOK, value)
		}
	}
}

func reply(w http.ResponseWriter, r *http.Request, status int, value any) {
	wrapped := strings.HasPrefix(r.URL.Path, "/rest/")
	if err, failed := value.(error); failed {
		status, value = errorBody(err, wrapped)
	} else if wrapped {
		value = map[string]any{"value": value}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

func errorBody(err error, wrapped bool) (int, any) {
	r := &refusal{kind: "INTERNAL_SERVER_ERROR", message: err.Error()}
	status := http.StatusInternalServerError
	if errors.As(err, &r) {
		status = r.status()
	}
	messages := []map[string]any{{
		"id":              "vksync.simulated." + strings.ToLower(r.kind),
		"default_message": r.message,
		"args":            []string{},
	}}
	if wrapped {
		return status, map[string]any{
			"type":  "com.vmware.vapi.std.errors." + strings.ToLower(r.kind),
			"value": map[string]any{"messages": messages},
		}
	}
	return status, map[string]any{"error_type": r.kind, "messages": messages}
}

// read decodes the body of r. It ignores what it does not know, as vCenter does.
func read(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return refuse(invalidArgument, "The request could not be read: %v", err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return refuse(invalidArgument, "The request is not JSON of the expected form: %v", err)
	}
	return nil
}

// sessions are the REST sessions. Their identifiers are the only thing here that
// is drawn at random: who guessed one would be logged in.
type sessions struct {
	allows func(user, password string) bool

	mu    sync.Mutex
	users map[string]string // by session id
}

func newSessions(allows func(user, password string) bool) *sessions {
	return &sessions{allows: allows, users: map[string]string{}}
}

func (s *sessions) login(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if r.URL.Query().Get("~action") == "get" {
		s.guard(answer(s.show))(w, r)
		return
	}
	if !ok || !s.allows(user, password) {
		reply(w, r, 0, refuse(unauthenticated, "Unable to authenticate user"))
		return
	}
	s.mu.Lock()
	id := uuid.NewString()
	s.users[id] = user
	s.mu.Unlock()
	status := http.StatusCreated
	if strings.HasPrefix(r.URL.Path, "/rest/") {
		status = http.StatusOK
	}
	reply(w, r, status, id)
}

func (s *sessions) logout(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.users, r.Header.Get(sessionHeader))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (s *sessions) show(r *http.Request) (any, error) {
	return map[string]any{"user": s.user(r)}, nil
}

func (s *sessions) user(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[r.Header.Get(sessionHeader)]
}

// guard lets only requests with a session pass.
func (s *sessions) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.user(r) == "" {
			reply(w, r, 0, refuse(unauthenticated, "This method requires authentication."))
			return
		}
		next(w, r)
	}
}

// ExpireSessions ends every REST session, as vCenter does after 30 idle minutes.
func (v *VCenter) ExpireSessions() {
	v.sessions.mu.Lock()
	defer v.sessions.mu.Unlock()
	clear(v.sessions.users)
}
