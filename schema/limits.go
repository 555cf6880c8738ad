package schema

import "time"

// What one Load accepts. A repo of 10,000 clusters stays well below; each bound
// keeps some input that would take seconds or gigabytes to a message
// (cue-git.md 1.10).
const (
	maxFiles         = 50_000
	maxFileBytes     = 256 << 10
	maxTotalBytes    = 512 << 20
	maxPathDepth     = 32
	maxPathBytes     = 1_024
	maxDocuments     = 1_000   // in one file
	maxDepth         = 64      // of nesting
	maxNodes         = 100_000 // in one file or CUE package, after evaluation
	maxTokens        = 50_000  // in one CUE file
	maxOperators     = 1_000   // in one CUE expression
	maxNumberLength  = 64
	maxComprehension = 4 // nested for clauses in one CUE expression
	maxProblems      = 1_000
	maxExplained     = 50 // problems of one resource

	// What the child process may answer and ask for, for one unit.
	maxFrameBytes = 8 << 20
	maxAsked      = 20_000
	maxAskedBytes = 64 << 20

	// maxEvaluation bounds the time one CUE package takes in Load. Evaluation
	// cannot be stopped, only given up; an Evaluator ends the process it is in.
	maxEvaluation = 20 * time.Second
)
