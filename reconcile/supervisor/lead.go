package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"github.com/vksync/vksync/reconcile/link"
)

// LeaderOptions say for which Lease replicas compete.
type LeaderOptions struct {
	Namespace, Name string
	// Identity is unique among the replicas; it shows in the Lease.
	Identity string
	// LeaseDuration is how long others wait for a leader that says nothing,
	// RenewDeadline how long the leader tries to renew before it gives up, and
	// RetryPeriod how often either tries. The defaults are 15, 10 and 1 s: client-go
	// waits up to 2.2 periods between two tries, so another replica leads within
	// 20 s of the loss of the first. With the usual 2 s it can take 24.
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration
	// Observed is told who leads whenever that changes; nil is nobody.
	Observed func(leader string)
	// Note is told how each attempt on the Lease went, nil for well; nil is nobody.
	Note func(error)
}

// Lead waits until this replica has the Lease and calls lead. The context of lead
// ends when ctx does and when the Lease could not be renewed, in time before
// another replica can have it. When another may have it nothing is sent with it any
// more (ErrLost), whether or not it has ended. The Lease is given up only after lead
// has returned. After a loss Lead competes again. It returns what lead returned by
// itself, nil after the end of ctx, and an *Error when the Lease may not be had at all.
func (c *Client) Lead(ctx context.Context, o LeaderOptions, lead func(context.Context) error) error {
	o.LeaseDuration = cmp.Or(o.LeaseDuration, 15*time.Second)
	o.RenewDeadline = cmp.Or(o.RenewDeadline, 10*time.Second)
	o.RetryPeriod = cmp.Or(o.RetryPeriod, time.Second)
	op := fmt.Sprintf("competing for Lease %s/%s", o.Namespace, o.Name)
	// It has a client of its own: neither the rate of other requests nor a breaker
	// that is open may cost the Lease.
	config := rest.CopyConfig(c.config)
	config.Timeout = o.RenewDeadline / 2
	config.ContentType = runtime.ContentTypeJSON // as everything else here; not every server reads protobuf
	leases, err := coordination.NewForConfig(config)
	if err != nil {
		return classify(op, noAddr, err)
	}
	for ctx.Err() == nil {
		t := &term{options: o, lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name}, Client: leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: o.Identity},
		}}
		again, err := t.serve(ctx, lead)
		var own workError
		switch {
		case again:
		case errors.As(err, &own):
			return own.error // which is not about the Lease
		default:
			return classify(op, noAddr, err)
		}
	}
	return nil
}

// workError is what lead returned.
type workError struct{ error }

func (e workError) Unwrap() error { return e.error }

// term is one time of competing and, perhaps, of leading.
type term struct {
	options LeaderOptions
	lock    *resourcelock.LeaseLock
	end     context.CancelCauseFunc // ends the competition

	mu sync.Mutex // guards what is below
	// watchdog ends the leading when the last write of the Lease is too long ago,
	// which the elector counts from the answer to it.
	watchdog *time.Timer
	until    time.Time               // when the watchdog barks
	stop     context.CancelCauseFunc // of leading; nil while not
}

// ErrLost is the cause with which the context of a leader ends when another may
// lead soon. Nothing that the leader has begun may take effect after that.
var ErrLost = errors.New("the Lease could not be renewed in time")

// serve competes, leads and gives the Lease up.
func (t *term) serve(ctx context.Context, lead func(context.Context) error) (again bool, err error) {
	// The Lease is renewed until lead has returned, so ctx does not end it.
	electing, end := context.WithCancelCause(klog.NewContext(context.WithoutCancel(ctx), klog.Logger{}))
	t.end = end
	defer end(nil)
	started := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: t, LeaseDuration: t.options.LeaseDuration, RenewDeadline: t.options.RenewDeadline, RetryPeriod: t.options.RetryPeriod,
		Name: t.options.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(held context.Context) { started <- held },
			OnStoppedLeading: func() {},
			OnNewLeader:      t.observed,
		},
	})
	if err != nil {
		return false, err
	}
	var running sync.WaitGroup
	running.Go(func() { elector.Run(electing) })
	var held context.Context
	select {
	case held = <-started:
		again, err = t.lead(ctx, held, lead)
	case <-ctx.Done():
	case <-electing.Done():
		err = context.Cause(electing)
	}
	end(nil)
	running.Wait()
	t.release(ctx)
	return again, err
}

