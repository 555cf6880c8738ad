package gitsource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// blobFS is the tree of a commit. Directories are read when first asked for and
// kept; files are not, but for those that are given.
type blobFS struct {
	repo *repository
	root plumbing.Hash
	// dirs and listed are guarded by repo.mu.
	dirs   map[string][]node
	listed int
	// held are the directories that were read when the revision was accepted.
	held map[string]*directory
}

var (
	_ fs.ReadFileFS = (*blobFS)(nil)
	_ fs.ReadDirFS  = (*blobFS)(nil)
	_ fs.StatFS     = (*blobFS)(nil)
)

func newBlobFS(repo *repository, tree plumbing.Hash) *blobFS {
	return &blobFS{repo: repo, root: tree, dirs: map[string][]node{}}
}

// Open opens a file or a directory.
func (b *blobFS) Open(name string) (fs.File, error) {
	n, err := b.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.IsDir() {
		entries, err := b.ReadDir(name)
		if err != nil {
			return nil, err
		}
		return &openDir{node: n, rest: entries}, nil
	}
	content, err := b.content(n, name)
	if err != nil {
		return nil, err
	}
	return &openFile{node: n, Reader: bytes.NewReader(content)}, nil
}

// ReadFile reads a file.
func (b *blobFS) ReadFile(name string) ([]byte, error) {
	n, err := b.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is a directory")}
	}
	return b.content(n, name)
}

// ReadDir lists a directory by name.
func (b *blobFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := b.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("it is not a directory")}
	}
	b.repo.mu.Lock()
	defer b.repo.mu.Unlock()
	nodes, err := b.list(name, n.hash)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(nodes))
	for i, n := range nodes {
		entries[i] = n
	}
	return entries, nil
}

// Stat refuses links and submodules, so that nobody takes one for a file that is
// not there.
func (b *blobFS) Stat(name string) (fs.FileInfo, error) {
	n, err := b.find("stat", name)
	if err == nil && !n.IsDir() {
		err = n.refused("stat", name)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Hash is the hash of a file's blob or of a directory's tree, which Git knows
// without reading the content. Links and submodules have none, as nobody reads them.
func (b *blobFS) Hash(name string) (string, error) {
	n, err := b.find("hash", name)
	if err == nil && !n.IsDir() {
		err = n.refused("hash", name)
	}
	if err != nil {
		return "", err
	}
	return n.hash.String(), nil
}

// find walks from the root to name.
func (b *blobFS) find(op, name string) (node, error) {
	at := node{name: ".", mode: filemode.Dir, hash: b.root, fs: b}
	if !fs.ValidPath(name) {
		return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return at, nil
	}
	b.repo.mu.Lock()
	defer b.repo.mu.Unlock()
	dir := "."
	for part := range strings.SplitSeq(name, "/") {
		if !at.IsDir() {
			return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		nodes, err := b.list(dir, at.hash)
		if err != nil {
			return node{}, err
		}
		i, found := slices.BinarySearchFunc(nodes, part, func(n node, part string) int { return strings.Compare(n.name, part) })
		if !found {
			return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		at, dir = nodes[i], path.Join(dir, part)
	}
	return at, nil
}

// list reads a directory. The caller holds repo.mu.
func (b *blobFS) list(name string, tree plumbing.Hash) ([]node, error) {
	if nodes, known := b.dirs[name]; known {
		return nodes, nil
	}
	if d := b.held[name]; d != nil {
		b.dirs[name] = b.nodes(d.entries, d)
		return b.dirs[name], nil
	}
	decoded, err := b.repo.treeAt(tree)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fmt.Errorf("reading tree %.12s: %w", tree.String(), err)}
	}
	if b.listed += len(decoded.Entries); b.listed > MaxEntries {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: refused("the commit has more than %d files and directories", MaxEntries)}
	}
	for _, e := range decoded.Entries {
		if !hidden(e.Name) && !readable(e.Name) {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: refused("the name %q cannot be used: rename it", e.Name)}
		}
	}
	b.dirs[name] = b.nodes(decoded.Entries, nil)
	return b.dirs[name], nil
}

