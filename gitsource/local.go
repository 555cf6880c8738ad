package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// reread is how often a watched repository is read without a hint, for the file
// systems that give none and for hints that were lost.
const reread = 30 * time.Second

// revisionOf is a commit and the repository that holds it.
type revisionOf struct {
	repo *repository
	hash plumbing.Hash
	// branch is the branch's short name, also when it was found by HEAD.
	branch string
}

// local is a repository on this machine, read in place and never written.
type local struct {
	shown, path, branch string
	watch               *watch
	repo                *repository
	identity            os.FileInfo // of the directory that repo was opened at
}

func newLocal(c Config, at address, hint func()) (*local, error) {
	path, err := filepath.Abs(at.path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", at.shown, err)
	}
	return &local{shown: at.shown, path: path, branch: c.Branch, watch: newWatch(hint)}, nil
}

func (l *local) close() error                   { return l.watch.close() }
func (l *local) served(revisionOf) error        { return nil }
func (l *local) resume() (revisionOf, bool)     { return revisionOf{}, false }
func (l *local) damaged(revisionOf, error) bool { return false }

// pause is short after a failure: asking again costs next to nothing here.
func (l *local) pause(failures int) time.Duration {
	switch {
	case failures > 0:
		return min(time.Second<<min(failures-1, 8), 5*time.Second)
	case !l.watch.works():
		return 2 * time.Second
	}
	return reread
}

// latest reads the branch after having made sure that what changes it later is
// seen.
func (l *local) latest(context.Context) (revisionOf, error) {
	dir, err := l.open()
	if err != nil {
		return revisionOf{}, err
	}
	if err := l.watch.follow(dir, l.reference()); err != nil {
		return revisionOf{}, fmt.Errorf("watching %s: %w", l.shown, err)
	}
	name := l.reference()
	hash, err := l.repo.tip(name)
	switch {
	case errors.Is(err, plumbing.ErrReferenceNotFound):
		return revisionOf{}, l.repo.withoutBranch(name)
	case err != nil:
		return revisionOf{}, fmt.Errorf("reading %s of %s: %w", name, l.shown, err)
	}
	return revisionOf{repo: l.repo, hash: hash, branch: name.Short()}, nil
}

// open opens the repository, again when another one is in its place, and says
// where it is.
func (l *local) open() (dir string, err error) {
	dir, err = gitDir(l.path)
	if err != nil {
		return "", err
	}
	if dir == "" {
		l.repo = nil
		if _, err := os.Stat(l.path); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s does not exist: make it with git init --bare, or give another URL", l.shown)
		}
		return "", fmt.Errorf("%s is no Git repository: want a bare one or the top of a work tree", l.shown)
	}
	now, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("opening %s: %w", l.shown, err)
	}
	if l.repo != nil && os.SameFile(now, l.identity) {
		return dir, nil
	}
	repo, err := openRepository(l.shown, dir)
	if err != nil {
		return "", err
	}
	l.repo, l.identity = repo, now
	return dir, nil
}

// reference is the full name of the followed branch; HEAD stands for itself when
// it names no branch.
func (l *local) reference() plumbing.ReferenceName {
	if l.branch != "" {
		return plumbing.NewBranchReferenceName(l.branch)
	}
	l.repo.mu.Lock()
	defer l.repo.mu.Unlock()
	head, err := l.repo.store.Reference(plumbing.HEAD)
	if err != nil || head.Type() != plumbing.SymbolicReference {
		return plumbing.HEAD
	}
	return head.Target()
}

// branchDirs are the directories in which a change of a reference shows, the
// repository's own first.
func branchDirs(dir string, ref plumbing.ReferenceName) []string {
	dirs := []string{dir}
	if common, err := commonDir(dir); err == nil && common != dir {
		dirs = append(dirs, common)
		dir = common
	}
	at := dir
	parts := strings.Split(string(ref), "/")
	for _, part := range parts[:len(parts)-1] {
		at = filepath.Join(at, part)
		dirs = append(dirs, at)
	}
	return dirs
}
