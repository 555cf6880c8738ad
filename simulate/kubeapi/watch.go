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

// An event is a change that is encoded when the first watch asks for it, at most
// once in each form.
type event struct {
	Change

	mu      sync.Mutex
	encoded map[eventForm][]byte
}

// eventForm is a form of what there was (gone) or of what there is now.
type eventForm struct {
	form
	gone bool
}

// tell passes a change on to the watches of its kind. It is called with the store
// locked, and does no more than append pointers.
func (t *table) tell(c Change) {
	if len(t.watches) == 0 {
		return
	}
	e := &event{Change: c}
	for _, w := range t.watches {
		w.send(item{event: e})
	}
}

// Watched reports whether a watch on the kind is open.
func (s *Store) Watched(gk schema.GroupKind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[gk]
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

// item is one thing to send: an event, an object that was there at the start,
// or else a bookmark.
type item struct {
	event   *event
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
		for _, u := range s.scan(t, w.scope) {
			w.send(item{initial: u})
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

// frame appends an item as a line of the watch; nothing for a change that the
// watch does not cover.
func (s *Store) frame(buf []byte, t *table, w *watch, i item) []byte {
	switch {
	case i.initial != nil:
		return s.frameObject(buf, "ADDED", s.encodeFor(w, t, i.initial))
	case i.event == nil:
		return s.frameObject(buf, "BOOKMARK", s.encodeFor(w, t, bookmarkObject(t, w.form.version, i)))
	}
	before := i.event.Before != nil && w.scope.has(i.event.Before)
	after := i.event.After != nil && w.scope.has(i.event.After)
	switch {
	case after && before:
		return s.frameObject(buf, "MODIFIED", i.event.encode(s, t, w, false))
	case after:
		return s.frameObject(buf, "ADDED", i.event.encode(s, t, w, false))
	case before:
		return s.frameObject(buf, "DELETED", i.event.encode(s, t, w, true))
	}
	return buf
}

func (s *Store) frameObject(buf []byte, kind string, object []byte) []byte {
	buf = append(buf, `{"type":"`...)
	buf = append(buf, kind...)
	buf = append(buf, `","object":`...)
	buf = append(buf, object...)
	return append(buf, '}', '\n')
}

// encodeFor encodes an object for one watch. Of its tables only the first has
// the headers.
func (s *Store) encodeFor(w *watch, t *table, u *unstructured.Unstructured) []byte {
	if w.form.as != asTable {
		return s.encode(nil, t, u, w.form)
	}
	headed := !w.headed
	w.headed = true
	return appendJSON(nil, s.tableOfOne(t, u, w.form, headed))
}

// encode encodes the event for a watch. Watches share what they see alike; ages
// in tables are told anew to each.
func (e *event) encode(s *Store, t *table, w *watch, gone bool) []byte {
	u, f := e.After, eventForm{w.form, gone}
	if w.form.as == asTable {
		if gone {
			u = atVersion(e.Before, e.Version)
		}
		return s.encodeFor(w, t, u)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if encoded, ok := e.encoded[f]; ok {
		return encoded
	}
	if gone {
		u = atVersion(e.Before, e.Version)
	}
	if e.encoded == nil {
		e.encoded = make(map[eventForm][]byte, 1)
	}
	encoded := s.encodeVersion(t, u, f)
	e.encoded[f] = encoded
	return encoded
}

// usualObject is what a Cluster in the making takes as JSON, in bytes.
const usualObject = 10 << 10
