package gitsource_test

import (
	"testing"

	"github.com/vksync/vksync/gitsource"
)

// Equal content has equal hashes from commit to commit, and nothing else has.
func TestACommitKnowsTheHashesOfItsContent(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	first := r.commit("first", map[string]string{"a/x.yaml": "x", "a/y.yaml": "y", "b/z.yaml": "z"})
	second := r.commit("second", map[string]string{"a/y.yaml": "changed"})
	hash := func(revision, name string) string {
		t.Helper()
		tree, err := gitsource.AtRevision(r.dir, revision)
		if err != nil {
			t.Fatal(err)
		}
		h, err := tree.FS.(interface{ Hash(string) (string, error) }).Hash(name)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for name, same := range map[string]bool{".": false, "a": false, "a/x.yaml": true, "a/y.yaml": false, "b": true, "b/z.yaml": true} {
		before, after := hash(first.String(), name), hash(second.String(), name)
		if before == "" || (before == after) != same {
			t.Errorf("%s: %q and then %q, want the same: %t", name, before, after, same)
		}
	}
	tree, err := gitsource.AtRevision(r.dir, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if h, err := tree.FS.(interface{ Hash(string) (string, error) }).Hash("a/none.yaml"); err == nil {
		t.Errorf("a file that is not there has the hash %s", h)
	}
}
