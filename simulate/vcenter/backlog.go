package vcenter

import (
	"fmt"
	"sync"
)

// A backlog is work for vcsim that is done in order, by another goroutine, while
// whoever asked for it goes on: files, locks and destroyed VMs take vcsim a while.
// Who holds the lock finds the backlog empty and vcsim at rest; who has only entered
// may add to it.
//
// It is right to go on where the outcome is known before: our own books say
// whether there is room and whether a VM is on, and vcsim numbers its objects one
// after the other. What is found out too late, that vcsim did not do what the
// books say, is a fault of the simulation.
type backlog struct {
	entered sync.Mutex // held from Lock to Unlock, and from enter to Unlock

	mu   sync.Mutex // guards what is below
	rest sync.Cond  // signalled when busy ends
	work []func() error
	busy bool  // a goroutine does the work
	err  error // the first that went wrong
}

func newBacklog() *backlog {
	b := &backlog{}
	b.rest.L = &b.mu
	return b
}

// Lock waits until nobody else holds the lock and all work is done.
func (b *backlog) Lock() {
	b.entered.Lock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.busy {
		b.rest.Wait()
	}
}

// Unlock ends what Lock or enter began.
func (b *backlog) Unlock() { b.entered.Unlock() }

// enter waits until nobody else holds the lock. It returns what has gone wrong.
func (b *backlog) enter() error {
	b.entered.Lock()
	return b.fault()
}

// fault is the first thing that went wrong.
func (b *backlog) fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// idle reports whether all work is done. More cannot come while the caller is in.
func (b *backlog) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.busy
}

// add has work done later. The caller is in.
func (b *backlog) add(work func() error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work = append(b.work, work)
	if !b.busy {
		b.busy = true
		go b.run()
	}
}

func (b *backlog) run() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.work) > 0 {
		work := b.work[0]
		b.work = b.work[1:]
		b.mu.Unlock()
		err := work()
		b.mu.Lock()
		if err != nil && b.err == nil {
			b.err = fmt.Errorf("vcsim did not do what was foreseen: %w", err)
		}
	}
	b.work, b.busy = nil, false
	b.rest.Broadcast()
}
