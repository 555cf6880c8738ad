package gitsource_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
)

const hookSecret = "c4nary-hook-secret"

func code(secret, text string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexCode(text string) string { return hex.EncodeToString(code(hookSecret, text)) }

// headers are pairs of names and values.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func github(body string, more ...string) http.Header {
	return headers(append([]string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=" + hexCode(body)}, more...)...)
}

// standard is GitLab's signing form.
func standard(key, id, body string, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := base64.StdEncoding.EncodeToString(code(key, id+"."+stamp+"."+body))
	return headers("X-Gitlab-Event", "Push Hook", "webhook-id", id, "webhook-timestamp", stamp, "webhook-signature", "v1,AAAA v1,"+sum)
}

func TestDeliveriesOfEveryForge(t *testing.T) {
	t.Parallel()
	const push = `{"ref":"refs/heads/main","after":"deadbeef"}`
	const other = `{"ref":"refs/heads/other"}`
	gitea := func(name, body string) http.Header {
		return headers("X-"+name+"-Event", "push", "X-"+name+"-Signature", hexCode(body))
	}
	bitbucket := func(event, body string) http.Header {
		return headers("X-Event-Key", event, "X-Hub-Signature", "sha256="+hexCode(body))
	}
	form := url.Values{"payload": {push}}.Encode()
	signing := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of bytes"))
	for _, tt := range []struct {
		name, provider, secret string
		header                 http.Header
		body                   string
		status, looks          int
	}{
		{"github", "github", hookSecret, github(push), push, 202, 1},
		{"github as a form", "github", hookSecret, github(form, "Content-Type", "application/x-www-form-urlencoded"), form, 202, 1},
		{"github, another branch", "github", hookSecret, github(other), other, 200, 0},
		{"github, a tag", "github", hookSecret, github(`{"ref":"refs/tags/v1"}`), `{"ref":"refs/tags/v1"}`, 200, 0},
		{"github, a branch made", "github", hookSecret, github(`{"ref":"main","ref_type":"branch"}`, "X-GitHub-Event", "create"), `{"ref":"main","ref_type":"branch"}`, 202, 1},
		{"github, a tag made", "github", hookSecret, github(`{"ref":"main","ref_type":"tag"}`, "X-GitHub-Event", "create"), `{"ref":"main","ref_type":"tag"}`, 200, 0},
		{"github, no reference", "github", hookSecret, github(`{}`), `{}`, 202, 1},
		{"github, ping", "github", hookSecret, github(`{"zen":"x"}`, "X-GitHub-Event", "ping"), `{"zen":"x"}`, 200, 0},
		{"github, no signature", "github", hookSecret, headers("X-GitHub-Event", "push"), push, 401, 0},
		{"github, a wrong signature", "github", hookSecret, github(push + " "), push, 401, 0},
		{"github, SHA-1 only", "github", hookSecret, headers("X-GitHub-Event", "push", "X-Hub-Signature", "sha1=00"), push, 401, 0},
		{"github, a signature without its prefix", "github", hookSecret, headers("X-GitHub-Event", "push", "X-Hub-Signature-256", hexCode(push)), push, 401, 0},
		{"github, no JSON", "github", hookSecret, github("{"), "{", 400, 0},
		{"github, an empty secret", "github", "", github(push, "X-Hub-Signature-256", "sha256="+hex.EncodeToString(code("", push))), push, 503, 0},
		{"gitlab, a token", "gitlab", hookSecret, headers("X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", hookSecret), push, 202, 1},
		{"gitlab, a wrong token", "gitlab", hookSecret, headers("X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "wrong"), push, 401, 0},
		{"gitlab, no token", "gitlab", hookSecret, headers("X-Gitlab-Event", "Push Hook"), push, 401, 0},
		{"gitlab, a tag", "gitlab", hookSecret, headers("X-Gitlab-Event", "Tag Push Hook", "X-Gitlab-Token", hookSecret), `{"ref":"refs/tags/v1"}`, 200, 0},
		{"gitlab, signed", "gitlab", signing, standard("a key of bytes", "1", push, time.Now()), push, 202, 1},
		{"gitlab, signed with a plain secret", "gitlab", hookSecret, standard(hookSecret, "1", push, time.Now()), push, 202, 1},
		{"gitlab, signed long ago", "gitlab", signing, standard("a key of bytes", "1", push, time.Now().Add(-time.Hour)), push, 401, 0},
		{"gitlab, signed for another body", "gitlab", signing, standard("a key of bytes", "1", other, time.Now()), push, 401, 0},
		{"gitlab, a system hook", "gitlab", hookSecret, headers("X-Gitlab-Event", "System Hook", "X-Gitlab-Token", hookSecret), `{"event_name":"push","ref":"refs/heads/main"}`, 202, 1},
		{"gitlab, a system hook for something else", "gitlab", hookSecret, headers("X-Gitlab-Event", "System Hook", "X-Gitlab-Token", hookSecret), `{"event_name":"user_create"}`, 200, 0},
		{"gitea", "gitea", hookSecret, gitea("Gitea", push), push, 202, 1},
		{"forgejo", "forgejo", hookSecret, gitea("Forgejo", push), push, 202, 1},
		{"forgejo in gitea's words", "forgejo", hookSecret, gitea("Gitea", push), push, 202, 1},
		{"gitea, a wrong signature", "gitea", hookSecret, gitea("Gitea", push+" "), push, 401, 0},
		{"bitbucket cloud", "bitbucket", hookSecret, bitbucket("repo:push", `{"push":{"changes":[{"new":{"type":"branch","name":"main"}}]}}`), `{"push":{"changes":[{"new":{"type":"branch","name":"main"}}]}}`, 202, 1},
		{"bitbucket cloud, a branch deleted", "bitbucket", hookSecret, bitbucket("repo:push", `{"push":{"changes":[{"new":null,"old":{"type":"branch","name":"main"}}]}}`), `{"push":{"changes":[{"new":null,"old":{"type":"branch","name":"main"}}]}}`, 202, 1},
		{"bitbucket cloud, a tag", "bitbucket", hookSecret, bitbucket("repo:push", `{"push":{"changes":[{"new":{"type":"tag","name":"main"}}]}}`), `{"push":{"changes":[{"new":{"type":"tag","name":"main"}}]}}`, 200, 0},
		{"bitbucket data center", "bitbucket", hookSecret, bitbucket("repo:refs_changed", `{"changes":[{"ref":{"id":"refs/heads/main"},"refId":"refs/heads/main"}]}`), `{"changes":[{"ref":{"id":"refs/heads/main"},"refId":"refs/heads/main"}]}`, 202, 1},
		{"bitbucket data center, another branch", "bitbucket", hookSecret, bitbucket("repo:refs_changed", `{"changes":[{"refId":"refs/heads/x"}]}`), `{"changes":[{"refId":"refs/heads/x"}]}`, 200, 0},
		{"bitbucket, its test", "bitbucket", hookSecret, bitbucket("diagnostics:ping", `{"test":true}`), `{"test":true}`, 200, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var looks atomic.Int32
			h := webhook(t, gitsource.Hook{Path: "/hooks/fleet", Provider: tt.provider, Secret: secret(tt.secret), Branch: "main", Look: func() { looks.Add(1) }})
			r := deliver(h, "/hooks/fleet", tt.header, tt.body)
			if r.Code != tt.status || int(looks.Load()) != tt.looks {
				t.Errorf("the answer is %d %q after %d looks, want %d after %d", r.Code, r.Body, looks.Load(), tt.status, tt.looks)
			}
			if strings.Contains(r.Body.String(), tt.secret) && tt.secret != "" {
				t.Errorf("the answer holds the secret: %q", r.Body)
			}
		})
	}
}

func webhook(t testing.TB, hooks ...gitsource.Hook) http.Handler {
	t.Helper()
	h, err := gitsource.NewWebhook(hooks)
	if err != nil {
		t.Fatalf("NewWebhook: %v", err)
	}
	return h
}

func deliver(h http.Handler, path string, header http.Header, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestADeliveryIsHeededOnce(t *testing.T) {
	t.Parallel()
	const push = `{"ref":"refs/heads/main"}`
	var looks atomic.Int32
	h := webhook(t, gitsource.Hook{Path: "/h", Provider: "github", Secret: secret(hookSecret), Branch: "main", Look: func() { looks.Add(1) }})
	for i, want := range []int{202, 200, 200} {
		if r := deliver(h, "/h", github(push, "X-GitHub-Delivery", "one"), push); r.Code != want {
			t.Errorf("delivery %d is answered %d, want %d", i, r.Code, want)
		}
	}
	if r := deliver(h, "/h", github(push, "X-GitHub-Delivery", "two"), push); r.Code != 202 || looks.Load() != 2 {
		t.Errorf("another delivery is answered %d after %d looks", r.Code, looks.Load())
	}
}

func TestDeliveriesAreLimited(t *testing.T) {
	t.Parallel()
	const push = `{"ref":"refs/heads/main"}`
	var looks atomic.Int32
	h := webhook(t, gitsource.Hook{Path: "/h", Provider: "github", Secret: secret(hookSecret), Branch: "main", Look: func() { looks.Add(1) }})
	answers := map[int]int{}
	for i := range 100 {
		r := deliver(h, "/h", github(push, "X-GitHub-Delivery", strconv.Itoa(i)), push)
		answers[r.Code]++
		if r.Code == 429 && r.Header().Get("Retry-After") == "" {
			t.Fatal("429 does not say when to come back")
		}
	}
	if n := looks.Load(); n < 10 || n > 20 || answers[429] != 100-int(n) {
		t.Errorf("100 deliveries at once made %d looks and the answers %v", n, answers)
	}
}

func TestHooksMayShareAPath(t *testing.T) {
	t.Parallel()
	const push = `{"ref":"refs/heads/stage"}`
	var main, stage, stranger atomic.Int32
	h := webhook(t,
		gitsource.Hook{Path: "/h", Provider: "github", Secret: secret(hookSecret), Branch: "main", Look: func() { main.Add(1) }},
		gitsource.Hook{Path: "/h", Provider: "github", Secret: secret(hookSecret), Branch: "stage", Look: func() { stage.Add(1) }},
		gitsource.Hook{Path: "/h", Provider: "github", Secret: secret("another"), Branch: "stage", Look: func() { stranger.Add(1) }})
	if r := deliver(h, "/h", github(push), push); r.Code != 202 || main.Load() != 0 || stage.Load() != 1 || stranger.Load() != 0 {
		t.Errorf("the answer is %d after %d, %d and %d looks", r.Code, main.Load(), stage.Load(), stranger.Load())
	}
}

func TestWhatIsNoDeliveryIsRefused(t *testing.T) {
	t.Parallel()
	h := webhook(t, gitsource.Hook{Path: "/h", Provider: "github", Secret: func() (string, error) { return hookSecret, nil }, Look: func() { t.Error("a look") }})
	if r := deliver(h, "/other", nil, ""); r.Code != 404 {
		t.Errorf("another path is answered %d", r.Code)
	}
	get := httptest.NewRecorder()
	h.ServeHTTP(get, httptest.NewRequest(http.MethodGet, "/h", nil))
	if get.Code != 405 || get.Header().Get("Allow") != "POST" {
		t.Errorf("GET is answered %d, allowing %q", get.Code, get.Header().Get("Allow"))
	}
	large := strings.Repeat(" ", gitsource.MaxHookBytes+1)
	if r := deliver(h, "/h", github(large), large); r.Code != 413 {
		t.Errorf("a large body is answered %d", r.Code)
	}
	cut := httptest.NewRecorder()
	h.ServeHTTP(cut, httptest.NewRequest(http.MethodPost, "/h", io.MultiReader(strings.NewReader("{"), failing{})))
	if cut.Code != 400 {
		t.Errorf("a body that breaks off is answered %d", cut.Code)
	}
	closed := webhook(t, gitsource.Hook{Path: "/h", Provider: "github", Secret: func() (string, error) { return "", errors.New("open /run/s3cret: no") }, Look: func() {}})
	if r := deliver(closed, "/h", github("{}"), "{}"); r.Code != 503 || strings.Contains(r.Body.String(), "s3cret") {
		t.Errorf("a secret that cannot be read is answered %d %q", r.Code, r.Body)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("reset") }

func TestAHookThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	look := func() {}
	for _, tt := range []struct {
		hook gitsource.Hook
		says string
	}{
		{gitsource.Hook{Path: "/h", Provider: "svn", Secret: secret("x"), Look: look}, `"svn" is no provider: want github`},
		{gitsource.Hook{Path: "h", Provider: "github", Secret: secret("x"), Look: look}, "must begin with a slash"},
		{gitsource.Hook{Path: "/h", Provider: "github", Look: look}, "needs a secret"},
	} {
		if _, err := gitsource.NewWebhook([]gitsource.Hook{tt.hook}); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("NewWebhook(%+v): %v, want it to say %q", tt.hook, err, tt.says)
		}
	}
}

func FuzzWebhook(f *testing.F) {
	for _, body := range []string{
		`{"ref":"refs/heads/main"}`, `{"push":{"changes":[{"new":null}]}}`, `{"changes":[{"refId":"x"},{}]}`,
		`{"changes":[{"ref":7}]}`, `null`, `[]`, `"x"`, `{"ref":null,"ref_type":"branch"}`, "payload=%7B%7D", "\xff",
	} {
		for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", ";;"} {
			f.Add([]byte(body), kind)
		}
	}
	providers := map[string]func(body string) http.Header{
		"github": func(b string) http.Header { return github(b) },
		"gitlab": func(string) http.Header {
			return headers("X-Gitlab-Event", "System Hook", "X-Gitlab-Token", hookSecret)
		},
		"gitea": func(b string) http.Header { return headers("X-Gitea-Event", "push", "X-Gitea-Signature", hexCode(b)) },
		"bitbucket": func(b string) http.Header {
			return headers("X-Event-Key", "repo:push", "X-Hub-Signature", "sha256="+hexCode(b))
		},
	}
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		for provider, head := range providers {
			looks := 0
			h := webhook(t, gitsource.Hook{Path: "/h", Provider: provider, Secret: secret(hookSecret), Branch: "main", Look: func() { looks++ }})
			header := head(string(body))
			header["Content-Type"] = []string{kind}
			r := deliver(h, "/h", header, string(body))
			if (r.Code == 202) != (looks == 1) || r.Code != 202 && r.Code != 200 && r.Code != 400 && r.Code != 413 {
				t.Errorf("%s answers %d after %d looks", provider, r.Code, looks)
			}
			if bytes.Contains(r.Body.Bytes(), []byte(hookSecret)) {
				t.Errorf("%s shows the secret", provider)
			}
			// Nothing that is not signed has an effect.
			unsigned := headers("X-GitHub-Event", "push", "X-Gitlab-Event", "Push Hook", "X-Gitea-Event", "push", "X-Event-Key", "repo:push")
			if r := deliver(h, "/h", unsigned, string(body)); r.Code != 401 && r.Code != 413 {
				t.Errorf("%s answers %d to what is not signed", provider, r.Code)
			}
		}
	})
}

func ExampleNewWebhook() {
	h, err := gitsource.NewWebhook([]gitsource.Hook{{
		Path: "/hooks/fleet", Provider: "github", Branch: "main",
		Secret: func() (string, error) { return "shared with the forge", nil },
		Look:   func() { fmt.Println("looking") }, // in earnest a Source's Look
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	body := `{"ref":"refs/heads/main"}`
	r := httptest.NewRequest(http.MethodPost, "/hooks/fleet", strings.NewReader(body))
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(code("shared with the forge", body)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// looking
	// 202
}
