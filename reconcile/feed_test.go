package reconcile_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/vksync/vksync/gitsource"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/schema"
)

// A told repository has what it is told to have.
type told struct {
	changed chan struct{}
	state   gitsource.State
}

func (r *told) Changed() <-chan struct{} { return r.changed }
func (r *told) Latest() gitsource.State  { return r.state }

// say changes it while nobody reads it.
func (r *told) say(hash string, err error) {
	synctest.Wait()
	r.state = gitsource.State{Tree: &gitsource.Tree{Revision: hash}, Commit: gitsource.Commit{Hash: hash}, Err: err}
	r.changed <- struct{}{}
	synctest.Wait()
}

// A revision that takes forever to evaluate is given up for the one that puts it
// right, and not because Git is down for a while.
func TestANewerRevisionEndsTheEvaluationOfAnOlderOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &told{changed: make(chan struct{}, 1)}
		begun := map[string]int{}
		feed := reconcile.NewFeed("fleet", r, func(ctx context.Context, tree *gitsource.Tree) (*schema.Desired, schema.Problems, error) {
			if begun[tree.Revision]++; tree.Revision == "endless" {
				<-ctx.Done()
				return nil, nil, ctx.Err()
			}
			return &schema.Desired{}, nil, nil
		}, slog.New(slog.NewTextHandler(io.Discard, nil)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { feed.Run(ctx); close(ended) }()

		r.say("endless", nil)
		r.say("endless", errors.New("Git is down"))
		if s := feed.Status(); s.Error != "Git is down" || s.Revision != "" {
			t.Errorf("while it evaluates, the status is %+v", s)
		}
		r.say("good", nil)
		if revision, _ := feed.Latest(); revision == nil || revision.Commit.Hash != "good" {
			t.Errorf("%+v is served, want the good one", revision)
		}
		if s := feed.Status(); s.Invalid != nil || s.Error != "" || begun["endless"] != 1 || begun["good"] != 1 {
			t.Errorf("the status is %+v after the evaluations %v", s, begun)
		}
		r.say("endless", nil)
		stop() // also ends what is under way
		<-ended
	})
}
