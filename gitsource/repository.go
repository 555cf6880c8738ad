package gitsource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// largeObject is the size from which an object is streamed instead of held in
// memory; without it 1 MiB read of a large blob costs gigabytes (cue-git.md 2).
const largeObject = 1 << 20

// repository is an open repository. go-git is not safe for concurrent use, so
// every access holds mu.
type repository struct {
	path  string // as the user wrote it
	mu    sync.Mutex
	store *filesystem.Storage
	git   *git.Repository
}

// openRepository opens the repository whose own directory is dir.
func openRepository(path, dir string) (*repository, error) {
	files, err := gitFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the repository of %s: %w", path, err)
	}
	store := filesystem.NewStorageWithOptions(files, cache.NewObjectLRU(32*cache.MiByte), filesystem.Options{
		KeepDescriptors:      true,
		LargeObjectThreshold: largeObject,
	})
	opened, err := git.Open(store, nil)
	if err != nil {
		return nil, fmt.Errorf("opening the repository of %s: %w", path, err)
	}
	return &repository{path: path, store: store, git: opened}, nil
}

// retried runs read, and once more after looking for packs that another process
// has written or rewritten since the repository was opened.
func (r *repository) retried(read func() error) error {
	err := read()
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		r.store.Reindex()
		err = read()
	}
	return err
}

// gitDir is the repository's own directory when one begins at dir: dir itself
// when it is bare, its .git otherwise, "" when none begins here.
func gitDir(dir string) (string, error) {
	dot := filepath.Join(dir, git.GitDirName)
	info, err := os.Stat(dot)
	switch {
	case err == nil && info.IsDir():
		return dot, nil
	case err == nil:
		return linked(dir, dot)
	case bare(dir):
		return dir, nil
	}
	return "", nil
}

// bare says whether dir has what Git itself looks for.
func bare(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// linked reads the .git file of a linked work tree or a submodule.
func linked(dir, dot string) (string, error) {
	text, err := os.ReadFile(dot)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", dot, err)
	}
	target, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("%s does not say where the repository is: want one line \"gitdir: PATH\"", dot)
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	return filepath.Clean(target), nil
}

// gitFiles is the content of a repository's own directory. A linked work tree
// keeps HEAD of its own and has the rest in common with the main one.
func gitFiles(dir string) (billy.Filesystem, error) {
	own := osfs.New(dir, osfs.WithBoundOS())
	common, err := commonDir(dir)
	if err != nil || common == dir {
		return own, err
	}
	return dotgit.NewRepositoryFilesystem(own, osfs.New(common, osfs.WithBoundOS())), nil
}

// commonDir is the directory that the linked work trees of a repository share:
// dir itself when it is not that of one.
func commonDir(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "commondir"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case err != nil:
		return "", err
	}
	common := strings.TrimSpace(string(text))
	if !filepath.IsAbs(common) {
		common = filepath.Join(dir, common)
	}
	return filepath.Clean(common), nil
}
