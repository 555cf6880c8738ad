// Package schema turns the files of a cluster repo into desired resources: it
// reads YAML, JSON and CUE, judges every resource by one closed CUE definition
// for its apiVersion and kind, and checks the rules between fields and between
// resources. It hides CUE, the layout of files and how positions survive.
//
// Whatever it is written in, a resource becomes a tree of plain data in which
// every value knows its file, line and column (tree.go). The definitions in the
// *.cue files decide whether that data is accepted; they hold no defaults, so
// what a user wrote is exactly what is applied. Explaining a refusal (explain.go)
// costs more than finding it and happens only then.
//
// Input is hostile: sizes, depths and counts are capped (limits.go), nothing
// outside the given file system is read, nothing is downloaded, and evaluation
// has a deadline.
//
// Load does all of it in this process, once. An Evaluator (evaluator.go) follows
// a repo: it finds what changed (survey.go), has that judged by child processes
// under limits (child.go, serve.go, restrict.go), and keeps every result with
// what it depends on (view.go, cache.go, snapshot.go). Data goes to the child like
// CUE programs do: a YAML file of 190 KB with 20,000 unknown fields keeps the
// evaluator busy for half a minute, which no cap on its form foresees. It costs a
// fifth more of processor time when everything is new.
//
// LoadConfig reads the daemon's own file by the same definitions, readers and
// explanations (config.go).
package schema
