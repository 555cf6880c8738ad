package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/simulate"
)

// gitTrouble is a fault between the daemon and a repository, or in what is pushed.
type gitTrouble struct {
	over func(*testing.T, *gittest.Repo) remote
	// allowRewrite is the source's.
	allowRewrite bool
	// begin makes the fault, of which the status says so much. Without words there
	// is none, and begin returns the revision that is followed.
	begin func(*testing.T, *gittest.Repo, remote) (revision string)
	says  string
	// end takes the fault away, and returns the revision to be followed; nil only
	// ends what begin did to the remote.
	end func(*testing.T, *gittest.Repo, remote) (revision string)
}

// remote is a repository that is served to the daemon.
type remote interface {
	url() string
	auth() string // YAML of the source
}

// Whatever happens to a repository, the last good revision is kept up, and the
// newest one is followed once it can be had.
func TestTroubleWithGitPasses(t *testing.T) {
	t.Parallel()
	_, second := twoPushes()
	push := func(t *testing.T, r *gittest.Repo, _ remote) string { return r.Push(t, second) }
	rewrite := func(t *testing.T, r *gittest.Repo, _ remote) string {
		r.Git(t, r.Work, "checkout", "--quiet", "--orphan", "rewritten")
		r.Commit(t, second)
		r.Git(t, r.Work, "push", "--quiet", "--force", "origin", "HEAD:main")
		return r.Git(t, r.Work, "rev-parse", "HEAD")
	}
	tests := map[string]func(*testing.T){}
	for name, x := range map[string]gitTrouble{
		"it cannot be reached": {
			over: overTLS,
			begin: func(t *testing.T, r *gittest.Repo, at remote) string {
				at.(*forge).stop(t)
				return push(t, r, at)
			},
			says: "it cannot be reached: dial tcp",
			end:  func(t *testing.T, _ *gittest.Repo, at remote) string { at.(*forge).start(t); return "" },
		},
		"a pack is cut short": {
			over: overTLS,
			begin: func(t *testing.T, r *gittest.Repo, at remote) string {
				at.(*forge).cutsPacks.Store(true)
				return push(t, r, at)
			},
			says: "the connection ended before all were there",
			end:  func(_ *testing.T, _ *gittest.Repo, at remote) string { at.(*forge).cutsPacks.Store(false); return "" },
		},
		"its branch is rewritten": {
			over: overTLS, begin: rewrite, says: "main was rewritten",
			end: func(t *testing.T, r *gittest.Repo, _ remote) string {
				r.Git(t, r.Work, "checkout", "--quiet", "-f", "main")
				r.Commit(t, second)
				r.Git(t, r.Work, "push", "--quiet", "--force", "origin", "HEAD:main")
				return r.Git(t, r.Work, "rev-parse", "HEAD")
			},
		},
		"its branch is rewritten, which is allowed": {over: overTLS, allowRewrite: true, begin: rewrite},
		"its branch is deleted": {
			over: overTLS,
			begin: func(t *testing.T, r *gittest.Repo, _ remote) string {
				r.Git(t, r.Work, "push", "--quiet", "origin", "HEAD:spare")
				r.Git(t, r.Bare, "update-ref", "-d", "refs/heads/main")
				return ""
			},
			says: "has no branch main", end: push,
		},
		"its host key is another": {
			over: overSSH,
			begin: func(t *testing.T, r *gittest.Repo, at remote) string {
				at.(*sshForge).shows(t, at.(*sshForge).other)
				return push(t, r, at)
			},
			says: "somebody may be in between",
			end: func(t *testing.T, _ *gittest.Repo, at remote) string {
				at.(*sshForge).shows(t, at.(*sshForge).own)
				return ""
			},
		},
	} {
		tests[name] = x.endure
	}
	atOnce(t, tests)
}

func (x gitTrouble) endure(t *testing.T) {
	s := newScene(t, simulate.ServeOptions{})
	first, _ := twoPushes()
	served := s.repo.Push(t, first)
	at := x.over(t, s.repo)
	more := fmt.Sprintf("  poll: 1s\n  branch: main\n  allowRewrite: %t\n  auth: %s\n", x.allowRewrite, at.auth())
	s.daemon = s.startDaemon(t, "--config="+s.loginConfig(t, at.url(), more), "--mirror="+filepath.Join(t.TempDir(), "mirrors"))
	s.daemon.synced(t, served)

	began := time.Now()
	revision := x.begin(t, s.repo, at)
	if x.says != "" {
		s.keepsUp(t, x.says, served)
		t.Logf("it took %s to say so", time.Since(began).Round(100*time.Millisecond))
		if next := x.end(t, s.repo, at); next != "" {
			revision = next
		}
		began = time.Now()
	}
	s.daemon.synced(t, revision)
	t.Logf("it took %s until the push was carried out", time.Since(began).Round(100*time.Millisecond))
	if log := s.daemon.text(); x.says != "" && (!strings.Contains(log, "; the last good one stays") ||
		!strings.Contains(log, "the repository can be followed again")) {
		t.Error("the log does not tell of it")
	}
	s.unharmed(t)
	if n := len(s.clusters(t)); n != 2 {
		t.Errorf("there are %d clusters", n)
	}
}

// keepsUp waits until the status tells of a fault of Git; what was served before
// stays so.
func (s *scene) keepsUp(t *testing.T, says, served string) {
	t.Helper()
	var status reconcile.Status
	eventually(t, "the status says "+says, func() bool {
		status = s.daemon.status(t)
		return len(status.Sources) == 1 && strings.Contains(status.Sources[0].Error, says)
	})
	source := status.Sources[0]
	t.Logf("since %s: %s; next look in %s", since(source.Since), source.Error, time.Until(source.NextCheck).Round(100*time.Millisecond))
	if !strings.Contains(source.Error, "source default") || source.Since.IsZero() || source.NextCheck.Before(source.CheckedAt) || source.Revision != served {
		t.Errorf("it says %+v", source)
	}
	s.daemon.synced(t, served)
	if text := s.daemon.ready(t); text != "200 ready" {
		t.Errorf("it is %s", text)
	}
}
