package simulate

import (
	"container/heap"
	"sync"
	"time"
)

// clock is discrete model time: instants, each with the functions that are to be
// called then. Time stands still until somebody waits, and then jumps from one
// instant to the next. Functions of one instant run in the order in which they
// were asked for. With a pace it does not stand still, but goes with the wall clock.
type clock struct {
	mu       sync.Mutex
	now      time.Time
	queue    instants
	instants map[int64]*instant // those of the queue, by time in nanoseconds
	pace     *pace              // nil: time stands still until somebody waits
}

// An instant is a time and what is to be called then. That is much in a fleet,
// where the controllers round the time of what they do.
type instant struct {
	at    time.Time
	calls []func()
	next  int // the first of calls that was not called yet
}

// Now is the model time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	return c.now
}

// AfterFunc has f called when d of model time has passed. f runs in the
// goroutine that waits.
func (c *clock) AfterFunc(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	at := c.now.Add(max(d, 0))
	i := c.instants[at.UnixNano()]
	if i == nil {
		i = c.begin(at)
	}
	i.calls = append(i.calls, f)
}

// begin puts a new instant into the queue.
func (c *clock) begin(at time.Time) *instant {
	if c.instants == nil {
		c.instants = map[int64]*instant{}
	}
	i := &instant{at: at}
	c.instants[at.UnixNano()] = i
	heap.Push(&c.queue, i)
	if c.pace != nil && c.queue[0] == i {
		c.pace.nudge()
	}
	return i
}

// take takes the first function out of the queue, which is not empty.
func (c *clock) take() func() {
	i := c.queue[0]
	f := i.calls[i.next]
	i.calls[i.next] = nil
	if i.next++; i.next == len(i.calls) {
		heap.Pop(&c.queue)
		delete(c.instants, i.at.UnixNano())
	}
	return f
}

// next is the time of the first function in the queue.
func (c *clock) next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return time.Time{}, false
	}
	return c.queue[0].at, true
}

// advance moves time on to at, which is not before now nor after the first
// function of the queue, and calls everything that is due then.
func (c *clock) advance(at time.Time) {
	c.mu.Lock()
	c.now = at
	for len(c.queue) > 0 && !c.queue[0].at.After(at) {
		f := c.take()
		c.mu.Unlock()
		f()
		c.mu.Lock()
	}
	c.mu.Unlock()
}

// instants is a heap by time.
type instants []*instant

func (q instants) Len() int           { return len(q) }
func (q instants) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q instants) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *instants) Push(x any)        { *q = append(*q, x.(*instant)) }
func (q *instants) Pop() any {
	last := len(*q) - 1
	i := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return i
}
