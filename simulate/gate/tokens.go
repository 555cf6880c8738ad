package gate

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Tokens are who may use the served Supervisor: the bearer of the one fixed
// token, and of tokens that /wcp/login gave out, until these expire. Time is the
// wall clock's, since clients look at theirs.
type Tokens struct {
	fixed  string
	life   time.Duration
	allows func(user, password string) bool

	mu  sync.Mutex
	key []byte // signs what login gives out
}

// NewTokens accepts fixed for ever, and gives out tokens that are good for life to
// whom allows lets in.
func NewTokens(fixed string, life time.Duration, allows func(user, password string) bool) *Tokens {
	t := &Tokens{fixed: fixed, life: life, allows: allows}
	t.Expire()
	return t
}

// Expire makes every token that login has given out invalid.
func (t *Tokens) Expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = []byte(rand.Text())
}

// Guard lets requests pass that carry a valid token, and answers /wcp/login.
func (t *Tokens) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/wcp/login":
			t.login(w, r)
		case public(r.URL.Path) || t.valid(bearer(r), time.Now()):
			next.ServeHTTP(w, r)
		default:
			Status(w, http.StatusUnauthorized)
		}
	})
}

// public says what an API server shows to anybody.
func public(path string) bool {
	switch path {
	case "/version", "/healthz", "/livez", "/readyz":
		return true
	}
	return false
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return token
}

// login answers as a Supervisor's authentication proxy does: POST with the name
// and password of a vCenter user gives a token.
func (t *Tokens) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
		return
	}
	user, password, _ := r.BasicAuth()
	if !t.allows(user, password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="wcp"`)
		http.Error(w, "invalid or missing credentials", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"session_id": t.issue(user, time.Now())})
}

// claims are what a token says.
type claims struct {
	Subject string `json:"sub"`
	Issuer  string `json:"iss"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	ID      string `json:"jti"`
}

// issue makes a JSON Web Token.
func (t *Tokens) issue(user string, now time.Time) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // only for what is no JSON
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	content := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(claims{
		Subject: user, Issuer: "https://localhost/openidconnect/vsphere.local",
		Issued: now.Unix(), Expires: now.Add(t.life).Unix(), ID: rand.Text(),
	})
	return content + "." + t.sign(content)
}

func (t *Tokens) sign(content string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(content))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (t *Tokens) valid(token string, now time.Time) bool {
	if t.fixed != "" && subtle.ConstantTimeCompare([]byte(token), []byte(t.fixed)) == 1 {
		return true
	}
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !hmac.Equal([]byte(token[dot+1:]), []byte(t.sign(token[:dot]))) {
		return false
	}
	_, body, _ := strings.Cut(token[:dot], ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	var c claims
	return err == nil && json.Unmarshal(text, &c) == nil && now.Before(time.Unix(c.Expires, 0))
}

// Secret draws a password or token.
func Secret() string { return rand.Text() }

// writeStatus writes a metav1.Status.
func writeStatus(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{},
		"status": "Failure", "message": message, "reason": reason, "code": code,
	})
}
