package gitsource_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/vksync/vksync/gitsource"
)

// history is a repository with two commits on main, a branch and two tags.
func history(t *testing.T) (r repo, first, second plumbing.Hash) {
	t.Helper()
	r = newRepo(t)
	first = r.commit("first", map[string]string{"clusters/prod.yaml": "replicas: 3\n", "README": "fleet\n"})
	second = r.commit("second", map[string]string{"clusters/prod.yaml": "replicas: 5\n", "clusters/eu/dev.yaml": "replicas: 1\n"})
	r.branch("release/1.0", first)
	r.tag("light", first, "")
	r.tag("v1.0", first, "the first release")
	return r, first, second
}

func TestARevisionNamesACommit(t *testing.T) {
	t.Parallel()
	r, first, second := history(t)
	for _, tt := range []struct {
		revision string
		want     plumbing.Hash
	}{
		{"main", second},
		{"HEAD", second},
		{"@", second},
		{"refs/heads/main", second},
		{"heads/main", second},
		{"release/1.0", first},
		{"light", first},
		{"v1.0", first},
		{"v1.0^{}", first},
		{"v1.0^{commit}", first},
		{"v1.0^0", first},
		{"HEAD~1", first},
		{"HEAD~", first},
		{"HEAD^", first},
		{"@^1", first},
		{"main~0", second},
		{first.String(), first},
		{first.String()[:7], first},
		{strings.ToUpper(first.String()[:9]), first},
		{second.String()[:7] + "^", first},
	} {
		t.Run(tt.revision, func(t *testing.T) {
			t.Parallel()
			tree, err := gitsource.AtRevision(r.dir, tt.revision)
			if err != nil {
				t.Fatalf("AtRevision(%q): %v", tt.revision, err)
			}
			if tree.Revision != tt.want.String() {
				t.Errorf("AtRevision(%q) is %s, want %s", tt.revision, tree.Revision, tt.want)
			}
			want := "replicas: 3\n"
			if tt.want == second {
				want = "replicas: 5\n"
			}
			if got := read(t, tree.FS, "clusters/prod.yaml"); got != want {
				t.Errorf("at %q clusters/prod.yaml is %q, want %q", tt.revision, got, want)
			}
		})
	}
}

func TestAnUnknownRevisionSaysWhatThereIs(t *testing.T) {
	t.Parallel()
	r, _, second := history(t)
	for _, tt := range []struct {
		revision string
		want     []string
	}{
		{"mian", []string{"did you mean main?", "branches: main, release/1.0", "tags: light, v1.0"}},
		{"v1.1", []string{"did you mean v1.0?"}},
		{"production", []string{"production is not in", "branches: main"}},
		{"heads", []string{"heads is not in"}},
		{"main/x", []string{"main/x is not in"}},
		{"config", []string{"config is not in"}},
		{"deadbeef", []string{"deadbeef is not in"}},
		{strings.Repeat("d", 40), []string{"there is no commit dddd"}},
		{"HEAD~2", []string{"HEAD~2 is not in", "has 0 parents"}},
		{"HEAD^2", []string{second.String()[:12] + " has 1 parents"}},
		{"HEAD~200000", []string{"further than 100000 commits"}},
		{"HEAD~99999999999999999999", []string{"further than 100000 commits"}},
		{"", []string{`"" is not a revision`}},
		{"~1", []string{"is not a revision"}},
		{"HEAD@{1}", []string{"is not a revision"}},
		{"HEAD:clusters", []string{"is not a revision"}},
		{"--upload-pack=x", []string{"is not a revision"}},
		{"../../etc/passwd", []string{"is not a revision"}},
		{"a b", []string{"is not a revision"}},
		{"HEAD^{tree}", []string{"is not a revision"}},
	} {
		t.Run(tt.revision, func(t *testing.T) {
			t.Parallel()
			_, err := gitsource.AtRevision(r.dir, tt.revision)
			if err == nil {
				t.Fatalf("AtRevision(%q) found something", tt.revision)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("AtRevision(%q): %v\nwant it to say %q", tt.revision, err, want)
				}
			}
		})
	}
}

func TestAnAmbiguousAbbreviationNamesTheCommits(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	// Enough commits that two of them begin with the same four digits.
	seen := map[string]plumbing.Hash{}
	for range 5000 {
		h := r.store(&object.Commit{Author: *author(), Committer: *author(), Message: strings.Repeat("x", len(seen))})
		short := h.String()[:4]
		if other, taken := seen[short]; taken {
			r.commit("main", map[string]string{"README": "fleet\n"})
			_, err := gitsource.AtRevision(r.dir, short)
			if err == nil || !strings.Contains(err.Error(), other.String()[:12]) || !strings.Contains(err.Error(), h.String()[:12]) {
				t.Errorf("AtRevision(%q): %v\nwant it to name %s and %s", short, err, other, h)
			}
			return
		}
		seen[short] = h
	}
	t.Fatal("no two of 5000 hashes begin alike")
}

