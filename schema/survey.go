package schema

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// HashFS is a file system that knows the hashes of its content without reading
// it, as Git does. An Evaluator then looks only at what has changed.
type HashFS interface {
	fs.FS
	// Hash is a text that is the same for the same content of a file, or for the
	// same names, modes and contents of everything below a directory, and differs
	// for any other. It fails for what does not exist or cannot be read.
	Hash(name string) (string, error)
}

// survey finds the manifests of a tree. With the hashes of a HashFS it takes over
// from an older survey what has not changed.
type survey struct {
	*repo
	hashes HashFS // nil where the file system has none
	files  int
	bytes  int64
	root   string
}

// listing is a directory, as far as it matters here.
type listing struct {
	hash     string  // "" where it is not known
	above    ignores // of the directories that it is in
	own      ignores // of its own ignore file
	parts    []part  // in lexical order
	problems Problems
	files    int // in all of it
	bytes    int64
}

// part is one entry of a directory: a manifest or a directory of them.
type part struct {
	name     string
	manifest *manifest
	dir      *listing
}

// manifest is a file that is evaluated, on its own or with its package.
type manifest struct {
	unit   unit
	name   string
	hash   string // "" where it is not known
	bytes  int64
	latest *outcome // what an Evaluator has for it; nil for nothing yet
}

// of surveys the tree below root, which may be a single file. older is nil, or an
// older survey of the same root.
func (s *survey) of(root string, older *listing) *listing {
	s.root = root
	s.hashes, _ = s.fsys.(HashFS)
	above := s.ignoresAbove(root)
	top := &listing{above: above}
	info, err := fs.Stat(s.fsys, root)
	switch {
	case err != nil:
		top.refuse(root, "cannot be read: "+reason(err), "")
	case info.IsDir():
		return s.dir(root, above, older)
	case isManifest(root) && !above.match(root, false):
		s.file(top, root, part{})
	}
	return top
}

// dir surveys one directory and those below.
func (s *survey) dir(name string, above ignores, older *listing) *listing {
	l := &listing{above: above, hash: s.hash(name)}
	if older != nil && l.hash != "" && older.hash == l.hash && slices.EqualFunc(older.above, above, ignorePattern.equal) &&
		!s.isFull(older.files, older.bytes) {
		s.files, s.bytes = s.files+older.files, s.bytes+older.bytes
		return older
	}
	entries, err := fs.ReadDir(s.fsys, name)
	if err != nil {
		l.refuse(name, "cannot be read: "+reason(err), "")
	}
	if data, problem := s.read(path.Join(name, ignoreFile)); problem == nil {
		l.own.add(name, string(data))
	}
	before := older.byName()
	inForce := slices.Concat(above, l.own)
	for _, entry := range entries {
		at := path.Join(name, entry.Name())
		switch {
		case s.isFull(0, 0):
			return l
		case !entry.IsDir():
			if isManifest(at) && !inForce.match(at, false) {
				s.file(l, at, before[entry.Name()])
			}
		case skipsDir(entry.Name()) || inForce.match(at, true):
		case strings.Count(at, "/") >= maxPathDepth:
			l.refuse(at, fmt.Sprintf("directories are nested deeper than %d", maxPathDepth), "")
		default:
			below := s.dir(at, inForce, before[entry.Name()].dir)
			l.parts = append(l.parts, part{name: entry.Name(), dir: below})
			l.files, l.bytes = l.files+below.files, l.bytes+below.bytes
		}
	}
	return l
}

// file adds a file to l, as it was before where it has not changed.
func (s *survey) file(l *listing, name string, before part) {
	m := &manifest{name: name, hash: s.hash(name)}
	if old := before.manifest; old != nil && m.hash != "" && old.hash == m.hash {
		m = old
	} else {
		info, err := fs.Stat(s.fsys, name)
		switch {
		case err != nil:
			l.refuse(name, "cannot be read: "+reason(err), "")
			return
		case !info.Mode().IsRegular():
			return
		}
		m.bytes = info.Size()
		m.unit = s.unitOf(name)
	}
	s.files, s.bytes = s.files+1, s.bytes+m.bytes
	if s.isFull(0, 0) {
		l.refuse(s.root, fmt.Sprintf("there are more than %d files or %d MiB of them", maxFiles, maxTotalBytes>>20), "split the repo, or list what is not for vksync in "+ignoreFile)
		return
	}
	l.files, l.bytes = l.files+1, l.bytes+m.bytes
	l.parts = append(l.parts, part{name: path.Base(name), manifest: m})
}

// isFull says whether so many more files are too many.
func (s *survey) isFull(files int, bytes int64) bool {
	return s.files+files > maxFiles || s.bytes+bytes > maxTotalBytes
}

func (s *survey) hash(name string) string {
	if s.hashes == nil {
		return ""
	}
	hash, err := s.hashes.Hash(name)
	if err != nil {
		return ""
	}
	return hash
}

// ignoresAbove reads the ignore files of the directories that root is in.
func (s *survey) ignoresAbove(root string) (above ignores) {
	if root == "." {
		return nil
	}
	parent := path.Dir(root)
	above = s.ignoresAbove(parent)
	if data, problem := s.read(path.Join(parent, ignoreFile)); problem == nil {
		above.add(parent, string(data))
	}
	return above
}

func skipsDir(base string) bool { return strings.HasPrefix(base, ".") || base == "cue.mod" }

func (l *listing) refuse(name, message, hint string) {
	l.problems = append(l.problems, Problem{Pos: resource.Position{File: name}, Message: message, Hint: hint})
}

func (l *listing) byName() map[string]part {
	if l == nil {
		return nil
	}
	parts := make(map[string]part, len(l.parts))
	for _, p := range l.parts {
		parts[p.name] = p
	}
	return parts
}

// found is all that a survey says, in lexical order: a package once, by its first
// file.
type found struct {
	manifests []*manifest
	problems  Problems
	ignores   ignores
}

func (l *listing) found() *found {
	f := &found{manifests: make([]*manifest, 0, l.files), ignores: slices.Clone(l.above)}
	f.add(l)
	return f
}

func (f *found) add(l *listing) {
	f.ignores = append(f.ignores, l.own...)
	f.problems = append(f.problems, l.problems...)
	packages := map[unit]bool{}
	for _, p := range l.parts {
		if p.dir != nil {
			f.add(p.dir)
			continue
		}
		if u := p.manifest.unit; u.file == "" {
			if packages[u] {
				continue
			}
			packages[u] = true
		}
		f.manifests = append(f.manifests, p.manifest)
	}
}
