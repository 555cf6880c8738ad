package kubeapi

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// queueLimit is how many events a watch may be behind before it is ended; its
// client resumes it.
const queueLimit = 1 << 18

// tell passes a change on to the watches of its kind. It is called with the store
// locked, and does no more than append pointers.
func (t *table) tell(c Change) {
	if len(t.watches) == 0 {
		return
	}
	told := c // so that what nobody watches stays on the stack
	for _, w := range t.watches {
		w.send(item{change: &told})
	}
}

// Watched reports whether a watch on the kind is open.
func (s *Store) Watched(gk schema.GroupKind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables.find(gk)
	return t != nil && len(t.watches) > 0
}

// Bookmark tells every open watch that asked for bookmarks the present version,
// after all its events, and returns that version: a client that has come to it
// has seen all that was written. A watch that is opened later starts with a
// bookmark at least as new.
func (s *Store) Bookmark() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.order {
		for _, w := range t.watches {
			w.bookmark(s.version)
		}
	}
	return s.version
}

// item is one thing to send: a change, an object that was there at the start,
// or else a bookmark.
type item struct {
	change  *Change
	initial *unstructured.Unstructured
	version uint64 // of a bookmark
	ended   bool   // the bookmark after the initial objects
}

// A watch is one open watch request.
type watch struct {
	scope     scope
	form      form
	bookmarks bool
	headed    bool // has sent the headers of its table; only the goroutine that streams looks at it

	mu       sync.Mutex // guards what follows; taken with the store locked, never the other way round
	queue    []item
	overrun  bool
	wake     chan struct{} // has room for one: something is in the queue
	recycled []item
}

func (w *watch) send(items ...item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.overrun = w.overrun || len(w.queue) > queueLimit; w.overrun {
		w.queue = nil
	} else {
		w.queue = append(w.queue, items...)
	}
	select {
	case w.wake <- struct{}{}:
	default: // it has been told already
	}
}

func (w *watch) bookmark(version uint64) {
	if w.bookmarks {
		w.send(item{version: version})
	}
}

// receive waits for items; it returns none when the watch has to end. They are
// good until the next call.
func (w *watch) receive(ctx context.Context) []item {
	for {
		w.mu.Lock()
		items := w.queue
		if w.overrun {
			w.mu.Unlock()
			return nil
		}
		if len(items) > 0 {
			clear(w.recycled)
			w.queue, w.recycled = w.recycled[:0], items
			w.mu.Unlock()
			return items
		}
		w.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// startAt is where a watch begins.
type startAt struct {
	version uint64 // 0: with what is there
	initial bool   // sendInitialEvents
}

// open starts a watch on a kind. The caller closes it.
func (s *Store) open(t *table, w *watch, at startAt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.wake = make(chan struct{}, 1)
	switch {
	case at.version > s.version:
		return versionTooLarge(at.version, s.version)
	case at.version == 0 || at.initial:
		for _, one := range s.scan(t, w.scope) {
			w.send(item{initial: one.shown()})
		}
		if w.bookmarks {
			w.send(item{version: s.version, ended: at.initial})
		}
	default:
		missed, err := s.history.since(t, at.version)
		if err != nil {
			return err
		}
		w.send(missed...)
		if at.version < s.version {
			w.bookmark(s.version)
		}
	}
	t.watches = append(t.watches, w)
	return nil
}

func (s *Store) close(t *table, w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.watches = slices.DeleteFunc(t.watches, func(other *watch) bool { return other == w })
}

func versionTooLarge(asked, current uint64) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", asked, current), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version",
	}}
	return err
}

// The types of the events of a watch.
const (
	added     = "ADDED"
	modified  = "MODIFIED"
	deleted   = "DELETED"
	bookmark  = "BOOKMARK"
	erroneous = "ERROR"
)

// frame appends an item as a line of the watch; nothing for a change that the
// watch does not cover.
func (s *Store) frame(buf []byte, t *table, w *watch, i item) []byte {
	what, u := w.shown(t, i)
	if u == nil {
		return buf
	}
	buf = beginEvent(buf, what)
	whole := w.form.as == "" && (what == modified || what == deleted)
	if i.change != nil && !whole {
		u = atVersion(u, i.change.Version)
	}
	switch {
	case whole:
		buf = s.encodeVersion(buf, u, w.form.version, i.change.Version, what == deleted)
	case w.form.as == asTable: // only the first has the headers
		headed := !w.headed
		w.headed = true
		buf = appendJSON(buf, s.tableOfOne(t, u, w.form, headed))
	default:
		buf = s.encode(buf, t, u, w.form)
	}
	return endEvent(buf)
}

// shown is the type of the event that a watch shows for an item, and its object: nil
// for a change that the watch does not cover. That of a change is as it is stored.
func (w *watch) shown(t *table, i item) (string, *unstructured.Unstructured) {
	switch {
	case i.initial != nil:
		return added, i.initial
	case i.change == nil:
		return bookmark, bookmarkObject(t, w.form.version, i)
	}
	before := i.change.Before != nil && w.scope.has(i.change.Before)
	after := i.change.After != nil && w.scope.has(i.change.After)
	switch {
	case after && before:
		return modified, i.change.After
	case after:
		return added, i.change.After
	case before:
		return deleted, i.change.Before
	}
	return "", nil
}

func beginEvent(buf []byte, what string) []byte {
	return append(append(append(buf, `{"type":"`...), what...), `","object":`...)
}

func endEvent(buf []byte) []byte { return append(buf, "}\n"...) }
