package gitsource_test

import (
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
)

func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// overHTTPS is a team's repository on a forge, and what it takes to follow it. The
// poll is too far away to help: tests ask by Look.
func overHTTPS(t testing.TB) (team, *forge, gitsource.Config) {
	t.Helper()
	w := newTeam(t)
	f := newForge(t, filepath.Dir(w.bare))
	return w, f, gitsource.Config{URL: f.URL + "/fleet.git", Dir: t.TempDir(), Poll: time.Hour, Auth: gitsource.Auth{CAFile: f.ca}}
}

func secret(text string) func() (string, error) { return func() (string, error) { return text, nil } }

func TestARemoteIsFollowedOverHTTPS(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	s := follow(t, c)
	untilServes(t, s, first)
	second := w.pushed(4)
	s.Look()
	got := untilServes(t, s, second)
	if text := read(t, got.Tree.FS, "clusters/prod.yaml"); text != "replicas: 4\n" {
		t.Errorf("the second revision has %q", text)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "mirror.git", "index")); err == nil {
		t.Error("the mirror has a work tree's index")
	}
	// The mirror is one that Git understands.
	gitIn(t, filepath.Join(c.Dir, "mirror.git"), "fsck", "--strict", "--full")
}

func TestARemoteIsFollowedOverSSH(t *testing.T) {
	t.Parallel()
	w, f := newTeam(t), newSSHForge(t)
	first := w.pushed(3)
	s := follow(t, gitsource.Config{URL: f.url(w.bare), Dir: t.TempDir(), Poll: time.Hour,
		Auth: gitsource.Auth{SSHKeyFile: f.keyFile, KnownHostsFile: f.knownHosts}})
	untilServes(t, s, first)
	second := w.pushed(4)
	s.Look()
	untilServes(t, s, second)
}

func TestPollingAloneFindsAPush(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	c.Poll = 20 * time.Millisecond
	s := follow(t, c)
	untilServes(t, s, first)
	untilServes(t, s, w.pushed(4))
}

func TestWhatARemoteRefusesIsSaid(t *testing.T) {
	t.Parallel()
	const canary = "c4nary-secret"
	encoded := base64.StdEncoding.EncodeToString([]byte("robot:" + canary))
	for _, tt := range []struct {
		name   string
		auth   gitsource.Auth
		answer func(http.ResponseWriter, *http.Request)
		says   []string
	}{
		{"401 without credentials", gitsource.Auth{}, status(401), []string{"asks for credentials (401)", "password or a token"}},
		{"401 with a password", gitsource.Auth{Username: "robot", Password: secret(canary)}, status(401), []string{"refuses the credentials (401)"}},
		{"401 that repeats the request", gitsource.Auth{Username: "robot", Token: secret(canary)}, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			_ = r.Header.Write(w)
			_, _ = io.WriteString(w, canary)
		}, []string{"refuses the credentials (401)"}},
		{"a protocol error that repeats the request", gitsource.Auth{Bearer: secret(canary)}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			line := "ERR " + r.Header.Get("Authorization")
			_, _ = io.WriteString(w, pkt(line))
		}, []string{"the server says: Bearer (hidden)"}},
		{"a content type that repeats the request", gitsource.Auth{Username: "robot", Password: secret(canary)}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", r.Header.Get("Authorization"))
		}, []string{`the server answers with "Basic (hidden)"`}},
		{"403", gitsource.Auth{}, status(403), []string{"does not let this account read", "(403)"}},
		{"404", gitsource.Auth{}, status(404), []string{"knows no such repository", "(404)"}},
		{"429", gitsource.Auth{}, status(429), []string{"the server is busy (429)"}},
		{"500", gitsource.Auth{}, status(500), []string{"the server answers 500 Internal Server Error"}},
		{"a web page", gitsource.Auth{}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, []string{"as for a web page", "git clone"}},
		{"an empty repository", gitsource.Auth{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			_, _ = io.WriteString(w, pkt("# service=git-upload-pack\n")+"0000"+"0000")
		}, []string{"has no commits yet"}},
		{"a repository with other hashes", gitsource.Auth{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			_, _ = io.WriteString(w, pkt("# service=git-upload-pack\n")+"0000"+
				pkt(strings.Repeat("a", 64)+" HEAD\x00object-format=sha256\n")+"0000")
		}, []string{"SHA-256 repository"}},
		{"a reset", gitsource.Auth{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, []string{"cannot be reached"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, f, c := overHTTPS(t)
			w.pushed(3)
			tt.auth.CAFile = c.Auth.CAFile
			c.Auth = tt.auth
			f.intercept(func(w http.ResponseWriter, r *http.Request) bool { tt.answer(w, r); return true })
			s := follow(t, c)
			got := untilSays(t, s, append([]string{"source fleet: https://127.0.0.1"}, tt.says...)...)
			for _, leak := range []string{canary, encoded} {
				if strings.Contains(got.Err.Error(), leak) {
					t.Errorf("the error holds a secret: %v", got.Err)
				}
			}
			if got.Tree != nil {
				t.Error("a tree is served")
			}
		})
	}
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func pkt(line string) string {
	return strings.ToLower(hex4(len(line)+4)) + line
}

