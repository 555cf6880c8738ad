package gitsource_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
)

// gitIn runs the git binary, which knows nothing of the machine's configuration.
func gitIn(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = gitEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func gitEnv() []string {
	return append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") }),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@lab.example", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@lab.example")
}

// team is a bare repository and the clone that pushes to it.
type team struct {
	t           testing.TB
	bare, clone string
}

func newTeam(t testing.TB) team {
	t.Helper()
	dir := t.TempDir()
	w := team{t: t, bare: filepath.Join(dir, "fleet.git"), clone: filepath.Join(dir, "clone")}
	gitIn(t, dir, "init", "--quiet", "--bare", "--initial-branch=main", w.bare)
	gitIn(t, dir, "init", "--quiet", "--initial-branch=main", w.clone)
	gitIn(t, w.clone, "remote", "add", "origin", w.bare)
	return w
}

// commit commits files in the clone and returns the hash.
func (w team) commit(files map[string]string, args ...string) string {
	w.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		write(w.t, filepath.Join(w.clone, name), files[name])
	}
	gitIn(w.t, w.clone, "add", "-A")
	gitIn(w.t, w.clone, append([]string{"commit", "--quiet", "--allow-empty", "-m", "change"}, args...)...)
	return gitIn(w.t, w.clone, "rev-parse", "HEAD")
}

func (w team) push(args ...string) {
	w.t.Helper()
	if len(args) == 0 {
		args = []string{"origin", "HEAD:refs/heads/main"}
	}
	gitIn(w.t, w.clone, append([]string{"push", "--quiet"}, args...)...)
}

// pushed commits and pushes one manifest with a number in it.
func (w team) pushed(replicas int) string {
	w.t.Helper()
	h := w.commit(map[string]string{"clusters/prod.yaml": "replicas: " + strconv.Itoa(replicas) + "\n"})
	w.push()
	return h
}

func follow(t testing.TB, c gitsource.Config) *gitsource.Source {
	t.Helper()
	if c.Name == "" {
		c.Name = "fleet"
	}
	s, err := gitsource.Follow(t.Context(), c)
	if err != nil {
		t.Fatalf("Follow: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// until waits for a state, by the source's own signal.
func until(t testing.TB, s *gitsource.Source, what string, done func(gitsource.State) bool) gitsource.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		if state := s.Latest(); done(state) {
			return state
		}
		select {
		case <-s.Changed():
		case <-ctx.Done():
			t.Fatalf("waiting for %s: the state is %+v", what, s.Latest())
		}
	}
}

func untilServes(t testing.TB, s *gitsource.Source, hash string) gitsource.State {
	t.Helper()
	return until(t, s, "commit "+hash, func(st gitsource.State) bool { return st.Commit.Hash == hash && st.Err == nil })
}

// untilSays waits for an error that says all of words.
func untilSays(t testing.TB, s *gitsource.Source, words ...string) gitsource.State {
	t.Helper()
	return until(t, s, strings.Join(words, ", "), func(st gitsource.State) bool {
		return st.Err != nil && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(st.Err.Error(), w) })
	})
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
