package schema

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// EvaluatorOptions say how manifests are evaluated.
type EvaluatorOptions struct {
	// Command is the argv of a process that runs ServeEvaluator, as
	// {os.Executable(), "evaluate"}; it sees itself called "vksync" whatever the
	// file is called. Without one this process evaluates, where nothing bounds the
	// memory and what does not end is left running: for trusted input only.
	Command []string
	// Timeout is how long one file or CUE package may take, 10s by default.
	Timeout time.Duration
	// LoadTimeout is how long all that is new in a revision may take, 5m by
	// default. What was evaluated by then is kept, so that the next Load gets further.
	LoadTimeout time.Duration
	// MemoryBytes is what one process may use, 512 MiB by default, at least 64 MiB.
	// There are as many processes as processors while much is new, then one.
	MemoryBytes int
	// CacheFile is where results are kept over restarts; "" is nowhere. It holds
	// what the manifests hold, so it belongs beside the mirror of the repo.
	CacheFile string
}

// The defaults of EvaluatorOptions, and the least memory.
const (
	DefaultTimeout     = 10 * time.Second
	defaultLoadTimeout = 5 * time.Minute
	DefaultMemory      = 512 << 20
	MinMemory          = 64 << 20
)

// perChild is how many units are worth another process, which takes longer to
// start than most units to evaluate.
const perChild = 16

// Evaluator loads one revision of a repo after the other. Manifests are evaluated
// in child processes under limits of time and memory, and only when something
// that their result depends on has changed. One that ends its child is a Problem
// of its own and costs no other; it is not tried again until it changes.
//
// An Evaluator is for one source: what its last Loads did not need is forgotten.
type Evaluator struct {
	options EvaluatorOptions
	mu      sync.Mutex // held by Load and Close
	idle    *child
	cache   cache
	older   *listing // the last survey
	root    string   // of it
	closed  bool
	saving  sync.WaitGroup
	stats   stats
	// assembly is what the last Load put together.
	assembly assembly
}

// NewEvaluator makes an Evaluator. It starts nothing yet.
func NewEvaluator(o EvaluatorOptions) *Evaluator {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.LoadTimeout <= 0 {
		o.LoadTimeout = defaultLoadTimeout
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = DefaultMemory
	}
	o.MemoryBytes = max(o.MemoryBytes, MinMemory)
	return &Evaluator{options: o}
}

// Load is as the function Load. Objects of manifests that have not changed are
// those of the Load before: nobody may change their content. With a fsys that is
// a HashFS only what changed is read.
//
// The error is not about the repo: ctx is done, or no child can be started. The
// Desired is nil then.
func (e *Evaluator) Load(ctx context.Context, fsys fs.FS, root string) (*Desired, Problems, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	root = path.Clean(root)
	if !fs.ValidPath(root) {
		return &Desired{}, Problems{notInRepo(root)}, nil
	}
	if e.cache.entries == nil {
		e.cache.open(e.options.CacheFile)
	}
	tree := (&survey{repo: &repo{fsys: fsys}}).of(root, e.last(root))
	all := tree.found()
	v := newView(fsys, all.ignores)
	e.cache.generation++
	due := e.cache.due(v, all.manifests)
	e.stats.count(func(s *EvaluatorStats) { s.Loads++; s.Reused += len(all.manifests) - len(due) })
	if err := e.evaluate(ctx, v, due); err != nil {
		return nil, nil, err
	}
	e.older, e.root = tree, root
	if e.cache.forget(); len(due) >= savedAtOnce {
		e.save()
	}
	return e.result(all)
}

// last is the last survey, where it is of the same root.
func (e *Evaluator) last(root string) *listing {
	if e.root != root {
		return nil
	}
	return e.older
}

