package gitsource

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const (
	// MaxPathBytes is how long the path of a file may be.
	MaxPathBytes = 1024
	// MaxDepth is how many directories may be in one another.
	MaxDepth = 64
	// maxTreeBytes bounds one directory's listing; MaxEntries short names need less.
	maxTreeBytes = 32 << 20
)

// checks reads the trees of one revision after the other and refuses those that
// are not harmless. It has the directories of the last one, by hash: so a
// revision costs what it changes, and a tree that shares its parts to look endless
// costs its parts.
type checks struct {
	limits Limits
	known  map[plumbing.Hash]*directory
	places map[string]*directory // the same by path
}

// directory is a harmless one with all that is in it; it never changes.
type directory struct {
	hash    plumbing.Hash
	entries []object.TreeEntry
	dirs    map[string]*directory
	blobs   map[plumbing.Hash][]byte // the content of its own manifests
	below   extent
}

// extent is what a directory adds to a revision.
type extent struct {
	entries, files int
	bytes          int64
	depth, longest int // of the paths below it
}

// read reads what is below root into memory, so that it stays readable whatever
// becomes of the repository. It fails on what is not harmless, naming the path.
func (c *checks) read(b *blobFS, root string) error {
	n, err := b.find("open", root)
	if err != nil {
		return err
	}
	if !n.IsDir() {
		content, err := b.content(n, root)
		b.hold(root, &directory{blobs: map[plumbing.Hash][]byte{n.hash: content}})
		return err
	}
	reading := &reader{checks: c, repo: b.repo, seen: map[plumbing.Hash]*directory{}}
	top, err := reading.dir(n.hash, strings.TrimPrefix(root, "."))
	if err != nil {
		return err
	}
	c.known = reading.seen
	b.held = map[string]*directory{}
	b.fill(top, root)
	c.places = b.held
	return nil
}

// hold keeps the content of one file.
func (b *blobFS) hold(file string, d *directory) {
	for i, n := range b.dirs[path.Dir(file)] {
		if n.name == path.Base(file) {
			b.dirs[path.Dir(file)][i].in = d
		}
	}
}

// fill takes over a directory that was read.
func (b *blobFS) fill(d *directory, at string) {
	b.held[at] = d
	for name, below := range d.dirs {
		b.fill(below, path.Join(at, name))
	}
}

// reader reads one revision.
type reader struct {
	*checks
	repo *repository
	seen map[plumbing.Hash]*directory
}

// dir reads the directory at a path, "" being the top.
func (r *reader) dir(tree plumbing.Hash, at string) (*directory, error) {
	d := r.seen[tree]
	if d == nil {
		d = r.known[tree]
	}
	if d == nil {
		entries, err := r.repo.entries(tree, at)
		if err != nil {
			return nil, err
		}
		if d, err = r.listing(entries, at); err != nil {
			return nil, err
		}
		d.hash = tree
	}
	r.remember(tree, d)
	return d, r.within(d.below, at)
}

// remember keeps a directory for the next revision, with those below it.
func (r *reader) remember(tree plumbing.Hash, d *directory) {
	if r.seen[tree] != nil {
		return
	}
	r.seen[tree] = d
	for _, below := range d.dirs {
		r.remember(below.hash, below)
	}
}

