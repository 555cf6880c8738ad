package supervisor

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// Unread is a kind that cannot be read, and why.
type Unread struct {
	Kind   schema.GroupKind
	Reason string
}

// Follower tells of the changes of objects of many kinds. A kind that may not be
// listed, or is not served, is missing, and asked for again every few minutes.
type Follower struct {
	client *Client
	each   func(before, after *unstructured.Unstructured)
	stop   context.CancelFunc
	done   sync.WaitGroup

	telling sync.Mutex // held while each is called
	shared  conditions

	mu     sync.Mutex // guards what is below
	unread map[schema.GroupKind]string
	// settled is closed when each kind has been listed once or could not be.
	settled chan struct{}
	waiting int
}

// Follow calls each for every object there is, with before nil, and returns when
// all kinds were listed or have failed to be; from then on it calls each for
// every change, until Close. One call runs at a time, the changes of one object
// in their order. A deletion has after nil. The objects are those of Slim and
// must not be written to; of Secrets only the metadata leaves the server. What
// the Follower missed while it was disconnected it tells when it lists again.
func (c *Client) Follow(ctx context.Context, kinds []schema.GroupKind, each func(before, after *unstructured.Unstructured)) (*Follower, error) {
	running, stop := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), klog.Logger{}))
	f := &Follower{
		client: c, each: each, stop: stop, waiting: len(kinds),
		unread: map[schema.GroupKind]string{}, settled: make(chan struct{}),
	}
	if len(kinds) == 0 {
		close(f.settled)
	}
	for _, gk := range kinds {
		followed := &following{follower: f, kind: gk, objects: map[string]*unstructured.Unstructured{}}
		f.done.Go(func() { followed.run(running) })
	}
	select {
	case <-f.settled:
		return f, nil
	case <-ctx.Done():
		f.Close()
		return nil, classify("following the Supervisor", noAddr, ctx.Err())
	}
}

// Close ends the watches and waits for them. Each is not called after it.
func (f *Follower) Close() {
	f.stop()
	f.done.Wait()
}

// Unfollowed are the kinds that cannot be followed at the moment, in order.
func (f *Follower) Unfollowed() []Unread {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Unread, 0, len(f.unread))
	for gk, reason := range f.unread {
		out = append(out, Unread{gk, reason})
	}
	slices.SortFunc(out, func(a, b Unread) int {
		return cmp.Or(strings.Compare(a.Kind.Kind, b.Kind.Kind), strings.Compare(a.Kind.Group, b.Kind.Group))
	})
	return out
}

// following follows one kind. Only the goroutine of its reflector uses objects.
type following struct {
	follower *Follower
	kind     schema.GroupKind
	objects  map[string]*unstructured.Unstructured // by namespace/name
	heard    bool                                  // listed, or failed to be, once
}

var _ cache.ReflectorStore = (*following)(nil)

// run lists and watches until ctx ends.
func (f *following) run(ctx context.Context) {
	repeat(ctx, nil, func() error {
		err := f.once(ctx)
		f.fail(err)
		return err
	})
}

// once lists and watches until that fails.
func (f *following) once(ctx context.Context) error {
	k, err := f.find(ctx)
	if err != nil {
		return err
	}
	lw, expected := f.follower.slimListWatch(k, f.kind)
	reflector := cache.NewReflectorWithOptions(lw, expected, f, cache.ReflectorOptions{
		Name: k.Resource, TypeDescription: f.kind.String(), Logger: &klog.Logger{},
	})
	return listError(k, reflector.ListAndWatchWithContext(ctx))
}

// find is how the kind is served, asking again when it was not.
func (f *following) find(ctx context.Context) (kind, error) {
	c, op := f.follower.client, "listing "+f.kind.String()
	k, err := c.kindOf(op, f.kind)
	if err == nil || !f.heard {
		return k, err
	}
	return c.findAgain(ctx, op, f.kind)
}