// lead runs lead for as long as the Lease is held. It is to be done again when it
// was the loss of the Lease that ended it.
func (t *term) lead(ctx, held context.Context, lead func(context.Context) error) (again bool, err error) {
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(held, func() { stop(ErrLost) })()
	t.mu.Lock()
	t.stop = stop
	t.mu.Unlock()
	err = lead(link.Guarded(leading, t.stillLeads))
	t.mu.Lock()
	t.stop = nil
	t.mu.Unlock()
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return false, nil
	case ctx.Err() == nil && errors.Is(context.Cause(leading), ErrLost):
		t.note(ErrLost)
		return true, nil
	case err != nil:
		return false, workError{err}
	}
	return false, nil
}

func (t *term) observed(leader string) {
	if t.options.Observed != nil {
		t.options.Observed(leader)
	}
}

func (t *term) note(err error) {
	if t.options.Note != nil {
		t.options.Note(err)
	}
}

// release gives the Lease up if it is still this replica's, so that another need
// not wait for its end.
func (t *term) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.options.RenewDeadline/2)
	defer cancel()
	t.mu.Lock()
	if t.watchdog != nil {
		t.watchdog.Stop()
	}
	t.mu.Unlock()
	record, _, err := t.lock.Get(ctx)
	if err != nil || record.HolderIdentity != t.options.Identity {
		return
	}
	now := metav1.Now()
	// When this fails the Lease ends by itself.
	_ = t.lock.Update(ctx, resourcelock.LeaderElectionRecord{
		LeaderTransitions: record.LeaderTransitions, LeaseDurationSeconds: 1, RenewTime: now, AcquireTime: now,
	})
}

var _ resourcelock.Interface = (*term)(nil)

// Get reads the Lease, for the elector.
func (t *term) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := t.lock.Get(ctx)
	t.heed(err)
	return record, raw, err
}

// Create makes the Lease, for the elector.
func (t *term) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return t.write(record, func() error { return t.lock.Create(ctx, record) })
}

// Update writes the Lease, for the elector.
func (t *term) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return t.write(record, func() error { return t.lock.Update(ctx, record) })
}

// RecordEvent does nothing: who leads is in the Lease.
func (t *term) RecordEvent(string) {}

// Identity is that of this replica.
func (t *term) Identity() string { return t.options.Identity }

// Describe names the Lease.
func (t *term) Describe() string { return t.lock.Describe() }

// write sets the watchdog from the moment before the write.
func (t *term) write(_ resourcelock.LeaderElectionRecord, write func() error) error {
	begun := time.Now()
	err := write()
	t.heed(err)
	if err != nil {
		return err
	}
	// Halfway between when the elector gives up and when others may take over.
	lasts := (t.options.LeaseDuration + t.options.RenewDeadline) / 2
	left := lasts - time.Since(begun)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = begun.Add(lasts)
	if t.watchdog == nil {
		t.watchdog = time.AfterFunc(left, t.lose)
	} else {
		t.watchdog.Reset(left)
	}
	return nil
}

// stillLeads is ErrLost when the Lease may be another's by now, though nobody has
// ended the leading yet: a process that was frozen goes on for a moment before its
// timers do.
func (t *term) stillLeads() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !time.Now().Before(t.until) {
		return ErrLost
	}
	return nil
}

func (t *term) lose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != nil {
		t.stop(ErrLost)
	}
}

// heed notes how an attempt went. What stays forbidden is not tried for ever in
// silence.
func (t *term) heed(err error) {
	switch {
	case apierrors.IsNotFound(err) && t.isNew(err), apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), errors.Is(err, context.Canceled):
		return // somebody else was first, or there is no Lease yet
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err):
		t.mu.Lock()
		leading := t.stop != nil
		t.mu.Unlock()
		if !leading {
			t.end(err)
		}
	}
	t.note(err)
}

// isNew says whether a not-found is about the Lease, which is made then, and not
// about its namespace.
func (t *term) isNew(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Name == t.options.Name
}
