// Package gittest makes Git repositories for tests, with the git that is
// installed and none of the user's settings.
package gittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repo is a bare repository, Bare, and a work tree, Work, that pushes to its
// branch main.
type Repo struct{ Bare, Work string }

// New makes an empty one in a directory of the test.
func New(t testing.TB) *Repo {
	t.Helper()
	dir := t.TempDir()
	r := &Repo{filepath.Join(dir, "fleet.git"), filepath.Join(dir, "work")}
	r.Git(t, dir, "init", "--quiet", "--bare", "--initial-branch=main", r.Bare)
	r.Git(t, dir, "init", "--quiet", "--initial-branch=main", r.Work)
	r.Git(t, r.Work, "remote", "add", "origin", r.Bare)
	return r
}

// Git runs a command in a directory and returns what it printed.
func (r *Repo) Git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "git", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Push makes a commit of exactly these files, pushes it and returns its hash.
func (r *Repo) Push(t testing.TB, files map[string]string) string {
	t.Helper()
	r.Commit(t, files)
	r.Git(t, r.Work, "push", "--quiet", "origin", "HEAD:main")
	return r.Git(t, r.Work, "rev-parse", "HEAD")
}

// Commit makes a commit of exactly these files, by their paths.
func (r *Repo) Commit(t testing.TB, files map[string]string) {
	t.Helper()
	r.Git(t, r.Work, "rm", "-rqf", "--ignore-unmatch", ".")
	for name, text := range files {
		path := filepath.Join(r.Work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.Git(t, r.Work, "add", "-A")
	r.Git(t, r.Work, "commit", "--quiet", "--allow-empty", "-m", "change")
}
