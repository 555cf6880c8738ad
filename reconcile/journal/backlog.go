package journal

import "sync"

// backlogLimit is how many jobs may wait: who makes them faster than they are done
// is held up, so that what they keep alive stays little.
const backlogLimit = 64

// A backlog does jobs one after another, in a goroutine that is there while there
// are any.
type backlog struct {
	mu      sync.Mutex // guards what is below
	moved   *sync.Cond // signalled when jobs were taken, and when all are done
	jobs    []func()
	working bool
}

func newBacklog() *backlog {
	b := new(backlog)
	b.moved = sync.NewCond(&b.mu)
	return b
}

// add has a job done after those that were added before.
func (b *backlog) add(job func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.jobs) >= backlogLimit {
		b.moved.Wait()
	}
	b.jobs = append(b.jobs, job)
	if !b.working {
		b.working = true
		go b.work()
	}
}

func (b *backlog) work() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.jobs) > 0 {
		jobs := b.jobs
		b.jobs = nil
		b.moved.Broadcast()
		b.mu.Unlock()
		for _, job := range jobs {
			job()
		}
		b.mu.Lock()
	}
	b.working = false
	b.moved.Broadcast()
}

// finish waits until all jobs are done.
func (b *backlog) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.working {
		b.moved.Wait()
	}
}
