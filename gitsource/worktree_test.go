package gitsource_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/vksync/vksync/gitsource"
)

func TestAWorkTreeIsAFileSystem(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("main", map[string]string{"clusters/prod.yaml": "replicas: 3\n"})
	write(t, filepath.Join(r.dir, "clusters", "new.yaml"), "not committed\n")
	tree, err := gitsource.WorkTree(filepath.Join(r.dir, "clusters"))
	if err != nil {
		t.Fatal(err)
	}
	if tree.Root != "clusters" || tree.Revision != "" {
		t.Errorf("the tree begins at %q of revision %q, want clusters of none", tree.Root, tree.Revision)
	}
	if err := fstest.TestFS(tree.FS, "clusters/prod.yaml", "clusters/new.yaml"); err != nil {
		t.Error(err)
	}
	entries, err := fs.ReadDir(tree.FS, ".")
	if err != nil || len(entries) != 1 {
		t.Errorf("the top lists %v, %v; want clusters alone, without .git", entries, err)
	}
	if _, err := fs.ReadFile(tree.FS, ".git/HEAD"); err == nil {
		t.Error(".git/HEAD can be read")
	}
}

func TestADirectoryOrFileOutsideOfGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "fleet", "prod.yaml"), "replicas: 3\n")
	for _, tt := range []struct{ path, root, file string }{
		{"fleet", ".", "prod.yaml"},
		{"fleet/prod.yaml", "prod.yaml", "prod.yaml"},
		{".", ".", "fleet/prod.yaml"},
	} {
		tree, err := gitsource.WorkTree(filepath.Join(dir, tt.path))
		if err != nil {
			t.Fatalf("WorkTree(%s): %v", tt.path, err)
		}
		if tree.Root != tt.root {
			t.Errorf("WorkTree(%s) begins at %s, want %s", tt.path, tree.Root, tt.root)
		}
		if got := read(t, tree.FS, tt.file); got != "replicas: 3\n" {
			t.Errorf("WorkTree(%s) holds %q", tt.path, got)
		}
		want, err := filepath.EvalSymlinks(filepath.Join(dir, "fleet", "prod.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Place(tt.file); got != want {
			t.Errorf("the user finds %s at %s, want %s", tt.file, got, want)
		}
	}
}

func TestPlacesAreRelativeWhenThePathWas(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "fleet", "prod.yaml"), "replicas: 3\n")
	for _, tt := range []struct{ from, path, want string }{
		{"", "fleet", "fleet/prod.yaml"},
		{"fleet", ".", "prod.yaml"},
		{"fleet", "../fleet", "prod.yaml"},
		{"fleet", "prod.yaml", "prod.yaml"},
	} {
		t.Chdir(filepath.Join(dir, tt.from))
		tree, err := gitsource.WorkTree(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Place("prod.yaml"); got != filepath.FromSlash(tt.want) {
			t.Errorf("in %q the user of %s finds prod.yaml at %s, want %s", tt.from, tt.path, got, tt.want)
		}
		if tree.Name != filepath.FromSlash(tt.path) {
			t.Errorf("the name is %q, want %q", tree.Name, tt.path)
		}
	}
}

func TestLinksInAWorkTree(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "hunter2\n")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), "replicas: 3\n")
	for name, target := range map[string]string{
		"inside.yaml":   "a.yaml",
		"absolute.yaml": filepath.Join(outside, "secret"),
		"upward.yaml":   "../../../../../../../../etc/hosts",
		"dangling.yaml": "nothing.yaml",
		"loop.yaml":     "loop.yaml",
		"away":          outside,
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := gitsource.WorkTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, tree.FS, "inside.yaml"); got != "replicas: 3\n" {
		t.Errorf("a link inside the tree reads %q", got)
	}
	for name, want := range map[string]string{
		"absolute.yaml": "leaves the tree",
		"upward.yaml":   "leaves the tree",
		"away/secret":   "leaves the tree",
		"dangling.yaml": "no such file",
		"loop.yaml":     "symbolic links",
	} {
		b, err := fs.ReadFile(tree.FS, name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("reading %s: %q, %v\nwant it to say %q", name, b, err, want)
		}
	}
}

func TestWhatAWorkTreeMustNotHold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "large.yaml"), strings.Repeat("#", gitsource.MaxFileBytes+1))
	write(t, filepath.Join(dir, "odd", "a\x1b[2J.yaml"), "a: 1\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := gitsource.WorkTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"large.yaml": "1048577 bytes, more than the 1048576",
		"pipe.yaml":  "it is a named pipe",
	} {
		if _, err := fs.ReadFile(tree.FS, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("reading %s: %v\nwant it to say %q", name, err, want)
		}
	}
	if _, err := fs.ReadDir(tree.FS, "odd"); err == nil || !strings.Contains(err.Error(), "cannot be used") {
		t.Errorf("listing a name of control codes: %v", err)
	}
}

func TestAPathThatIsNoWorkTree(t *testing.T) {
	t.Parallel()
	r, _, _ := history(t)
	for _, tt := range []struct{ name, path, want string }{
		{"missing", filepath.Join(r.dir, "nothing"), "nothing does not exist"},
		{"missing, outside of Git", filepath.Join(t.TempDir(), "nothing"), "nothing does not exist"},
		{"below a file", filepath.Join(r.dir, "README", "x"), "does not exist"},
		{"a bare repository", r.bare(), "is a bare repository"},
		{"Git's own directory", filepath.Join(r.dir, ".git"), "is a bare repository"},
		{"a URL", "ssh://git@git.example/fleet.git", "the address of a remote repository"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := gitsource.WorkTree(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("WorkTree(%s): %v\nwant it to say %q", tt.path, err, tt.want)
			}
		})
	}
}
