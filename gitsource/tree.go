// Package gitsource reads the files of a cluster repository: those of a work
// tree, those of a commit, or those of a branch as it moves. It hides go-git, and
// keeps hostile content from reaching anything outside the repository: a link that
// leaves the tree, an oversized file or a tree without end is an error that says
// so.
//
// Follow is for a daemon: it watches a local repository, or polls a remote and
// listens to webhooks, and always has the last good revision and the reason why a
// newer one is not served. A remote is fetched into a bare mirror; there is never a
// work tree.
package gitsource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// Caps on what is read. A manifest is a few KiB; what is larger by orders of
// magnitude is a mistake or an attack (cue-git.md 1.10).
const (
	// MaxFileBytes is the size of the largest file that can be read.
	MaxFileBytes = 1 << 20
	// MaxEntries is how many directory entries of one commit are listed, all
	// directories together. Git trees can share subtrees, so a few hundred bytes
	// can hold more names than any memory.
	MaxEntries = 500_000
)

// Tree is the content of a repository at one moment. Reading it is safe for
// concurrent use. Its file handles are released when it is collected.
type Tree struct {
	// FS holds the whole repository, or the given directory when that is in no
	// repository. Git's own files are not in it.
	FS fs.FS
	// Root is the directory or file in FS that was asked for; "." is all of FS.
	Root string
	// Revision is the full hash of the commit; "" for a work tree.
	Revision string
	// Name says what was read, in the words of who asked: "fleet", or
	// "fleet at main (2f1c9e0a4b77)".
	Name string
	// base leads to FS from the working directory of when the tree was opened,
	// or is absolute as the path was; "" for a commit.
	base string
}

// Place is the path by which the user finds a file of FS: relative when the tree
// was asked for by a relative path. In a commit it is the path in FS.
func (t *Tree) Place(file string) string {
	if t.base == "" || file == "" {
		return file
	}
	return filepath.Join(t.base, filepath.FromSlash(file))
}

// baseOf is top as the user would write it who has written path.
func baseOf(path, top string) string {
	if filepath.IsAbs(path) {
		return top
	}
	cwd, err := os.Getwd()
	if err != nil {
		return top
	}
	if cwd, err = filepath.EvalSymlinks(cwd); err != nil {
		return top
	}
	if rel, err := filepath.Rel(cwd, top); err == nil {
		return rel
	}
	return top
}

// location is a path that was asked for, split where its repository begins.
type location struct {
	// top is the directory that is read; absolute, without links.
	top string
	// git is the repository's own directory; "" when path is in none.
	git string
	// rest is the asked path below top, slash-separated; "." is top itself.
	rest string
}

// locate finds the repository around path. path itself need not exist, since it
// may exist in another revision only.
func locate(path string) (location, error) {
	if remote(path) {
		// The address is not repeated: it may hold a password.
		return location{}, errors.New("the path is the address of a remote repository; only local ones can be read: clone it and give the path of the clone")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return location{}, fmt.Errorf("finding %s: %w", path, err)
	}
	abs, missing, err := evalExisting(abs)
	if err != nil {
		return location{}, fmt.Errorf("finding %s: %w", path, err)
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		git, err := gitDir(dir)
		if err != nil {
			return location{}, err
		}
		if git != "" {
			return location{top: dir, git: git, rest: below(dir, filepath.Join(abs, missing))}, nil
		}
		if dir == filepath.Dir(dir) {
			return location{top: abs, rest: below(abs, filepath.Join(abs, missing))}, nil
		}
	}
}

var scpLike = regexp.MustCompile(`^[^\s/:]+@[^\s/:]+:`)

// remote says whether path is written like the address of a remote repository.
func remote(path string) bool {
	return strings.Contains(path, "://") || scpLike.MatchString(path)
}

// evalExisting resolves the links in the part of path that exists, and returns
// what is behind it.
func evalExisting(path string) (existing, missing string, err error) {
	for {
		existing, err = filepath.EvalSymlinks(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) && !notDirectory(err) {
			return existing, missing, err
		}
		missing = filepath.Join(filepath.Base(path), missing)
		path = filepath.Dir(path)
	}
}

func notDirectory(err error) bool {
	return errors.Is(err, syscall.ENOTDIR)
}

func below(top, path string) string {
	rel, err := filepath.Rel(top, path)
	if err != nil {
		return "."
	}
	return filepath.ToSlash(rel)
}

// hidden says whether name in a tree is Git's own.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(part, ".git") {
			return true
		}
	}
	return false
}

// readable says whether a name can be shown and opened. Git can store names that
// hold terminal control codes, slashes or "..".
func readable(name string) bool {
	return fs.ValidPath(name) && !strings.ContainsAny(name, `/\`) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 })
}

func tooLarge(size int64) error {
	return fmt.Errorf("the file has %d bytes, more than the %d that a manifest may have", size, MaxFileBytes)
}
