package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/vksync/vksync/reconcile/resource"
)

// Cache holds all objects of a few kinds and follows them by watches. It is
// safe for concurrent use.
type Cache struct {
	kinds []*watched
	stop  context.CancelFunc
	done  sync.WaitGroup // the reflectors

	mu      sync.Mutex // guards what is below
	objects map[resource.Addr]resource.Object
	// subscriptions are told what changes.
	subscriptions map[*Subscription]struct{}
	// advanced is closed when a kind has been synced, has failed, or has seen a later
	// version; nil while nobody waits for that.
	advanced chan struct{}
}

// watched is the store that the reflector of one kind writes into.
type watched struct {
	cache *Cache
	kind  schema.GroupKind
	again chan struct{} // has a list that failed tried at once
	// guarded by Cache.mu
	synced  bool
	version string // the latest resource version seen
	err     error  // of the last list; nil after one that succeeded
	failed  int    // lists that failed
}

var (
	_ cache.ReflectorStore         = (*watched)(nil)
	_ cache.ReflectorBookmarkStore = (*watched)(nil)
	_ cache.ResourceVersionUpdater = (*watched)(nil)
)

// Watch lists the kinds and follows them until Close. It returns when all are
// listed, and fails when one of them cannot be.
func (c *Client) Watch(ctx context.Context, kinds ...schema.GroupKind) (*Cache, error) {
	running, stop := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), klog.Logger{}))
	w := &Cache{
		stop:    stop,
		objects: map[resource.Addr]resource.Object{}, subscriptions: map[*Subscription]struct{}{},
	}
	for _, gk := range kinds {
		k, err := c.kindOf("listing "+gk.String(), gk)
		if err != nil {
			w.Close()
			return nil, err
		}
		store := &watched{cache: w, kind: gk, again: make(chan struct{}, 1)}
		w.kinds = append(w.kinds, store)
		reflector := cache.NewReflectorWithOptions(c.listWatch(k, store), &unstructured.Unstructured{}, store, cache.ReflectorOptions{
			Name: k.Resource, TypeDescription: gk.String(), Logger: &klog.Logger{},
		})
		w.done.Go(func() {
			repeat(running, store.again, func() error {
				err := listError(k, reflector.ListAndWatchWithContext(running))
				if class := ClassOf(err); class != "" && class != Transient {
					store.fail(err) // a watch that is refused: what is held grows old from now on
				}
				return err
			})
		})
	}
	if err := w.await(ctx, func() (bool, error) { return w.synced() }); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the watches and waits for them.
func (w *Cache) Close() {
	w.stop()
	w.done.Wait()
}

// listWatch reads one kind. A list is a consistent read: the version 0 that a
// reflector begins with would allow an old answer.
func (c *Client) listWatch(k kind, store *watched) cache.ListerWatcher {
	at := c.cached.Resource(k.GroupVersionResource)
	return plainList{&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			if o.ResourceVersion == "0" {
				o.ResourceVersion = ""
			}
			list, err := at.List(ctx, o)
			if err != nil {
				store.fail(listError(k, err))
				return nil, err
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return at.Watch(ctx, o)
		},
	}}
}

// plainList tells a reflector to list before it watches: a list that fails is
// an answer, a stream that does not begin is none.
type plainList struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported is looked for by cache.Reflector.
func (plainList) IsWatchListSemanticsUnSupported() bool { return true }

// Get returns the object called addr. It must not be written to.
func (w *Cache) Get(addr resource.Addr) (resource.Object, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o, ok := w.objects[addr]
	return o, ok
}

// CatchUp waits until every watch has seen the resource version mark. All kinds
// share one counter; where versions are no numbers there is nothing to wait
// for, and neither is there with an empty mark. It fails with ctx, and when a
// kind can no longer be listed.
func (w *Cache) CatchUp(ctx context.Context, mark string) error {
	want, err := strconv.ParseUint(mark, 10, 64)
	if err != nil {
		return w.failure()
	}
	return w.await(ctx, func() (bool, error) {
		for _, k := range w.kinds {
			if k.err != nil {
				return false, k.err
			}
			if have, err := strconv.ParseUint(k.version, 10, 64); err == nil && have < want {
				return false, nil
			}
		}
		return true, nil
	})
}