// nodes are the entries of a directory by name. Git sorts directories as if their
// names ended in a slash.
func (b *blobFS) nodes(entries []object.TreeEntry, in *directory) []node {
	nodes := make([]node, 0, len(entries))
	for _, e := range entries {
		if !hidden(e.Name) {
			nodes = append(nodes, node{name: e.Name, mode: e.Mode, hash: e.Hash, fs: b, in: in})
		}
	}
	slices.SortFunc(nodes, func(x, y node) int { return strings.Compare(x.name, y.name) })
	return nodes
}

// content reads the blob of a file, after having asked for its size.
func (b *blobFS) content(n node, name string) ([]byte, error) {
	if err := n.refused("read", name); err != nil {
		return nil, err
	}
	if content, ok := n.held(); ok {
		return slices.Clone(content), nil
	}
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: name, Err: err} }
	size, err := b.repo.size(n.hash)
	if err != nil {
		return fail(err)
	}
	if size > MaxFileBytes {
		return fail(tooLarge(size))
	}
	content, err := b.repo.read(n.hash, size)
	if err != nil {
		return fail(err)
	}
	return content, nil
}

// read reads a blob of a known size.
func (r *repository) read(h plumbing.Hash, size int64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	content := make([]byte, size)
	err := r.retried(func() error {
		o, err := r.store.EncodedObject(plumbing.BlobObject, h)
		if err != nil {
			return err
		}
		from, err := o.Reader()
		if err != nil {
			return err
		}
		defer from.Close()
		_, err = io.ReadFull(from, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading blob %.12s: %w", h.String(), err)
	}
	return content, nil
}

// refused is the reason why a node that is no directory cannot be read.
func (n node) refused(op, name string) error {
	switch n.mode {
	case filemode.Regular, filemode.Deprecated, filemode.Executable:
		return nil
	case filemode.Symlink:
		return &fs.PathError{Op: op, Path: name, Err: errors.New("it is a symbolic link, which is not followed in a commit: put the file itself there")}
	}
	// go-git takes every other mode for a submodule.
	return &fs.PathError{Op: op, Path: name, Err: errors.New("it is a submodule, which is not read: put its files into this repository")}
}

// size is the size of a blob.
func (r *repository) size(h plumbing.Hash) (size int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.retried(func() error {
		size, err = r.store.EncodedObjectSize(h)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reading the size of blob %.12s: %w", h.String(), err)
	}
	return size, nil
}

// node is one entry of a directory; it is its own fs.DirEntry and fs.FileInfo.
type node struct {
	name string
	mode filemode.FileMode
	hash plumbing.Hash
	fs   *blobFS
	in   *directory // which may hold the content; nil when it was not read
}

// held is the content when it was read with its directory.
func (n node) held() (content []byte, ok bool) {
	if n.in != nil {
		content, ok = n.in.blobs[n.hash]
	}
	return content, ok
}

func (n node) Name() string               { return n.name }
func (n node) IsDir() bool                { return n.mode == filemode.Dir }
func (n node) Type() fs.FileMode          { return n.Mode().Type() }
func (n node) Info() (fs.FileInfo, error) { return n, nil }
func (n node) ModTime() time.Time         { return time.Time{} }
func (n node) Sys() any                   { return nil }

// Size is 0 for what has no content that can be read.
func (n node) Size() int64 {
	if !n.mode.IsRegular() && n.mode != filemode.Executable {
		return 0
	}
	if content, ok := n.held(); ok {
		return int64(len(content))
	}
	size, err := n.fs.repo.size(n.hash)
	if err != nil {
		return 0
	}
	return size
}

// Mode has submodules as irregular files.
func (n node) Mode() fs.FileMode {
	switch n.mode {
	case filemode.Dir:
		return fs.ModeDir | 0o555
	case filemode.Executable:
		return 0o555
	case filemode.Regular, filemode.Deprecated:
		return 0o444
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	}
	return fs.ModeIrregular
}

// openFile is an open file.
type openFile struct {
	node
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openFile) Size() int64                { return f.Reader.Size() }
func (f *openFile) Close() error               { return nil }

// openDir is an open directory.
type openDir struct {
	node
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("it is a directory")}
}

// ReadDir lists the next n entries, or all that are left when n is not positive.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	next := d.rest[:n]
	d.rest = d.rest[n:]
	return slices.Clone(next), nil
}