func hex4(n int) string {
	h := strconv.FormatInt(int64(n), 16)
	return strings.Repeat("0", 4-len(h)) + h
}

func TestCredentialsAreSentAsTheForgeWantsThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		auth gitsource.Auth
		want string
	}{
		{"a password", gitsource.Auth{Username: "ada", Password: secret("pass\n")}, "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:pass"))},
		{"a token", gitsource.Auth{Token: secret("tok")}, "Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:tok"))},
		{"a token and a name", gitsource.Auth{Username: "x-token-auth", Token: secret("tok")}, "Basic " + base64.StdEncoding.EncodeToString([]byte("x-token-auth:tok"))},
		{"a bearer token", gitsource.Auth{Bearer: secret("tok")}, "Bearer tok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, f, c := overHTTPS(t)
			first := w.pushed(3)
			tt.auth.CAFile = c.Auth.CAFile
			c.Auth = tt.auth
			f.intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") == tt.want {
					return false
				}
				w.WriteHeader(401)
				return true
			})
			untilServes(t, follow(t, c), first)
		})
	}
}

func TestARotatedSecretIsTakenUp(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	first := w.pushed(3)
	var token atomic.Value
	token.Store("old")
	c.Auth.Bearer = func() (string, error) { return token.Load().(string), nil }
	f.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Bearer new" {
			return false
		}
		w.WriteHeader(401)
		return true
	})
	s := follow(t, c)
	untilSays(t, s, "refuses the credentials")
	token.Store("new")
	s.Look()
	untilServes(t, s, first)
}

func TestASecretThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	w.pushed(3)
	c.Auth.Token = func() (string, error) { return "", errors.New("open token: no such file") }
	untilSays(t, follow(t, c), "reading the token: open token: no such file")
}

func TestARedirectToAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	w.pushed(3)
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	c.Auth.Bearer = secret("c4nary")
	f.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.URL+"/moved.git/info/refs?service=git-upload-pack", http.StatusMovedPermanently)
		return true
	})
	untilSays(t, follow(t, c), "redirects to "+other.URL+"/moved.git, which is not followed")
	if n := asked.Load(); n != 0 {
		t.Errorf("the other host was asked %d times", n)
	}
}

func TestARedirectOnTheSameHostIsFollowed(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	first := w.pushed(3)
	c.URL = f.URL + "/old-name.git"
	c.Auth.Bearer = secret("tok")
	f.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/old-name.git/info/refs") {
			http.Redirect(w, r, "/fleet.git/info/refs?"+r.URL.RawQuery, http.StatusMovedPermanently)
			return true
		}
		if r.Header.Get("Authorization") != "Bearer tok" {
			w.WriteHeader(401)
			return true
		}
		return false
	})
	untilServes(t, follow(t, c), first)
}

