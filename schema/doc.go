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
package schema