// Err is why a kind could not be listed when that was last tried; nil when all
// could. What the cache holds may be out of date then.
func (w *Cache) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.kinds {
		if k.err != nil {
			return k.err
		}
	}
	return nil
}

// failure is the error of a kind that can no longer be listed.
func (w *Cache) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.kinds {
		if k.err != nil && ClassOf(k.err) != Transient {
			return k.err
		}
	}
	return nil
}

func (w *Cache) synced() (bool, error) {
	all := true
	for _, k := range w.kinds {
		if k.err != nil {
			return false, k.err
		}
		all = all && k.synced
	}
	return all, nil
}

// await waits until met, which is called with mu held.
func (w *Cache) await(ctx context.Context, met func() (bool, error)) error {
	for {
		w.mu.Lock()
		ok, err := met()
		if ok || err != nil {
			w.mu.Unlock()
			return err
		}
		if w.advanced == nil {
			w.advanced = make(chan struct{})
		}
		advanced := w.advanced
		w.mu.Unlock()
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the Supervisor's watches: %w", ctx.Err())
		}
	}
}

// wake lets those who await look again. It is called with mu held.
func (w *Cache) wake() {
	if w.advanced != nil {
		close(w.advanced)
		w.advanced = nil
	}
}

// note records a change. It is called with mu held.
func (w *Cache) note(addr resource.Addr) {
	for s := range w.subscriptions {
		s.note(addr)
	}
}

var errNotAnObject = errors.New("supervisor: a reflector handed over what is no object")

// Add is called by the reflector.
func (k *watched) Add(obj any) error { return k.Update(obj) }

// Update is called by the reflector.
func (k *watched) Update(obj any) error {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return errNotAnObject
	}
	o := stripped(u)
	addr := o.Addr()
	k.cache.mu.Lock()
	defer k.cache.mu.Unlock()
	k.cache.objects[addr] = o
	k.cache.note(addr)
	return nil
}

// Delete is called by the reflector.
func (k *watched) Delete(obj any) error {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return errNotAnObject
	}
	addr := resource.AddrOf(u, "")
	k.cache.mu.Lock()
	defer k.cache.mu.Unlock()
	delete(k.cache.objects, addr)
	k.cache.note(addr)
	return nil
}

// Replace is called by the reflector with the result of a list.
func (k *watched) Replace(list []any, version string) error {
	k.cache.mu.Lock()
	defer k.cache.mu.Unlock()
	gone := map[resource.Addr]bool{}
	for addr := range k.cache.objects {
		if addr.GroupKind() == k.kind {
			gone[addr] = true
		}
	}
	for _, obj := range list {
		u, ok := obj.(*unstructured.Unstructured)
		if !ok {
			return errNotAnObject
		}
		o := stripped(u)
		addr := o.Addr()
		if old, known := k.cache.objects[addr]; !known || old.GetResourceVersion() != o.GetResourceVersion() {
			k.cache.objects[addr] = o
			k.cache.note(addr)
		}
		delete(gone, addr)
	}
	for addr := range gone {
		delete(k.cache.objects, addr)
		k.cache.note(addr)
	}
	k.synced, k.version, k.err = true, version, nil
	k.cache.wake()
	return nil
}

// Resync is called by the reflector; there is nothing to send again.
func (k *watched) Resync() error { return nil }

// Bookmark is called by the reflector when the server says how far it is.
func (k *watched) Bookmark(version string) error {
	k.UpdateResourceVersion(version)
	return nil
}

// UpdateResourceVersion is called by the reflector after every event.
func (k *watched) UpdateResourceVersion(version string) {
	k.cache.mu.Lock()
	defer k.cache.mu.Unlock()
	k.version = version
	k.cache.wake()
}

// fail notes that a list failed.
func (k *watched) fail(err error) {
	k.cache.mu.Lock()
	defer k.cache.mu.Unlock()
	k.err = err
	k.failed++
	k.cache.wake()
}
