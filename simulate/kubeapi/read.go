package kubeapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// flushSize is how much of a long answer is written at once.
const flushSize = 32 << 10

func (c *call) get() error {
	u := c.store.show(c.table, c.namespace, c.name)
	if u == nil {
		return c.notFound()
	}
	c.answer(http.StatusOK, u)
	return nil
}

// show returns an object as clients see it; nil when there is none.
func (s *Store) show(t *table, namespace, name string) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := t.find(namespace, name); r != nil {
		return r.shown()
	}
	return nil
}

// answer writes an object in the form the client asked for.
func (c *call) answer(code int, u *unstructured.Unstructured) {
	respond(c.w, code, c.store.encode(nil, c.table, u, c.form))
}

func (c *call) list() error {
	sc, err := c.scope()
	if err != nil {
		return err
	}
	p, err := c.page(sc)
	if err != nil {
		return err
	}
	c.answerList(p)
	return nil
}

func versionIn(query url.Values) (uint64, error) {
	v := query.Get("resourceVersion")
	if v == "" {
		return 0, nil
	}
	version, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		return 0, apierrors.NewBadRequest("resourceVersion: Invalid value: " + strconv.Quote(v) + ": it is not a number that this server gave out")
	}
	return version, nil
}

// answerList streams a list, so that a large one is never whole in memory.
func (c *call) answerList(p page) {
	c.w.Header().Set("Content-Type", "application/json")
	buf := c.opening(p)
	now := c.store.clock.Now()
	for i, one := range p.objects {
		u := one.shown()
		if i > 0 {
			buf = append(buf, ',')
		}
		if c.form.as == asTable {
			buf = appendJSON(buf, c.store.row(c.table, u, c.form, now))
		} else {
			buf = c.store.encode(buf, c.table, u, c.form)
		}
		if len(buf) > flushSize {
			if _, err := c.w.Write(buf); err != nil {
				return // the client has gone
			}
			buf = buf[:0]
		}
	}
	_, _ = c.w.Write(append(buf, "]}\n"...)) // a client that has gone needs no answer
}

// opening is a list up to its first item.
func (c *call) opening(p page) []byte {
	kind, apiVersion, items := c.table.Kind.Kind+"List", c.table.apiVersion(c.form.version), "items"
	switch c.form.as {
	case asMetadata:
		kind, apiVersion = asMetadata+"List", c.form.metaVersion
	case asTable:
		kind, apiVersion, items = asTable, c.form.metaVersion, "rows"
	}
	buf := append([]byte(`{"apiVersion":`), appendString(nil, apiVersion)...)
	if c.form.as == asTable {
		buf = appendJSON(append(buf, `,"columnDefinitions":`...), c.table.headers())
	}
	buf = append(append(buf, `,"kind":`...), appendString(nil, kind)...)
	meta := map[string]any{"resourceVersion": formatVersion(p.version)}
	if p.next != "" {
		meta["continue"] = p.next
	}
	if p.remaining >= 0 {
		meta["remainingItemCount"] = int64(p.remaining)
	}
	buf = appendJSON(append(buf, `,"metadata":`...), meta)
	return append(append(append(buf, `,"`...), items...), `":[`...)
}

// watch streams changes until the client goes, timeoutSeconds pass, or the
// client is too far behind.
func (c *call) watch() error {
	if err := c.checkListOptions(true); err != nil {
		return err
	}
	sc, err := c.scope()
	if err != nil {
		return err
	}
	start := startAt{initial: c.flag("sendInitialEvents")}
	if start.version, err = versionIn(c.query); err != nil {
		return err
	}
	ctx, cancel, err := c.lifetime()
	if err != nil {
		return err
	}
	defer cancel()
	w := &watch{scope: sc, form: c.form, bookmarks: c.flag("allowWatchBookmarks")}
	if err := c.store.open(c.table, w, start); apierrors.IsResourceExpired(err) {
		return c.streamError(err)
	} else if err != nil {
		return err
	}
	defer c.store.close(c.table, w)
	c.stream(ctx, w)
	return nil
}

// streamError is a watch that has begun and ended with an error.
func (c *call) streamError(err error) error {
	status, err := statusOf(err)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(endEvent(appendJSON(beginEvent(nil, erroneous), status))) // a client that has gone needs no answer
	return nil
}

func (c *call) lifetime() (context.Context, context.CancelFunc, error) {
	timeout := c.query.Get("timeoutSeconds")
	if timeout == "" {
		ctx, cancel := context.WithCancel(c.r.Context())
		return ctx, cancel, nil
	}
	n, err := strconv.ParseInt(timeout, 10, 32)
	if err != nil || n < 0 {
		return nil, nil, apierrors.NewBadRequest("timeoutSeconds: Invalid value: " + strconv.Quote(timeout) + ": it is not a number of seconds")
	}
	if n == 0 {
		ctx, cancel := context.WithCancel(c.r.Context())
		return ctx, cancel, nil
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), time.Duration(n)*time.Second)
	return ctx, cancel, nil
}

// stream writes what the watch receives, and flushes when there is no more for now.
func (c *call) stream(ctx context.Context, w *watch) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(c.w)
	var buf []byte
	for {
		// A writer that cannot flush delivers when the watch ends.
		_ = control.Flush()
		items := w.receive(ctx)
		if items == nil {
			return
		}
		for _, item := range items {
			if buf = c.store.frame(buf, c.table, w, item); len(buf) > flushSize {
				if _, err := c.w.Write(buf); err != nil {
					return
				}
				buf = buf[:0]
			}
		}
		if _, err := c.w.Write(buf); err != nil {
			return
		}
		buf = buf[:0]
	}
}