func TestWhatGoesWrongWhileFetchingMends(t *testing.T) {
	t.Parallel()
	// Each fault is met by a first clone and by a later fetch.
	for _, tt := range []struct {
		name string
		// answer spoils the answer to a POST.
		answer func(http.ResponseWriter, *httptest.ResponseRecorder)
		says   []string
	}{
		{"a reset in the middle", func(w http.ResponseWriter, r *httptest.ResponseRecorder) {
			body := r.Body.Bytes()
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, []string{"receiving its objects"}},
		{"a pack that is cut off", func(w http.ResponseWriter, r *httptest.ResponseRecorder) {
			body := r.Body.Bytes()
			_, _ = w.Write(body[:len(body)-60])
		}, []string{"receiving its objects"}},
		{"a pack with a flipped bit", func(w http.ResponseWriter, r *httptest.ResponseRecorder) {
			body := r.Body.Bytes()
			body[len(body)-30] ^= 4
			_, _ = w.Write(body)
		}, []string{"the pack was cut off or damaged on its way"}},
		{"no pack", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) {
			_, _ = io.WriteString(w, pkt("NAK\n")+pkt("\x01PACKrubbish that is long enough to be one")+"0000")
		}, []string{"the pack was cut off or damaged on its way"}},
		{"an error of the server", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) {
			_, _ = io.WriteString(w, pkt("NAK\n")+pkt("\x03out of \x1b[31mmemory\n"))
		}, []string{"the server says: out of  [31mmemory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, f, c := overHTTPS(t)
			first := w.pushed(3)
			spoil := func(w http.ResponseWriter, r *httptest.ResponseRecorder) {
				for k, v := range r.Header() {
					w.Header()[k] = v
				}
				if r.Header().Get("Content-Type") != "application/x-git-upload-pack-result" {
					_, _ = w.Write(r.Body.Bytes())
					return
				}
				w.Header().Del("Content-Length")
				tt.answer(w, r)
			}
			f.after.Store(&spoil)
			s := follow(t, c)
			if got := untilSays(t, s, tt.says...); got.Tree != nil {
				t.Error("a tree is served of a clone that failed")
			}
			f.normally()
			s.Look()
			untilServes(t, s, first)
			f.after.Store(&spoil)
			second := w.pushed(4)
			s.Look()
			if got := untilSays(t, s, tt.says...); got.Commit.Hash != first {
				t.Errorf("%s is served while the fetch fails", got.Commit.Hash)
			}
			f.normally()
			s.Look()
			untilServes(t, s, second)
			left, err := filepath.Glob(filepath.Join(c.Dir, "*"))
			if err != nil || len(left) != 2 {
				t.Errorf("the directory has %q (%v), want the lock and the mirror", left, err)
			}
		})
	}
}

func TestAServerMayGoAndComeBack(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	first := w.pushed(3)
	c.Poll = 10 * time.Millisecond
	s := follow(t, c)
	untilServes(t, s, first)
	f.intercept(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
	untilSays(t, s, "cannot be reached")
	second := w.pushed(4)
	f.normally()
	untilServes(t, s, second) // by its own retries
}

func TestASilentServerIsGivenUp(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	first := w.pushed(3)
	c.Timeout = time.Second
	release := make(chan struct{})
	var once sync.Once
	t.Cleanup(func() { once.Do(func() { close(release) }) })
	f.intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return false
	})
	s := follow(t, c)
	untilSays(t, s, "cannot be reached", "timeout")
	f.normally()
	once.Do(func() { close(release) })
	s.Look()
	untilServes(t, s, first)
}

func TestARemoteKeepsTheLastGoodRevision(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(team)
		says  string
	}{
		{"when history is rewritten", func(w team) {
			w.commit(map[string]string{"clusters/prod.yaml": "replicas: 9\n"}, "--amend")
			w.push("--force", "origin", "HEAD:refs/heads/main")
		}, "main was rewritten"},
		{"when the branch is deleted", func(w team) {
			w.push("origin", "HEAD:refs/heads/other")
			gitIn(w.t, w.bare, "symbolic-ref", "HEAD", "refs/heads/other")
			w.push("--delete", "origin", "main")
		}, "has no branch main; push it, or follow one of: other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, _, c := overHTTPS(t)
			c.Branch = "main"
			first := w.pushed(3)
			s := follow(t, c)
			untilServes(t, s, first)
			tt.spoil(w)
			s.Look()
			untilSays(t, s, tt.says)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			// And over a restart.
			again := follow(t, c)
			got := untilSays(t, again, tt.says)
			if got.Commit.Hash != first || read(t, got.Tree.FS, "clusters/prod.yaml") != "replicas: 3\n" {
				t.Errorf("after a restart %q is served", got.Commit.Hash)
			}
		})
	}
}

func TestARewrittenRemoteIsFollowedWhenAllowed(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	c.AllowRewrite = true
	s := follow(t, c)
	untilServes(t, s, first)
	amended := w.commit(map[string]string{"clusters/prod.yaml": "replicas: 9\n"}, "--amend")
	w.push("--force", "origin", "HEAD:refs/heads/main")
	s.Look()
	untilServes(t, s, amended)
}