// fail notes why the kind is not followed now. A watch that came to its end is
// no reason.
func (f *following) fail(err error) {
	if err != nil {
		f.follower.note(f.kind, reasonOf(err))
	}
	f.settle()
}

func (f *following) settle() {
	if f.heard {
		return
	}
	f.heard = true
	f.follower.mu.Lock()
	defer f.follower.mu.Unlock()
	if f.follower.waiting--; f.follower.waiting == 0 {
		close(f.follower.settled)
	}
}

func (f *Follower) note(gk schema.GroupKind, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if reason == "" {
		delete(f.unread, gk)
		return
	}
	f.unread[gk] = reason
}

func (f *following) tell(before, after *unstructured.Unstructured) {
	f.follower.telling.Lock()
	defer f.follower.telling.Unlock()
	f.follower.each(before, after)
}

// Add is called by the reflector.
func (f *following) Add(obj any) error { return f.Update(obj) }

// Update is called by the reflector.
func (f *following) Update(obj any) error {
	after, err := f.slim(obj)
	if err != nil {
		return err
	}
	key := keyOf(after)
	before := f.objects[key]
	f.objects[key] = after
	f.step(before, after)
	return nil
}

// Delete is called by the reflector.
func (f *following) Delete(obj any) error {
	last, err := f.slim(obj)
	if err != nil {
		return err
	}
	delete(f.objects, keyOf(last))
	f.tell(last, nil)
	return nil
}

// step tells of a change; another object of the same name is a deletion first.
func (f *following) step(before, after *unstructured.Unstructured) {
	switch {
	case before != nil && before.GetUID() != after.GetUID():
		f.tell(before, nil)
		f.tell(nil, after)
	case before == nil || before.GetResourceVersion() != after.GetResourceVersion():
		f.tell(before, after)
	}
}

// Replace is called by the reflector with the result of a list.
func (f *following) Replace(list []any, _ string) error {
	now := make(map[string]*unstructured.Unstructured, len(list))
	for _, obj := range list {
		u, err := f.slim(obj)
		if err != nil {
			return err
		}
		now[keyOf(u)] = u
	}
	before := f.objects
	f.objects = now
	for _, key := range sortedKeys(before) {
		if now[key] == nil {
			f.tell(before[key], nil)
		}
	}
	for _, key := range sortedKeys(now) {
		f.step(before[key], now[key])
	}
	f.follower.note(f.kind, "")
	f.settle()
	return nil
}

// Resync is called by the reflector; there is nothing to send again.
func (f *following) Resync() error { return nil }

// slimListWatch reads one kind. Pages are made slim as they come, so that a list
// of thousands is never there in full.
func (f *Follower) slimListWatch(k kind, gk schema.GroupKind) (cache.ListerWatcher, any) {
	c := f.client
	if gk == kindSecret {
		at := c.metadata.Resource(k.GroupVersionResource)
		return plainList{&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
				return at.List(ctx, consistent(o))
			},
			WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) { return at.Watch(ctx, o) },
		}}, &metav1.PartialObjectMetadata{}
	}
	at := c.dynamic.Resource(k.GroupVersionResource)
	return plainList{&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := at.List(ctx, consistent(o))
			if err != nil {
				return nil, err
			}
			for i := range list.Items {
				list.Items[i] = *f.slim(&list.Items[i])
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) { return at.Watch(ctx, o) },
	}}, &unstructured.Unstructured{}
}

// slim is what is kept of an object.
func (f *Follower) slim(u *unstructured.Unstructured) *unstructured.Unstructured {
	out := Slim(u)
	f.shared.share(out)
	return out
}

// consistent asks for what is there now: the version 0 that a reflector begins
// with would allow an old answer.
func consistent(o metav1.ListOptions) metav1.ListOptions {
	if o.ResourceVersion == "0" {
		o.ResourceVersion = ""
	}
	return o
}
