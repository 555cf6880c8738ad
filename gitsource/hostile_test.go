package gitsource_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/vksync/vksync/gitsource"
)

// dir is an entry that is a directory.
func (r repo) subdir(name string, entries ...object.TreeEntry) object.TreeEntry {
	return object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: r.store(&object.Tree{Entries: entries})}
}

func (r repo) file(name, text string) object.TreeEntry { return r.entry(name, filemode.Regular, text) }
func (r repo) link(name, to string) object.TreeEntry   { return r.entry(name, filemode.Symlink, to) }

func TestAHostileRevisionIsRefusedByItsPath(t *testing.T) {
	t.Parallel()
	gitlink := object.TreeEntry{Name: "module", Mode: filemode.Submodule, Hash: plumbing.NewHash(strings.Repeat("ab", 20))}
	nested := func(r repo, levels int) object.TreeEntry {
		e := r.file("x.yaml", "a: 1\n")
		for i := range levels {
			e = r.subdir(fmt.Sprintf("d%d", i), e)
		}
		return e
	}
	for _, tt := range []struct {
		name   string
		limits gitsource.Limits
		path   string
		tree   func(repo) []object.TreeEntry
		says   []string // none: it is served
	}{
		{name: "a manifest that is a link", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.link("a.yaml", "b.yaml")} }, says: []string{"a.yaml is a symbolic link", "put the file itself there"}},
		{name: "a link out of the repository", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.subdir("eu", r.link("more", "../../etc"))}
		}, says: []string{"eu/more is a symbolic link that leaves the repository"}},
		{name: "a link to an absolute path", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.link("etc", "/etc/passwd")} }, says: []string{"etc is a symbolic link that leaves"}},
		{name: "a link with an endless target", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.link("x", strings.Repeat("a", 2000))}
		}, says: []string{"x is a symbolic link with a target of 2000 bytes"}},
		{name: "a harmless link", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("README", "x"), r.link("README.md", "README"), r.subdir("docs", r.link("top", "../README"))}
		}},
		{name: "a submodule", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.subdir("eu", gitlink)} }, says: []string{"eu/module is a submodule", "give the source a path without it"}},
		{name: "an odd mode", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.entry("a.yaml", 0o170000, "x")} }, says: []string{"a.yaml is a submodule or has the mode of no file"}},
		{name: "what is outside the path", path: "clusters", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.link("a.yaml", "/etc/passwd"), r.subdir("clusters", r.file("a.yaml", "a: 1\n")), gitlink, r.subdir("other", r.file("..x", ""), r.file("\xff", ""))}
		}},
		{name: "two dots", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.subdir("..", r.file("a.yaml", "x"))} }, says: []string{`the top directory holds the name ".."`}},
		{name: "a slash", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.subdir("eu", r.file("../a.yaml", "x"))} }, says: []string{`eu holds the name "../a.yaml"`}},
		{name: "a backslash", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.file(`..\a.yaml`, "x")} }, says: []string{`holds the name "..\\a.yaml"`}},
		{name: "bad UTF-8", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.file("a\xff.yaml", "x")} }, says: []string{`holds the name "a\xff.yaml"`}},
		{name: "a control character", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.file("a\x1b[2J.yaml", "x")} }, says: []string{`holds the name "a\x1b[2J.yaml"`}},
		{name: "an invisible character", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{r.file("a\u202e.yaml", "x")} }, says: []string{`which has invisible characters`}},
		{name: "names that differ by case", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.subdir("eu", r.file("Prod.yaml", "a: 1\n"), r.file("prod.YAML", "a: 2\n"))}
		}, says: []string{"eu/Prod.yaml and eu/prod.YAML are one name"}},
		{name: "directories that differ by case", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.subdir("EU", r.file("a.yaml", "")), r.subdir("eu", r.file("a.yaml", ""))}
		}, says: []string{"EU and eu are one name"}},
		{name: "names that differ by Unicode form", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("cafe\u0301.yaml", "a: 1\n"), r.file("caf\u00e9.yaml", "a: 2\n")}
		}, says: []string{`cafe\u0301.yaml and caf\u00e9.yaml are one name where case or Unicode form does not count`}},
		{name: "other files that differ by case", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("README", "x"), r.file("readme", "x")}
		}},
		{name: "a name twice", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("a.yaml", "a: 1\n"), r.file("a.yaml", "a: 2\n")}
		}, says: []string{"a.yaml and a.yaml are one name"}},
		{name: "a giant manifest", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.subdir("eu", r.file("a.yaml", strings.Repeat("#", gitsource.MaxFileBytes+1)))}
		}, says: []string{"eu/a.yaml: the file has 1048577 bytes"}},
		{name: "a giant that is no manifest", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("a.yaml", "a: 1\n"), r.file("map.png", strings.Repeat("#", 3<<20))}
		}},
		{name: "too many manifests", limits: gitsource.Limits{Files: 3}, tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("a.yaml", ""), r.subdir("b", r.file("b.json", ""), r.file("c.cue", "")), r.file("d.yml", ""), r.file("e", "")}
		}, says: []string{"the revision has more than 3 manifests"}},
		{name: "too many bytes", limits: gitsource.Limits{Bytes: 10}, tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.file("a.yaml", "12345"), r.file("b.yaml", "678901")}
		}, says: []string{"the revision has more than 10 bytes of manifests"}},
		{name: "a tree without end", tree: func(r repo) []object.TreeEntry {
			e := r.file("x.yaml", "a: 1\n")
			for range 12 {
				var copies []object.TreeEntry
				for i := range 10 {
					c := e
					c.Name = fmt.Sprintf("c%d", i)
					if c.Mode == filemode.Regular {
						c.Name += ".yaml"
					}
					copies = append(copies, c)
				}
				e = r.subdir("d", copies...)
			}
			return []object.TreeEntry{e}
		}, says: []string{"has more than 100000 manifests"}},
		{name: "directories as deep as they may be", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{nested(r, gitsource.MaxDepth)} }},
		{name: "directories that are too deep", tree: func(r repo) []object.TreeEntry { return []object.TreeEntry{nested(r, gitsource.MaxDepth+1)} }, says: []string{"more than 64 directories are in one another"}},
		{name: "a path that is too long", tree: func(r repo) []object.TreeEntry {
			e := r.file(strings.Repeat("x", 250)+".yaml", "")
			for range 4 {
				e = r.subdir(strings.Repeat("d", 250), e)
			}
			return []object.TreeEntry{e}
		}, says: []string{"a path below it has more than 1024 bytes"}},
		{name: "a malformed directory", tree: func(r repo) []object.TreeEntry {
			raw := r.git.Storer.NewEncodedObject()
			raw.SetType(plumbing.TreeObject)
			w, err := raw.Writer()
			if err == nil {
				_, err = w.Write([]byte("rubbish"))
			}
			if err == nil {
				err = w.Close()
			}
			h, stored := r.git.Storer.SetEncodedObject(raw)
			if err != nil || stored != nil {
				r.t.Fatal(err, stored)
			}
			return []object.TreeEntry{{Name: "eu", Mode: filemode.Dir, Hash: h}}
		}, says: []string{"reading eu, tree", "malformed"}},
		{name: "a directory that is a file", tree: func(r repo) []object.TreeEntry {
			e := r.file("eu", "a: 1\n")
			e.Mode = filemode.Dir
			return []object.TreeEntry{e}
		}, says: []string{"reading eu, tree"}},
		{name: "Git's own name", tree: func(r repo) []object.TreeEntry {
			return []object.TreeEntry{r.subdir(".GIT", r.file("config", "x")), r.file("a.yaml", "")}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			good := r.commit("good", map[string]string{"good.yaml": "a: 1\n", "clusters/good.yaml": "a: 1\n"})
			s := follow(t, gitsource.Config{URL: r.dir, Path: tt.path, Limits: tt.limits, AllowRewrite: true})
			if tt.limits.Bytes == 0 {
				untilServes(t, s, good.String())
			}
			h := r.commitTree("main", tt.tree(r)...)
			if len(tt.says) == 0 {
				untilServes(t, s, h.String())
				return
			}
			got := untilSays(t, s, append([]string{"commit " + h.String()[:12] + " on main: "}, tt.says...)...)
			if tt.limits.Bytes == 0 && got.Commit.Hash != good.String() {
				t.Errorf("%q is served, want the last good one", got.Commit.Hash)
			}
			if strings.ContainsAny(got.Err.Error(), "\x1b\n") {
				t.Errorf("the error would act upon a terminal: %q", got.Err)
			}
		})
	}
}

func TestACommitMayNotBeEndless(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	first := w.pushed(3)
	s := follow(t, gitsource.Config{URL: w.bare, AllowRewrite: true})
	untilServes(t, s, first)
	raw := catFile(t, w.clone)
	w.pushRaw(append(raw, strings.Repeat("x", 2<<20)...))
	if got := untilSays(t, s, "bytes of its own, more than the 1048576"); got.Commit.Hash != first {
		t.Errorf("%q is served", got.Commit.Hash)
	}
}

func TestACommitsWordsAreFitForATerminal(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	h := w.commit(map[string]string{"a.yaml": "a: 1\n"}, "--author", "E\x1bve <e@lab.example>", "-m", "\x1b[31mred\u202e\nbody")
	w.push()
	got := untilServes(t, follow(t, gitsource.Config{URL: w.bare}), h)
	if c := got.Commit; strings.ContainsAny(c.Author+c.Subject, "\x1b\n\u202e") || c.Subject == "" {
		t.Errorf("the commit is described as %q by %q", c.Subject, c.Author)
	}
}
