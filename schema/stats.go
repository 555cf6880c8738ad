package schema

import (
	"sync"
	"syscall"
)

// EvaluatorStats counts what an Evaluator has done since it was made.
type EvaluatorStats struct {
	Loads     int // of revisions
	Evaluated int // files and packages that went to a child
	Reused    int // those whose result was known
	Started   int // child processes
	Died      int // those that a manifest has ended
	// PeakBytes is the most memory any child that has ended was resident with; 0
	// where the system does not tell.
	PeakBytes int64
}

// stats are EvaluatorStats that several goroutines count.
type stats struct {
	mu sync.Mutex
	EvaluatorStats
}

func (s *stats) count(add func(*EvaluatorStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.EvaluatorStats)
}

// ended counts a child whose process has ended.
func (s *stats) ended(c *child, died bool) {
	s.count(func(e *EvaluatorStats) {
		if died {
			e.Died++
		}
		if usage, known := c.usage().(*syscall.Rusage); known {
			e.PeakBytes = max(e.PeakBytes, residentBytes(usage))
		}
	})
}

// Stats is safe to call at any time.
func (e *Evaluator) Stats() EvaluatorStats {
	e.stats.mu.Lock()
	defer e.stats.mu.Unlock()
	return e.stats.EvaluatorStats
}
