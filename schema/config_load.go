package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// LoadConfig reads the file of --config from its text. name is its path: the
// ending says whether it is YAML, JSON or CUE, problems name it, and paths in it
// are relative to its directory. It returns nil with any problem. The texts of
// problems hold no secret, also where one stands in the file that should not.
func LoadConfig(name string, text []byte) (*Config, Problems) {
	base := path.Base(filepath.ToSlash(name))
	doc, problems := judgedConfig(base, text)
	for i := range problems {
		problems[i].Pos.File = strings.Replace(problems[i].Pos.File, base, name, 1)
	}
	if len(problems) > 0 || doc == nil {
		return nil, problems.sorted().capped().shown()
	}
	return decoding{dir: filepath.Dir(name)}.config(doc), nil
}

// judgedConfig reads the file and judges its document. A fault in the libraries
// that read it is a problem of the file.
func judgedConfig(base string, text []byte) (doc *node, problems Problems) {
	defer func() {
		if recover() != nil {
			doc, problems = nil, Problems{evaluatorFailed(base)}
		}
	}()
	if doc, problems = readConfig(base, text); doc != nil {
		problems = append(problems, checkConfig(doc)...)
	}
	return doc, problems
}

// readConfig reads the one document of the file. With a problem the document is
// nil or has broken parts.
func readConfig(base string, text []byte) (doc *node, problems Problems) {
	whole := func(message, allowed, hint string) (*node, Problems) {
		return nil, Problems{{Pos: resource.Position{File: base}, Message: message, Allowed: allowed, Hint: hint}}
	}
	switch path.Ext(base) {
	case ".yaml", ".yml", ".json", ".cue":
	default:
		return whole("the name does not say what the configuration is written in", "a name that ends in .yaml, .json or .cue", "rename the file")
	}
	// The operator's own file may be evaluated here, with no more than a deadline.
	r := &repo{fsys: oneFile{base, text}}
	read := r.readUnit(unit{file: base})
	problems = read.problems
	switch {
	case len(problems) > 0 && len(read.docs) == 0:
		return nil, problems
	case len(read.docs) != 1:
		return whole(fmt.Sprintf("the file has %d documents", len(read.docs)), "one, with apiVersion vksync.dev/v1alpha1 and kind Config", "")
	}
	if doc = read.docs[0]; read.refine != nil {
		read.refine(doc)
	}
	return doc, problems
}

// oneFile is a file system with one file, since that is how sources are read.
type oneFile struct {
	name string
	data []byte
}

func (o oneFile) Open(name string) (fs.File, error) {
	if name != o.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openText{name: name, Reader: bytes.NewReader(o.data)}, nil
}

// openText is an open file that is in memory.
type openText struct {
	name string
	*bytes.Reader
}

func (f *openText) Stat() (fs.FileInfo, error) { return f, nil }
func (f *openText) Close() error               { return nil }
func (f *openText) Name() string               { return f.name }
func (f *openText) Mode() fs.FileMode          { return 0o444 }
func (f *openText) ModTime() time.Time         { return time.Time{} }
func (f *openText) IsDir() bool                { return false }
func (f *openText) Sys() any                   { return nil }
