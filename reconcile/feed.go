package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/vksync/vksync/gitsource"
	"github.com/vksync/vksync/schema"
)

// Repository is what a Feed follows; a *gitsource.Source is one.
type Repository interface {
	// Changed is signalled when Latest may differ.
	Changed() <-chan struct{}
	Latest() gitsource.State
}

// Evaluate turns a tree into what it asks for. An error says that it could not
// be evaluated, which says nothing about the tree.
type Evaluate func(ctx context.Context, tree *gitsource.Tree) (*schema.Desired, schema.Problems, error)

// A Revision is a commit that was read and found valid.
type Revision struct {
	Commit  gitsource.Commit
	Desired *schema.Desired
	// Seen is when the commit was found in the repository.
	Seen time.Time
}

// Feed follows a repository and hands out its newest valid revision. The last
// one is served while Git is down or a newer one is invalid.
type Feed struct {
	name       string
	repository Repository
	evaluate   Evaluate
	log        *slog.Logger

	mu       sync.Mutex // guards what is below
	revision *Revision
	replaced chan struct{} // closed when revision is
	status   SourceStatus
}

// evaluateAgain is how soon a tree is tried again that could not be evaluated.
const evaluateAgain = 15 * time.Second

// NewFeed makes a feed; Run drives it.
func NewFeed(name string, r Repository, e Evaluate, log *slog.Logger) *Feed {
	return &Feed{
		name: name, repository: r, evaluate: e, log: log.With("source", name),
		replaced: make(chan struct{}), status: SourceStatus{Name: name},
	}
}

// Run follows the repository until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	evaluated := "" // the last commit that was judged
	for {
		var again <-chan time.Time
		state := f.repository.Latest()
		f.note(state)
		if state.Tree != nil && state.Commit.Hash != evaluated {
			news, err := f.unlessNewer(ctx, state.Commit.Hash, func(ctx context.Context) error { return f.take(ctx, state) })
			switch {
			case err == nil:
				evaluated = state.Commit.Hash
			case ctx.Err() == nil && !errors.Is(err, errNewer):
				f.log.Error("the revision could not be evaluated", "revision", short(state.Commit.Hash), "error", err)
				again = time.After(evaluateAgain)
			}
			if news && ctx.Err() == nil {
				continue
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-f.repository.Changed():
		case <-again:
		}
	}
}

// unlessNewer does work on a commit, and ends it once the repository has another:
// what takes long to refuse does not hold up what puts it right. News says that
// the repository changed in the meantime, in whatever way.
func (f *Feed) unlessNewer(ctx context.Context, hash string, work func(context.Context) error) (news bool, err error) {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan error, 1)
	go func() { done <- work(working) }()
	for {
		select {
		case err := <-done:
			if err != nil && context.Cause(working) == errNewer {
				err = errNewer
			}
			return news, err
		case <-f.repository.Changed():
			news = true
			state := f.repository.Latest()
			if f.note(state); state.Commit.Hash != hash {
				stop(errNewer)
			}
		}
	}
}

// note takes the state of Git into the status.
func (f *Feed) note(s gitsource.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := ""
	if s.Err != nil {
		text = s.Err.Error()
	}
	if text != f.status.Error {
		rest := "; the last good one stays"
		if f.revision == nil {
			rest = "; there is no good one yet"
		}
		switch {
		case text == "":
			f.log.Info("the repository can be followed again")
		case gitsource.Refused(s.Err):
			f.log.Error("the newest revision is refused"+rest, "error", text)
		default:
			f.log.Warn("the repository cannot be followed"+rest, "error", text)
		}
	}
	switch {
	case text == "":
		f.status.Since = time.Time{}
	case f.status.Error == "":
		f.status.Since = time.Now()
	}
	f.status.Error, f.status.Newest = text, s.Commit.Hash
}

// take evaluates a commit and publishes it when it is valid.
func (f *Feed) take(ctx context.Context, s gitsource.State) error {
	began := time.Now()
	desired, problems, err := f.evaluate(ctx, s.Tree)
	if ctx.Err() != nil {
		return ctx.Err() // whoever ended it knows why
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Evaluations.add(time.Since(began))
	if err != nil {
		f.status.Invalid = &Invalid{Revision: s.Commit.Hash, Problems: []string{err.Error()}}
		return err
	}
	if len(problems) > 0 {
		f.status.Invalid = &Invalid{Revision: s.Commit.Hash}
		for _, p := range problems {
			f.status.Invalid.Problems = append(f.status.Invalid.Problems, p.String())
			f.log.Error("the revision is not valid; the last good one stays", "revision", short(s.Commit.Hash), "problem", p.String())
		}
		return nil
	}
	f.revision = &Revision{Commit: s.Commit, Desired: desired, Seen: began}
	f.status.Invalid, f.status.Revision = nil, s.Commit.Hash
	f.status.Author, f.status.Subject, f.status.Signer = s.Commit.Author, s.Commit.Subject, s.Commit.Signer
	f.log.Info("new revision", "revision", short(s.Commit.Hash), "author", s.Commit.Author, "subject", s.Commit.Subject)
	close(f.replaced)
	f.replaced = make(chan struct{})
	return nil
}

// Latest is the newest valid revision, nil before the first, and a channel that
// is closed when there is a newer one.
func (f *Feed) Latest() (*Revision, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revision, f.replaced
}

// Status is how the source stands.
func (f *Feed) Status() SourceStatus {
	now := f.repository.Latest()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	s.CheckedAt, s.NextCheck = now.CheckedAt, now.NextLook // which are no news to follow
	return s
}

// short is the hash of a commit, or the digest of a plan, as people write it.
func short(hash string) string {
	hash = strings.TrimPrefix(hash, "sha256:")
	return hash[:min(len(hash), 12)]
}
