package gitsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// State is what a source knows. It is a value: a later one does not change it.
type State struct {
	// Tree is the last good revision; nil before the first.
	Tree *Tree
	// Commit is the commit of Tree.
	Commit Commit
	// Err is why no newer revision than Tree is served: Git is down, or the
	// newest one is refused. It says what to do. nil when Tree is the newest.
	Err error
	// CheckedAt is when the repository was last looked at, with whatever result;
	// zero before the first look is over.
	CheckedAt time.Time
	// NextLook is when it is looked at again, unless there is a hint before; zero
	// while it is being looked at for the first time.
	NextLook time.Time
}

// Commit says which revision is served and who made it.
type Commit struct {
	// Hash is the full one.
	Hash string
	// Author is "NAME <MAIL>" and Subject the message's first line, both as the
	// commit claims them, without control characters.
	Author, Subject string
	// Time is when it was committed, as the commit claims.
	Time time.Time
	// Signer is the principal or the key's identity that signed it; "" when
	// signatures are not looked at.
	Signer string
}

// Source follows one branch of one repository. Its methods are safe for
// concurrent use.
type Source struct {
	config  Config
	from    origin
	wake    chan struct{}
	changed chan struct{}
	stop    context.CancelFunc
	done    chan struct{} // closed behind the last look
	closed  error         // of from; read after done

	checks *checks // of run only

	mu    sync.Mutex
	state State
}

// origin is a repository of which the newest commit can be asked.
type origin interface {
	// latest finds the tip of the branch and makes its objects readable. An
	// origin that was read before returns the repository of before unless it had
	// to be made anew.
	latest(context.Context) (revisionOf, error)
	// resume is the revision that was served before the process started.
	resume() (revisionOf, bool)
	// damaged is told why a revision could not be read, and says whether asking
	// for the latest again can help.
	damaged(revisionOf, error) bool
	// served remembers the commit that is served, for the next start.
	served(revisionOf) error
	// pause is how long to wait before the next look, after failures in a row.
	pause(failures int) time.Duration
	close() error
}

// Follow begins to follow a repository, in the background and until Close or the
// end of ctx. It fails only on what no waiting would mend: an unreachable
// repository is State.Err.
func Follow(ctx context.Context, c Config) (*Source, error) {
	complete, at, err := c.completed()
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", namedSource(c.Name), err)
	}
	s := &Source{
		config:  complete,
		wake:    make(chan struct{}, 1),
		changed: make(chan struct{}, 1),
		done:    make(chan struct{}),
		checks:  &checks{limits: complete.Limits},
	}
	if at.remote() {
		s.from, err = newMirror(complete, at)
	} else {
		s.from, err = newLocal(complete, at, s.Look)
	}
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", complete.Name, err)
	}
	ctx, s.stop = context.WithCancel(ctx)
	go s.run(ctx)
	return s, nil
}

func namedSource(name string) string {
	if name == "" {
		return "without a name"
	}
	return name
}

// Changed is signalled when Latest differs from what it was at the last signal,
// in its revision or its Err. Signals that nobody waits for become one.
func (s *Source) Changed() <-chan struct{} { return s.changed }

// Latest is what is known now.
func (s *Source) Latest() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Look has the source go and look now, as a webhook's hint asks. It does not
// wait.
func (s *Source) Look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close ends following and waits for its end. The manifests of the trees that were
// served stay readable.
func (s *Source) Close() error {
	s.stop()
	<-s.done
	return s.closed
}

// run is the only goroutine that looks, so newest wins: what was pushed during a
// look is found by the next, and what came between is never read.
func (s *Source) run(ctx context.Context) {
	defer func() {
		s.closed = s.from.close()
		close(s.done)
	}()
	s.resume()
	failures := 0
	for {
		if s.look(ctx); ctx.Err() != nil {
			return
		}
		if err := s.Latest().Err; err == nil || isRefusal(err) {
			failures = 0
		} else {
			failures++
		}
		pause := s.from.pause(failures)
		s.pauses(pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// pauses notes when the next look is.
func (s *Source) pauses(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.NextLook = time.Now().Add(d)
}

// look reads the newest revision and serves it when it can be believed.
func (s *Source) look(ctx context.Context) {
	next := s.Latest()
	next.Err = guarded(func() error { return s.advance(ctx, &next) })
	if ctx.Err() != nil {
		return // the failure is that of being stopped
	}
	if next.Err != nil {
		next.Err = fmt.Errorf("source %s: %w", s.config.Name, next.Err)
	}
	next.CheckedAt = time.Now()
	s.publish(next)
}

func (s *Source) advance(ctx context.Context, next *State) error {
	found, err := s.from.latest(ctx)
	if err != nil {
		return err
	}
	if next.Tree != nil && next.Tree.Revision == found.hash.String() && next.Tree.in(found.repo) {
		return nil
	}
	err = s.take(found, next)
	if err != nil && !isRefusal(err) && s.from.damaged(found, err) {
		return s.advance(ctx, next)
	}
	return err
}

// take serves a revision that is accepted.
func (s *Source) take(found revisionOf, next *State) error {
	return guarded(func() error {
		tree, commit, err := s.accept(found, next.Commit.Hash)
		if err != nil {
			return err
		}
		next.Tree, next.Commit = tree, commit
		return s.from.served(found)
	})
}

// resume serves what was served before, until the first look is over. What is
// wrong with it, the look will tell.
func (s *Source) resume() {
	found, ok := s.from.resume()
	if !ok {
		return
	}
	var before State
	if err := s.take(found, &before); err == nil {
		s.publish(before)
	} else if !isRefusal(err) {
		s.from.damaged(found, err)
	}
}

// guarded turns a panic into an error: a fault that a hostile object finds in the
// Git library costs that revision, not the daemon.
func guarded(work func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the repository made the Git library fail: %.200v", r)
		}
	}()
	return work()
}

func (s *Source) publish(next State) {
	s.mu.Lock()
	same := s.state.Tree == next.Tree && text(s.state.Err) == text(next.Err)
	s.state = next
	s.mu.Unlock()
	if same {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// refusal is the reason why a revision that could be read is not served, as
// against a repository that could not be read.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refused(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// Refused says of a State.Err whether the newest revision was read and is not
// served for what it is, or is not there; false means that Git is down or cannot
// be read.
func Refused(err error) bool { return isRefusal(err) }

func isRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r)
}