func TestARepositoryIsFoundFromAnyPlaceInIt(t *testing.T) {
	t.Parallel()
	r, _, second := history(t)
	bare := r.bare()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(r.dir, "clusters"), link); err != nil {
		t.Fatal(err)
	}
	linked := linkedWorkTree(t, r)
	for _, tt := range []struct{ name, path, root string }{
		{"the top", r.dir, "."},
		{"a directory below", filepath.Join(r.dir, "clusters"), "clusters"},
		{"a directory that only the commit has", filepath.Join(r.dir, "clusters", "eu"), "clusters/eu"},
		{"a file", filepath.Join(r.dir, "clusters", "prod.yaml"), "clusters/prod.yaml"},
		{"its .git", filepath.Join(r.dir, ".git"), "."},
		{"a bare repository", bare, "."},
		{"a path in a bare repository", filepath.Join(bare, "clusters"), "clusters"},
		{"a link into it", link, "clusters"},
		{"a linked work tree", filepath.Join(linked, "clusters"), "clusters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tree, err := gitsource.AtRevision(tt.path, "main")
			if err != nil {
				t.Fatalf("AtRevision(%s): %v", tt.path, err)
			}
			if tree.Root != tt.root || tree.Revision != second.String() {
				t.Errorf("AtRevision(%s) is %s of %s, want %s of %s", tt.path, tree.Root, tree.Revision, tt.root, second)
			}
			if got := read(t, tree.FS, "clusters/eu/dev.yaml"); got != "replicas: 1\n" {
				t.Errorf("clusters/eu/dev.yaml is %q", got)
			}
		})
	}
	t.Run("the name says what was read", func(t *testing.T) {
		t.Parallel()
		tree, err := gitsource.AtRevision(bare, "main")
		if err != nil {
			t.Fatal(err)
		}
		if want := bare + " at main (" + second.String()[:12] + ")"; tree.Name != want {
			t.Errorf("the name is %q, want %q", tree.Name, want)
		}
	})
}

// linkedWorkTree lays out what "git worktree add" makes.
func linkedWorkTree(t *testing.T, r repo) string {
	t.Helper()
	dir := t.TempDir()
	private := filepath.Join(r.dir, ".git", "worktrees", "linked")
	write(t, filepath.Join(dir, ".git"), "gitdir: "+private+"\n")
	write(t, filepath.Join(private, "HEAD"), "ref: refs/heads/main\n")
	write(t, filepath.Join(private, "commondir"), "../..\n")
	return dir
}

func TestAPathThatCannotBeReadAtARevision(t *testing.T) {
	t.Parallel()
	r, _, _ := history(t)
	empty := newRepo(t)
	broken := t.TempDir()
	write(t, filepath.Join(broken, ".git"), "nonsense\n")
	for _, tt := range []struct{ name, path, want string }{
		{"not in the commit", filepath.Join(r.dir, "cluster"), "revision main of " + filepath.Join(r.dir, "cluster") + " has no cluster"},
		{"no repository", t.TempDir(), "is in no Git repository"},
		{"no commits", empty.dir, "has no commits yet"},
		{"a broken .git file", broken, "does not say where the repository is"},
		{"a URL", "https://ada:hunter2@git.example/fleet.git", "the address of a remote repository"},
		{"an address for ssh", "git@git.example:fleet.git", "the address of a remote repository"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := gitsource.AtRevision(tt.path, "main")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("AtRevision(%s): %v\nwant it to say %q", tt.path, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the message has the password: %v", err)
			}
		})
	}
}

func TestACommitIsAFileSystem(t *testing.T) {
	t.Parallel()
	r, _, _ := history(t)
	tree, err := gitsource.AtRevision(r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tree.FS, "README", "clusters/prod.yaml", "clusters/eu/dev.yaml"); err != nil {
		t.Error(err)
	}
}

func TestACommitDoesNotNeedItsWorkTree(t *testing.T) {
	t.Parallel()
	r, _, _ := history(t)
	write(t, filepath.Join(r.dir, "clusters", "prod.yaml"), "changed, not committed\n")
	tree, err := gitsource.AtRevision(r.dir, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, tree.FS, "clusters/prod.yaml"); got != "replicas: 5\n" {
		t.Errorf("the commit holds %q", got)
	}
}

