package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// flight is the requests of a run that are under way. A slow one holds up
// nobody: what came of it is one more reason to look again.
type flight struct {
	// alone has each request answered before anything else happens, so that a
	// simulation is the same each time.
	alone   bool
	timeout time.Duration
	// ctx outlives the run's by a grace period: what is under way is better
	// answered than cut off, since nobody knows then whether it took effect.
	ctx  context.Context
	end  context.CancelFunc
	stop func()

	count   int           // under way; belongs to the run's goroutine
	arrived chan struct{} // signalled when something is done

	mu   sync.Mutex // guards done
	done []result
}

// result is what came of a request.
type result struct {
	step *step // nil when the vSphere Namespaces were read
	err  error
}

func newFlight(ctx context.Context, o Options) *flight {
	f := &flight{alone: o.Concurrency == 1, timeout: o.RequestTimeout, arrived: make(chan struct{}, 1)}
	f.ctx, f.end = context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { f.endAfter(o.Grace) })
	unhookCut := context.AfterFunc(o.CutOff, f.end)
	f.stop = func() { unhook(); unhookCut(); f.end() }
	return f
}

func (f *flight) endAfter(grace time.Duration) {
	timer := time.AfterFunc(grace, f.end)
	context.AfterFunc(f.ctx, func() { timer.Stop() })
}

// begin sends a request that ends in time.
func (f *flight) begin(s *step, request func(context.Context) error) {
	f.count++
	work := func() {
		err := f.within(f.ctx, request)
		f.mu.Lock()
		f.done = append(f.done, result{s, err})
		f.mu.Unlock()
		f.signal()
	}
	if f.alone {
		work()
		return
	}
	go work()
}

// within gives a request its deadline. One that passes says nothing of whether
// the request took effect, and may pass the next time.
func (f *flight) within(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	err := request(ctx)
	var refusal *Failure
	if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &refusal) {
		return &Failure{Reason: "Timeout", Message: fmt.Sprintf("no answer within %s", f.timeout), Transient: true}
	}
	return err
}

func (f *flight) signal() {
	select {
	case f.arrived <- struct{}{}:
	default:
	}
}

// landed takes what is done, in the order in which it was.
func (f *flight) landed() []result {
	f.mu.Lock()
	out := f.done
	f.done = nil
	f.mu.Unlock()
	f.count -= len(out)
	return out
}

// changes joins what is done with what the observer signals.
func (f *flight) changes(observed <-chan struct{}) <-chan struct{} {
	if f.alone {
		return observed
	}
	go func() {
		for {
			select {
			case <-observed:
				f.signal()
			case <-f.ctx.Done():
				return
			}
		}
	}()
	return f.arrived
}
