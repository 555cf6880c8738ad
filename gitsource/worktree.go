package gitsource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WorkTree reads the files below path as they are on disk, committed or not. In
// a repository FS begins at its top, else at path. path can be a single file.
// Links are followed as long as they stay inside.
func WorkTree(path string) (*Tree, error) {
	at, err := locate(path)
	if err != nil {
		return nil, err
	}
	if at.git == at.top {
		return nil, fmt.Errorf("%s is a bare repository, which has no work tree: name a revision to read", path)
	}
	info, err := os.Stat(filepath.Join(at.top, filepath.FromSlash(at.rest)))
	if err != nil {
		return nil, fmt.Errorf("%s does not exist: %w", path, errors.Unwrap(err))
	}
	if at.git == "" && !info.IsDir() {
		at.rest, at.top = filepath.Base(at.top), filepath.Dir(at.top)
	}
	if hidden(at.rest) {
		return nil, fmt.Errorf("%s belongs to Git itself: name a directory of manifests", path)
	}
	root, err := os.OpenRoot(at.top)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return &Tree{FS: diskFS{root}, Root: at.rest, Name: filepath.Clean(path), base: baseOf(path, at.top)}, nil
}

// diskFS is a directory that nothing leads out of.
type diskFS struct{ root *os.Root }

var (
	_ fs.ReadFileFS = diskFS{}
	_ fs.StatFS     = diskFS{}
)

// Open opens a regular file or a directory.
func (d diskFS) Open(name string) (fs.File, error) {
	info, err := d.stat("open", name)
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, explained("open", name, err)
	}
	if info.IsDir() {
		return listing{f}, nil
	}
	if info.Size() > MaxFileBytes {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: tooLarge(info.Size())}
	}
	return capped{f, io.LimitReader(f, MaxFileBytes)}, nil
}

// ReadFile reads a regular file.
func (d diskFS) ReadFile(name string) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Stat follows links.
func (d diskFS) Stat(name string) (fs.FileInfo, error) { return d.stat("stat", name) }

// stat refuses what cannot be read. It comes before every open, since opening a
// named pipe would wait for its other end.
func (d diskFS) stat(op, name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if hidden(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	info, err := d.root.Stat(filepath.FromSlash(name))
	switch {
	case err != nil:
		return nil, explained(op, name, err)
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("it is %s; only files and directories are read", kindOf(info.Mode()))}
	}
	return info, nil
}

// explained puts words to the error of os.Root for a link that leaves it.
func explained(op, name string, err error) error {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	if strings.Contains(pathErr.Err.Error(), "escapes") {
		return &fs.PathError{Op: op, Path: name, Err: errors.New("it is a symbolic link that leaves the tree: put the file itself there")}
	}
	return &fs.PathError{Op: op, Path: name, Err: pathErr.Err}
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// capped ends a file that grows while it is read.
type capped struct {
	*os.File
	r io.Reader
}

func (c capped) Read(p []byte) (int, error) { return c.r.Read(p) }

// listing is a directory without Git's own entries.
type listing struct{ *os.File }

func (l listing) ReadDir(n int) ([]fs.DirEntry, error) {
	for {
		entries, err := l.File.ReadDir(n)
		kept := entries[:0]
		for _, e := range entries {
			if hidden(e.Name()) {
				continue
			}
			if !readable(e.Name()) {
				return kept, &fs.PathError{Op: "readdir", Path: l.Name(), Err: fmt.Errorf("the name %q cannot be used: rename it", e.Name())}
			}
			kept = append(kept, e)
		}
		// A batch of nothing but hidden names must not look like the end.
		if err != nil || n <= 0 || len(kept) > 0 {
			return kept, err
		}
	}
}
