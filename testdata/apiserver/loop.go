package apiserver

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// A loop is the time of simulated controllers that act on a real server: that of
// the wall, but faster. It calls one function at a time, as they ask for.
type loop struct {
	start time.Time
	speed float64
	wake  chan struct{} // has room for one: the queue has a new head

	mu    sync.Mutex // guards what is below
	asked uint64
	queue turns
}

var _ kubeapi.Clock = (*loop)(nil)

type turn struct {
	at    time.Time
	order uint64
	f     func()
}

func newLoop(speed float64) *loop {
	return &loop{start: time.Now(), speed: speed, wake: make(chan struct{}, 1)}
}

// Now is the time of the controllers.
func (l *loop) Now() time.Time {
	return l.start.Add(time.Duration(float64(time.Since(l.start)) * l.speed))
}

// AfterFunc has f called by the loop when d of its time has passed.
func (l *loop) AfterFunc(d time.Duration, f func()) {
	at := l.Now().Add(max(d, 0))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	heap.Push(&l.queue, turn{at, l.asked, f})
	select {
	case l.wake <- struct{}{}:
	default: // it has been told already
	}
}

// post has f called as soon as possible.
func (l *loop) post(f func()) { l.AfterFunc(0, f) }

// run calls what is due until ctx ends.
func (l *loop) run(ctx context.Context) {
	for ctx.Err() == nil {
		f, wait := l.next()
		if f != nil {
			f()
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// next takes the first function if it is due, or says how long to wait.
func (l *loop) next() (func(), time.Duration) {
	now := l.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil, time.Hour
	}
	if wait := l.queue[0].at.Sub(now); wait > 0 {
		return nil, time.Duration(float64(wait)/l.speed) + time.Millisecond
	}
	return heap.Pop(&l.queue).(turn).f, 0
}

// turns is a heap by time, then by order.
type turns []turn

func (q turns) Len() int { return len(q) }
func (q turns) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].order < q[j].order
}
func (q turns) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *turns) Push(x any)   { *q = append(*q, x.(turn)) }
func (q *turns) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	*q = (*q)[:last]
	return t
}
