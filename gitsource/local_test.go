package gitsource_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vksync/vksync/gitsource"
)

func TestAPushToALocalRepositoryIsServed(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	first := w.pushed(3)
	s := follow(t, gitsource.Config{URL: w.bare, Path: "clusters"})
	got := untilServes(t, s, first)
	if want := "fleet at main (" + first[:12] + ")"; got.Tree.Name != want || got.Tree.Root != "clusters" || got.Tree.Revision != first {
		t.Errorf("the tree is %q, %q, %q, want %q, clusters, %q", got.Tree.Name, got.Tree.Root, got.Tree.Revision, want, first)
	}
	if c := got.Commit; c.Author != "Ada <ada@lab.example>" || c.Subject != "change" || c.Time.IsZero() || c.Signer != "" || got.CheckedAt.IsZero() {
		t.Errorf("the commit is %+v, checked at %v", c, got.CheckedAt)
	}
	second := w.pushed(5)
	later := untilServes(t, s, second)
	if text := read(t, later.Tree.FS, "clusters/prod.yaml"); text != "replicas: 5\n" {
		t.Errorf("the second revision has %q", text)
	}
	if text := read(t, got.Tree.FS, "clusters/prod.yaml"); text != "replicas: 3\n" {
		t.Errorf("the first revision became %q", text)
	}
}

func TestEveryWayToChangeABranchIsSeen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		branch string
		url    func(team) string
		change func(team) string
	}{
		{"a commit in a work tree", "", func(w team) string { return w.clone }, func(w team) string {
			return w.commit(map[string]string{"a.yaml": "a: 1\n"})
		}},
		{"a file URL", "", func(w team) string { return "file://" + w.bare }, func(w team) string { return w.pushed(7) }},
		{"packed references", "", func(w team) string { return w.bare }, func(w team) string {
			gitIn(w.t, w.bare, "pack-refs", "--all")
			return w.pushed(8)
		}},
		{"packing after the push", "", func(w team) string { return w.bare }, func(w team) string {
			h := w.pushed(9)
			gitIn(w.t, w.bare, "pack-refs", "--all")
			gitIn(w.t, w.bare, "gc", "--quiet", "--prune=now")
			return h
		}},
		{"a branch in directories that are new", "team/eu/blue", func(w team) string { return w.bare }, func(w team) string {
			h := w.commit(map[string]string{"b.yaml": "b: 1\n"})
			w.push("origin", "HEAD:refs/heads/team/eu/blue")
			return h
		}},
		{"HEAD on another branch", "", func(w team) string { return w.bare }, func(w team) string {
			h := w.commit(map[string]string{"c.yaml": "c: 1\n"})
			w.push("origin", "HEAD:refs/heads/next")
			gitIn(w.t, w.bare, "symbolic-ref", "HEAD", "refs/heads/next")
			return h
		}},
		{"many objects in a pack", "", func(w team) string { return w.bare }, func(w team) string {
			files := map[string]string{}
			for i := range 300 {
				files["many/"+strings.Repeat("x", i%50+1)+string(rune('a'+i%26))+".yaml"] = strings.Repeat("a", i)
			}
			h := w.commit(files)
			w.push()
			return h
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTeam(t)
			first := w.pushed(3)
			s := follow(t, gitsource.Config{URL: tt.url(w), Branch: tt.branch})
			if tt.branch == "" {
				untilServes(t, s, first)
			} else {
				untilSays(t, s, "has no branch "+tt.branch, "follow one of: main")
			}
			untilServes(t, s, tt.change(w))
		})
	}
}

func TestTheLastOfManyPushesWins(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	first := w.pushed(0)
	s := follow(t, gitsource.Config{URL: w.bare})
	untilServes(t, s, first)
	last := ""
	for i := range 100 {
		last = w.pushed(i + 1)
	}
	got := untilServes(t, s, last)
	if text := read(t, got.Tree.FS, "clusters/prod.yaml"); text != "replicas: 100\n" {
		t.Errorf("the last revision has %q", text)
	}
}

