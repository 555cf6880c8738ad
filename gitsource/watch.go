package gitsource

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-git/go-git/v5/plumbing"
)

// A push makes several changes in a row: settle is the calm to wait for, and
// atMost how long at most.
const (
	settle = 10 * time.Millisecond
	atMost = 200 * time.Millisecond
)

// watch hints at changes of a repository's references. It watches directories,
// since Git puts a new file in the place of a reference for every change.
type watch struct {
	events *fsnotify.Watcher // nil when the system gives none
	done   sync.WaitGroup
}

// newWatch calls hint after changes. Without any watch to be had the repository
// is read more often instead.
func newWatch(hint func()) *watch {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return &watch{}
	}
	w := &watch{events: events}
	w.done.Go(func() { w.run(hint) })
	return w
}

func (w *watch) works() bool { return w.events != nil }

func (w *watch) close() error {
	if w.events == nil {
		return nil
	}
	err := w.events.Close()
	w.done.Wait()
	return err
}

// follow watches the directories above a reference that exist. One that is made
// later shows in the one above it, and the look that follows comes here again
// before it reads: so nothing is lost in between.
func (w *watch) follow(dir string, ref plumbing.ReferenceName) error {
	if w.events == nil {
		return nil
	}
	for _, d := range branchDirs(dir, ref) {
		if err := w.events.Add(d); err != nil {
			if errors.Is(err, fs.ErrNotExist) || notDirectory(err) {
				continue
			}
			return err
		}
	}
	return nil
}

// run gathers the events of one push into one hint.
func (w *watch) run(hint func()) {
	var calm, latest <-chan time.Time
	for {
		select {
		case e, ok := <-w.events.Events:
			if !ok {
				return
			}
			if !telling(e) {
				continue
			}
			calm = time.After(settle)
			if latest == nil {
				latest = time.After(atMost)
			}
		case _, ok := <-w.events.Errors: // events were lost
			if !ok {
				return
			}
			hint()
		case <-calm:
			calm, latest = nil, nil
			hint()
		case <-latest:
			calm, latest = nil, nil
			hint()
		}
	}
}

// telling says whether an event can mean a changed reference. Git writes to
// NAME.lock and renames it; its own directory holds much besides references.
func telling(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	if e.Op == fsnotify.Chmod || strings.HasSuffix(name, ".lock") {
		return false
	}
	if strings.Contains(filepath.ToSlash(e.Name), "/refs/") {
		return true
	}
	switch name {
	case "HEAD", "packed-refs", "refs":
		return true
	}
	// The directory itself went away.
	return e.Has(fsnotify.Remove|fsnotify.Rename) && filepath.Ext(name) == ".git"
}