// result puts together what all manifests hold.
func (e *Evaluator) result(all *found) (*Desired, Problems, error) {
	problems := append(Problems(nil), all.problems...)
	for _, m := range all.manifests {
		if m.latest == nil { // there was no time for it
			problems = append(problems, e.noTime(m.unit))
			continue
		}
		problems = append(problems, m.latest.problems...)
	}
	desired, clashes := e.assembly.of(all.manifests)
	return desired, append(problems, clashes...).sorted().capped().shown(), nil
}

func (e *Evaluator) noTime(u unit) Problem {
	return Problem{
		Pos: resource.Position{File: u.name()}, Message: "was not evaluated: the revision as a whole takes too long",
		Allowed: fmt.Sprintf("at most %s for what is new in it", e.options.LoadTimeout),
		Hint:    "put right what takes long first; it is reported beside this",
	}
}

// evaluate evaluates what is due, on all processors.
func (e *Evaluator) evaluate(ctx context.Context, v *view, due []*manifest) error {
	if len(due) == 0 {
		return nil
	}
	inTime, cancel := context.WithTimeout(ctx, e.options.LoadTimeout)
	defer cancel()
	var (
		next    atomic.Int64
		workers sync.WaitGroup
		mu      sync.Mutex
		failed  error
	)
	for range min(runtime.GOMAXPROCS(0), (len(due)+perChild-1)/perChild) {
		workers.Go(func() {
			w := &worker{Evaluator: e, view: v}
			defer w.release(&mu)
			w.take(&mu)
			for i := next.Add(1); i <= int64(len(due)) && inTime.Err() == nil; i = next.Add(1) {
				m := due[i-1]
				done, err := w.evaluate(inTime, m)
				mu.Lock()
				switch {
				case err != nil && inTime.Err() == nil:
					failed = err
					cancel()
				case err == nil:
					m.latest = done
					e.cache.add(done)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed
}

// worker evaluates with one child at a time.
type worker struct {
	*Evaluator
	*view
	child *child
}

// take takes the child that is idle, release leaves one.
func (w *worker) take(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	w.child, w.idle = w.idle, nil
}

func (w *worker) release(mu *sync.Mutex) {
	mu.Lock()
	if w.idle == nil {
		w.idle, w.child = w.child, nil
	}
	mu.Unlock()
	if w.child != nil {
		w.child.close()
		w.stats.ended(w.child, false)
	}
}

// evaluate has a child evaluate m. A child that dies for another reason than
// time and had evaluated others before may have died for those: then m is tried
// once more, in a new one.
func (w *worker) evaluate(ctx context.Context, m *manifest) (*outcome, error) {
	for {
		if w.child == nil {
			var err error
			if w.child, err = startChild(ctx, w.options.Command, limits{w.options.MemoryBytes}); err != nil {
				return nil, err
			}
			w.stats.count(func(s *EvaluatorStats) { s.Started++ })
		}
		var content []byte
		files := &recording{view: w.view}
		problem := (*Problem)(nil)
		if m.unit.file != "" {
			if content, problem = files.content(m.unit.file); problem != nil {
				return files.outcome(m.unit, loaded{problems: Problems{*problem}}), nil
			}
		}
		w.stats.count(func(s *EvaluatorStats) { s.Evaluated++ })
		found, died := w.child.evaluate(ctx, m.unit, content, m.unit.file != "", files, w.options.Timeout)
		if died == nil {
			return files.outcome(m.unit, found), nil
		}
		first := w.child.units == 1
		w.stats.ended(w.child, ctx.Err() == nil)
		w.child = nil
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !first && !died.late:
			continue
		}
		o := files.outcome(m.unit, loaded{problems: Problems{died.problem(m.unit, w.options)}})
		o.died = true
		return o, nil
	}
}

// Close ends the children and saves the cache. The Evaluator cannot be used
// again; closing it twice is once.
func (e *Evaluator) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	if e.idle != nil {
		e.idle.close()
		e.stats.ended(e.idle, false)
		e.idle = nil
	}
	e.save()
	e.saving.Wait()
	return e.cache.saved()
}
