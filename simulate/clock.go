package simulate

import (
	"container/heap"
	"sync"
	"time"
)

// clock is discrete model time: a queue of functions, each at its time. Time
// stands still until somebody waits, and then jumps from one to the next.
// Functions of one instant run in the order in which they were asked for. With a
// pace it does not stand still, but goes with the wall clock.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	asked uint64
	queue timers
	pace  *pace // nil: time stands still until somebody waits
}

type timer struct {
	at    time.Time
	order uint64
	f     func()
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
	c.asked++
	heap.Push(&c.queue, timer{c.now.Add(max(d, 0)), c.asked, f})
	if c.pace != nil && c.queue[0].order == c.asked {
		c.pace.nudge()
	}
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
		t := heap.Pop(&c.queue).(timer)
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
	}
	c.mu.Unlock()
}

// timers is a heap by time, then by order.
type timers []timer

func (q timers) Len() int { return len(q) }
func (q timers) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].order < q[j].order
}
func (q timers) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *timers) Push(x any)   { *q = append(*q, x.(timer)) }
func (q *timers) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = timer{}
	*q = (*q)[:last]
	return t
}