func TestWhatACommitMustNotHold(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("main", map[string]string{"README": "fleet\n"})
	for _, tt := range []struct {
		name  string
		entry object.TreeEntry
		want  string
	}{
		{"a symbolic link", r.entry("x.yaml", filemode.Symlink, "/etc/passwd"), "x.yaml: it is a symbolic link"},
		{"a submodule", object.TreeEntry{Name: "x.yaml", Mode: filemode.Submodule, Hash: plumbing.NewHash(strings.Repeat("1", 40))}, "x.yaml: it is a submodule"},
		{"an odd mode", r.entry("x.yaml", 0o060000, "a: 1\n"), "x.yaml: it is a submodule"},
		{"a large file", r.entry("x.yaml", filemode.Regular, strings.Repeat("#", gitsource.MaxFileBytes+1)), "x.yaml: the file has 1048577 bytes"},
		{"a missing blob", object.TreeEntry{Name: "x.yaml", Mode: filemode.Regular, Hash: plumbing.NewHash(strings.Repeat("1", 40))}, "object not found"},
		{"a name of control codes", r.entry("\x1b[2Jx.yaml", filemode.Regular, "a: 1\n"), `the name "\x1b[2Jx.yaml" cannot be used`},
		{"a name that leads out", r.entry("..", filemode.Regular, "a: 1\n"), `the name ".." cannot be used`},
		{"a missing tree", object.TreeEntry{Name: "x.yaml", Mode: filemode.Dir, Hash: plumbing.NewHash(strings.Repeat("1", 40))}, "object not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := r.commitTree("odd", tt.entry)
			tree, err := gitsource.AtRevision(r.dir, h.String())
			if err != nil {
				t.Fatal(err)
			}
			err = fs.WalkDir(tree.FS, ".", func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				_, err = fs.ReadFile(tree.FS, path)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("reading it: %v\nwant it to say %q", err, tt.want)
			}
			if tt.entry.Mode == filemode.Symlink {
				if _, err := fs.Stat(tree.FS, "x.yaml"); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("looking at it: %v\nwant it to say %q", err, tt.want)
				}
			}
		})
	}
}

func TestGitsOwnFilesAreHidden(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("main", map[string]string{"README": "fleet\n"})
	h := r.commitTree("odd", r.entry(".git", filemode.Regular, "x"), r.entry("a.yaml", filemode.Regular, "a: 1\n"))
	tree, err := gitsource.AtRevision(r.dir, h.String())
	if err != nil {
		t.Fatal(err)
	}
	entries, err := fs.ReadDir(tree.FS, ".")
	if err != nil || len(entries) != 1 || entries[0].Name() != "a.yaml" {
		t.Errorf("the commit lists %v, %v; want a.yaml alone", entries, err)
	}
}

func TestATreeWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("main", map[string]string{"README": "fleet\n"})
	// Every level holds the one below ten times: 10^9 names in ten objects.
	entry := r.entry("f.yaml", filemode.Regular, "a: 1\n")
	for range 9 {
		var level []object.TreeEntry
		for _, name := range strings.Split("abcdefghij", "") {
			level = append(level, object.TreeEntry{Name: name, Mode: entry.Mode, Hash: entry.Hash})
		}
		entry = object.TreeEntry{Name: "d", Mode: filemode.Dir, Hash: r.store(&object.Tree{Entries: level})}
	}
	h := r.commitTree("bomb", entry)
	tree, err := gitsource.AtRevision(r.dir, h.String())
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(tree.FS, ".", func(_ string, _ fs.DirEntry, err error) error { return err })
	if err == nil || !strings.Contains(err.Error(), "more than 500000 files") {
		t.Errorf("walking it: %v, want it refused", err)
	}
}

func TestManyReadersOfOneCommit(t *testing.T) {
	t.Parallel()
	r, _, _ := history(t)
	tree, err := gitsource.AtRevision(r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if b, err := fs.ReadFile(tree.FS, "clusters/prod.yaml"); err != nil || string(b) != "replicas: 5\n" {
					t.Errorf("read %q, %v", b, err)
				}
			}
		})
	}
	all.Wait()
}

func FuzzRevision(f *testing.F) {
	for _, s := range []string{"main", "HEAD~1", "v1.0^{}", "@", "^", "HEAD@{1}", ":/x", "deadbeef", "a..b", "\x00", "HEAD~~~^2^0", "refs/heads/main", "main~99999999999"} {
		f.Add(s)
	}
	r := newRepo(f)
	only := r.commit("only", map[string]string{"README": "fleet\n"})
	r.tag("v1.0", only, "a release")
	f.Fuzz(func(t *testing.T, revision string) {
		tree, err := gitsource.AtRevision(r.dir, revision)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("AtRevision(%q) fails without a word", revision)
			}
			return
		}
		if tree.Revision != only.String() {
			t.Errorf("AtRevision(%q) is %s, and there is but one commit, %s", revision, tree.Revision, only)
		}
	})
}

func read(t *testing.T, fsys fs.FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
	return string(b)
}