// listing reads the entries of a directory.
func (r *reader) listing(entries []object.TreeEntry, at string) (*directory, error) {
	d := &directory{entries: entries, dirs: map[string]*directory{}, blobs: map[plumbing.Hash][]byte{}}
	seen := map[string]string{}
	for _, e := range entries {
		if hidden(e.Name) {
			continue
		}
		file := path.Join(at, e.Name)
		if err := harmlessName(e.Name, at); err != nil {
			return nil, err
		}
		if e.Mode == filemode.Dir || manifest(e.Name) {
			folded := cases.Fold().String(norm.NFKC.String(e.Name))
			if other, taken := seen[folded]; taken {
				return nil, refused("%s and %s are one name where case or Unicode form does not count: rename one", spelled(path.Join(at, other)), spelled(file))
			}
			seen[folded] = e.Name
		}
		below, err := r.entry(d, e, file)
		if err != nil {
			return nil, err
		}
		d.below.add(below, len(e.Name))
		if err := r.within(d.below, at); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// spelled is a name that shows how it differs from one that looks the same.
func spelled(name string) string {
	quoted := strconv.QuoteToASCII(name)
	return quoted[1 : len(quoted)-1]
}

// entry reads one entry into its directory.
func (r *reader) entry(d *directory, e object.TreeEntry, file string) (extent, error) {
	switch e.Mode {
	case filemode.Dir:
		if strings.Count(file, "/") >= MaxDepth {
			return extent{}, refused("%s: more than %d directories are in one another", file, MaxDepth)
		}
		below, err := r.dir(e.Hash, file)
		if err != nil {
			return extent{}, err
		}
		d.dirs[e.Name] = below
		return below.below, nil
	case filemode.Symlink:
		return extent{}, r.repo.harmlessLink(e, file)
	case filemode.Regular, filemode.Deprecated, filemode.Executable:
	default: // go-git takes every odd mode for a submodule
		return extent{}, refused("%s is a submodule or has the mode of no file: put files into this repository instead, or give the source a path without it", file)
	}
	if !manifest(e.Name) {
		return extent{}, nil
	}
	if content, ok := r.before(path.Dir(file), e.Hash); ok {
		d.blobs[e.Hash] = content
		return extent{files: 1, bytes: int64(len(content))}, nil
	}
	size, err := r.repo.sizeOf(e.Hash, file)
	if err != nil {
		return extent{}, err
	}
	if size > MaxFileBytes {
		return extent{}, refused("%s: %w", file, tooLarge(size))
	}
	d.blobs[e.Hash], err = r.repo.read(e.Hash, size)
	if err != nil {
		return extent{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return extent{files: 1, bytes: size}, nil
}

// before is the content of a file that the last revision had in the same
// directory.
func (r *reader) before(dir string, h plumbing.Hash) (content []byte, ok bool) {
	if d := r.places[dir]; d != nil {
		content, ok = d.blobs[h]
	}
	return content, ok
}

// add puts what is below an entry to what is in its directory.
func (x *extent) add(below extent, name int) {
	x.entries += below.entries + 1
	x.files += below.files
	x.bytes += below.bytes
	x.depth = max(x.depth, below.depth+1)
	x.longest = max(x.longest, below.longest+1+name)
}

// within holds an extent against the limits. Sums cannot overflow, since each is
// held against its limit after every addition.
func (c *checks) within(x extent, at string) error {
	where, levels := at, 0
	if at == "" {
		where = "the revision"
	} else {
		levels = strings.Count(at, "/") + 1
	}
	switch {
	case x.entries > MaxEntries:
		return refused("%s has more than %d files and directories", where, MaxEntries)
	case x.files > c.limits.Files:
		return refused("%s has more than %d manifests: split the repository, or raise the source's limit", where, c.limits.Files)
	case x.bytes > c.limits.Bytes:
		return refused("%s has more than %d bytes of manifests: split the repository, or raise the source's limit", where, c.limits.Bytes)
	case levels+x.depth > MaxDepth+1:
		return refused("%s: more than %d directories are in one another", where, MaxDepth)
	case len(at)+x.longest > MaxPathBytes:
		return refused("%s: a path below it has more than %d bytes", where, MaxPathBytes)
	}
	return nil
}

// entries reads a directory after having asked for its size.
func (r *repository) entries(tree plumbing.Hash, at string) ([]object.TreeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	decoded, err := r.treeAt(tree)
	if err != nil {
		if at == "" {
			at = "the top directory"
		}
		return nil, fmt.Errorf("reading %s, tree %.12s: %w", at, tree.String(), err)
	}
	return decoded.Entries, nil
}

// treeAt reads a directory's object. The caller holds mu.
func (r *repository) treeAt(h plumbing.Hash) (tree *object.Tree, err error) {
	err = r.retried(func() error {
		size, err := r.store.EncodedObjectSize(h)
		if err != nil {
			return err
		}
		if size > maxTreeBytes {
			return refused("its listing has %d bytes, more than the %d that one may have", size, maxTreeBytes)
		}
		tree, err = object.GetTree(r.store, h)
		return malformed(err)
	})
	return tree, err
}

// malformed makes a refusal of an object that was read and is not one: another
// copy of it would not be better.
func malformed(err error) error {
	if errors.Is(err, object.ErrMalformedTree) || errors.Is(err, object.ErrMalformedCommit) {
		return refusal{err}
	}
	return err
}

// sizeOf is the size of a file's content.
func (r *repository) sizeOf(h plumbing.Hash, file string) (int64, error) {
	size, err := r.size(h)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", file, err)
	}
	return size, nil
}
