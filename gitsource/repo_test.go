package gitsource_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// repo is a real repository with a work tree in a temporary directory.
type repo struct {
	t   testing.TB
	dir string
	git *git.Repository
}

func newRepo(t testing.TB) repo {
	t.Helper()
	dir := t.TempDir()
	r, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{
		InitOptions: git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName("main")},
	})
	if err != nil {
		t.Fatalf("init: %v", err)
	}
	return repo{t: t, dir: dir, git: r}
}

// commit writes files, an empty content removing the file, and commits them.
func (r repo) commit(message string, files map[string]string) plumbing.Hash {
	r.t.Helper()
	tree, err := r.git.Worktree()
	if err != nil {
		r.t.Fatalf("work tree: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if files[name] == "" {
			if _, err := tree.Remove(name); err != nil {
				r.t.Fatalf("remove %s: %v", name, err)
			}
			continue
		}
		write(r.t, filepath.Join(r.dir, name), files[name])
		if _, err := tree.Add(name); err != nil {
			r.t.Fatalf("add %s: %v", name, err)
		}
	}
	h, err := tree.Commit(message, &git.CommitOptions{Author: author()})
	if err != nil {
		r.t.Fatalf("commit %q: %v", message, err)
	}
	return h
}

// commitTree commits a tree as it is given, valid or not, on a branch.
func (r repo) commitTree(branch string, entries ...object.TreeEntry) plumbing.Hash {
	r.t.Helper()
	tree := r.store(&object.Tree{Entries: entries})
	h := r.store(&object.Commit{Author: *author(), Committer: *author(), Message: branch, TreeHash: tree})
	if err := r.git.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(branch), h)); err != nil {
		r.t.Fatalf("branch %s: %v", branch, err)
	}
	return h
}

func (r repo) store(o interface {
	Encode(plumbing.EncodedObject) error
}) plumbing.Hash {
	r.t.Helper()
	raw := r.git.Storer.NewEncodedObject()
	if err := o.Encode(raw); err != nil {
		r.t.Fatalf("encode: %v", err)
	}
	h, err := r.git.Storer.SetEncodedObject(raw)
	if err != nil {
		r.t.Fatalf("store: %v", err)
	}
	return h
}

// entry is a tree entry whose content is a blob of text.
func (r repo) entry(name string, mode filemode.FileMode, text string) object.TreeEntry {
	r.t.Helper()
	raw := r.git.Storer.NewEncodedObject()
	raw.SetType(plumbing.BlobObject)
	w, err := raw.Writer()
	if err != nil {
		r.t.Fatalf("blob: %v", err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		r.t.Fatalf("blob: %v", err)
	}
	if err := w.Close(); err != nil {
		r.t.Fatalf("blob: %v", err)
	}
	h, err := r.git.Storer.SetEncodedObject(raw)
	if err != nil {
		r.t.Fatalf("blob: %v", err)
	}
	return object.TreeEntry{Name: name, Mode: mode, Hash: h}
}

func (r repo) tag(name string, at plumbing.Hash, message string) {
	r.t.Helper()
	var opts *git.CreateTagOptions
	if message != "" {
		opts = &git.CreateTagOptions{Message: message, Tagger: author()}
	}
	if _, err := r.git.CreateTag(name, at, opts); err != nil {
		r.t.Fatalf("tag %s: %v", name, err)
	}
}

func (r repo) branch(name string, at plumbing.Hash) {
	r.t.Helper()
	if err := r.git.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(name), at)); err != nil {
		r.t.Fatalf("branch %s: %v", name, err)
	}
}

// bare clones the repository without a work tree.
func (r repo) bare() string {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "fleet.git")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(r.dir, ".git"))); err != nil {
		r.t.Fatalf("copy: %v", err)
	}
	return dir
}

func author() *object.Signature {
	return &object.Signature{Name: "Ada", Email: "ada@lab.example", When: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
