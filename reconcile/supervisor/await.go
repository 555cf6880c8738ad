package supervisor

import (
	"context"
	"strconv"

	"github.com/vksync/vksync/reconcile/resource"
)

// AwaitWrite waits until the cache holds what a write returned, or something
// later, so that nobody takes the state before a write for its result. A version
// that is no number is not waited for.
func (w *Cache) AwaitWrite(ctx context.Context, stored resource.Object) error {
	addr := stored.Addr()
	written, err := strconv.ParseUint(stored.GetResourceVersion(), 10, 64)
	if err != nil {
		return nil
	}
	return w.await(ctx, func() (bool, error) {
		if o, there := w.objects[addr]; there && versionOf(o.GetResourceVersion()) >= written {
			return true, nil
		}
		for _, k := range w.kinds {
			if k.kind == addr.GroupKind() {
				return versionOf(k.version) >= written, k.err
			}
		}
		return true, nil // not a watched kind
	})
}

// versionOf is a resource version as a number, or 0.
func versionOf(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Objects are all objects of the watched kinds, in no order.
func (w *Cache) Objects() []resource.Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]resource.Object, 0, len(w.objects))
	for _, o := range w.objects {
		out = append(out, o)
	}
	return out
}