func TestTwoBranchesAreFollowedApart(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	first := w.pushed(3)
	w.push("origin", "HEAD:refs/heads/stage")
	main, stage := follow(t, gitsource.Config{URL: w.bare}), follow(t, gitsource.Config{URL: w.bare, Branch: "stage"})
	untilServes(t, main, first)
	untilServes(t, stage, first)
	next := w.pushed(4)
	untilServes(t, main, next)
	if got := stage.Latest(); got.Commit.Hash != first || got.Err != nil {
		t.Errorf("stage moved with main: %+v", got)
	}
}

func TestTheLastGoodRevisionStays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config gitsource.Config
		spoil  func(team)
		says   []string
	}{
		{"while the repository is away", gitsource.Config{}, func(w team) {
			if err := os.Rename(w.bare, w.bare+".away"); err != nil {
				w.t.Fatal(err)
			}
		}, []string{"does not exist"}},
		{"when the branch is deleted", gitsource.Config{Branch: "main"}, func(w team) {
			w.push("origin", "HEAD:refs/heads/other")
			gitIn(w.t, w.bare, "symbolic-ref", "HEAD", "refs/heads/other")
			w.push("--delete", "origin", "main")
		}, []string{"has no branch main", "follow one of: other"}},
		{"when history is rewritten", gitsource.Config{}, func(w team) {
			w.commit(map[string]string{"clusters/prod.yaml": "replicas: 9\n"}, "--amend")
			w.push("--force", "origin", "HEAD:refs/heads/main")
		}, []string{"main was rewritten", "allow the source rewrites"}},
		{"when the path is gone", gitsource.Config{Path: "clusters"}, func(w team) {
			gitIn(w.t, w.clone, "mv", "clusters", "moved")
			w.commit(nil)
			w.push()
		}, []string{"has no clusters", "another path"}},
		{"when HEAD is spoilt", gitsource.Config{}, func(w team) {
			write(w.t, filepath.Join(w.bare, "HEAD"), "ref: refs/heads/nowhere\n")
		}, []string{"has no branch nowhere"}},
		{"when an object is lost", gitsource.Config{}, func(w team) {
			w.commit(map[string]string{"clusters/prod.yaml": "replicas: 4\n"})
			w.push("origin", "HEAD:refs/heads/next")
			tree := gitIn(w.t, w.bare, "rev-parse", "next^{tree}")
			if err := os.Remove(filepath.Join(w.bare, "objects", tree[:2], tree[2:])); err != nil {
				w.t.Fatal(err)
			}
			gitIn(w.t, w.bare, "update-ref", "refs/heads/main", "refs/heads/next")
		}, []string{"object not found"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTeam(t)
			first := w.pushed(3)
			c := tt.config
			c.URL = w.bare
			s := follow(t, c)
			untilServes(t, s, first)
			tt.spoil(w)
			got := untilSays(t, s, append([]string{"source fleet: "}, tt.says...)...)
			if got.Commit.Hash != first || read(t, got.Tree.FS, "clusters/prod.yaml") != "replicas: 3\n" {
				t.Errorf("the last good revision is %+v", got.Commit)
			}
		})
	}
}

func TestARewriteIsFollowedWhenAllowed(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	first := w.pushed(3)
	s := follow(t, gitsource.Config{URL: w.bare, AllowRewrite: true})
	untilServes(t, s, first)
	amended := w.commit(map[string]string{"clusters/prod.yaml": "replicas: 9\n"}, "--amend")
	w.push("--force", "origin", "HEAD:refs/heads/main")
	untilServes(t, s, amended)
}

func TestARepositoryMayComeLater(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	away := w.bare + ".away"
	if err := os.Rename(w.bare, away); err != nil {
		t.Fatal(err)
	}
	s := follow(t, gitsource.Config{URL: w.bare})
	if got := untilSays(t, s, "does not exist", "git init --bare"); got.Tree != nil {
		t.Errorf("a tree is served: %+v", got)
	}
	if err := os.Rename(away, w.bare); err != nil {
		t.Fatal(err)
	}
	s.Look()
	untilSays(t, s, "has no commits yet: push the branch main")
	untilServes(t, s, w.pushed(1))
	// Another repository in the same place.
	other := newTeam(t)
	head := other.pushed(2)
	if err := os.RemoveAll(w.bare); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.bare, w.bare); err != nil {
		t.Fatal(err)
	}
	s.Look()
	if got := untilSays(t, s, "main was rewritten"); got.Commit.Hash == head {
		t.Error("another repository took the place of the served one unasked")
	}
}
