package gitsource

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxCommitBytes bounds a commit's own text, signature and merged tags included.
const maxCommitBytes = 1 << 20

// accept opens a revision that can be believed. before is the hash of the served
// one, "" when there is none. A refusal says why it is not served.
func (s *Source) accept(found revisionOf, before string) (*Tree, Commit, error) {
	commit, err := found.repo.commitAt(found.hash)
	if err != nil {
		return nil, Commit{}, err
	}
	if before != "" && !s.config.AllowRewrite {
		if err := found.descends(before); err != nil {
			return nil, Commit{}, err
		}
	}
	known := described(commit)
	if s.config.Verify.wanted() {
		if known.Signer, err = s.config.Verify.signer(found.repo, commit); err != nil {
			return nil, Commit{}, fmt.Errorf("commit %.12s on %s: %w", known.Hash, found.branch, err)
		}
	}
	files := newBlobFS(found.repo, commit.TreeHash)
	tree := &Tree{
		FS:       files,
		Root:     s.config.Path,
		Revision: known.Hash,
		Name:     fmt.Sprintf("%s at %s (%.12s)", s.config.Name, found.branch, known.Hash),
	}
	if _, err := fs.Stat(tree.FS, tree.Root); errors.Is(err, fs.ErrNotExist) {
		return nil, Commit{}, refused("commit %.12s on %s has no %s: push it, or give the source another path", known.Hash, found.branch, tree.Root)
	} else if err != nil {
		return nil, Commit{}, fmt.Errorf("commit %.12s on %s: %w", known.Hash, found.branch, err)
	}
	if err := s.checks.read(files, tree.Root); err != nil {
		return nil, Commit{}, fmt.Errorf("commit %.12s on %s: %w", known.Hash, found.branch, err)
	}
	return tree, known, nil
}

// commitAt reads a commit after having asked for its size.
func (r *repository) commitAt(h plumbing.Hash) (commit *object.Commit, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.retried(func() error {
		size, err := r.store.EncodedObjectSize(h)
		if err != nil {
			return err
		}
		if size > maxCommitBytes {
			return refused("commit %.12s has %d bytes of its own, more than the %d that one may have", h.String(), size, maxCommitBytes)
		}
		commit, err = object.GetCommit(r.store, h)
		return malformed(err)
	})
	if err != nil {
		return nil, fmt.Errorf("reading commit %.12s of %s: %w", h.String(), r.path, err)
	}
	return commit, err
}

// maxHistory bounds the search for an ancestor.
const maxHistory = 1_000_000

// descends refuses a commit that the served one is no ancestor of.
func (found revisionOf) descends(served string) error {
	old := plumbing.NewHash(served)
	cut, err := found.repo.cutOff()
	if err != nil {
		return err
	}
	seen := map[plumbing.Hash]bool{found.hash: true}
	incomplete := false
	for queue := []plumbing.Hash{found.hash}; len(queue) > 0 && len(seen) < maxHistory; queue = queue[1:] {
		if queue[0] == old {
			return nil
		}
		if cut[queue[0]] {
			incomplete = true
			continue
		}
		commit, err := found.repo.commitAt(queue[0])
		if err != nil {
			return err
		}
		for _, parent := range commit.ParentHashes {
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	if incomplete {
		return refused("cannot tell whether %s was rewritten, since the repository is a shallow clone that does not reach back to the served %.12s: fetch its history with git fetch --unshallow", found.branch, served)
	}
	return refused("%s was rewritten: %.12s does not follow on the served %.12s. Push a commit that does, or allow the source rewrites",
		found.branch, found.hash.String(), served)
}

// cutOff are the commits of a shallow clone whose parents are not there.
func (r *repository) cutOff() (map[plumbing.Hash]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	hashes, err := r.store.Shallow()
	if err != nil {
		return nil, fmt.Errorf("reading the shallow commits of %s: %w", r.path, err)
	}
	cut := map[plumbing.Hash]bool{}
	for _, h := range hashes {
		cut[h] = true
	}
	return cut, nil
}

// described is what a commit says of itself, fit for a terminal.
func described(c *object.Commit) Commit {
	subject, _, _ := strings.Cut(c.Message, "\n")
	return Commit{
		Hash:    c.Hash.String(),
		Author:  printable(fmt.Sprintf("%s <%s>", c.Author.Name, c.Author.Email), 200),
		Subject: printable(subject, 200),
		Time:    c.Committer.When,
	}
}

// printable is text without what a terminal would act upon, cut to n characters.
func printable(text string, n int) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(strings.TrimSpace(text), "?") {
		if n--; n < 0 {
			return b.String() + "..."
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// in says whether the tree is read from a repository.
func (t *Tree) in(r *repository) bool {
	b, ok := t.FS.(*blobFS)
	return ok && b.repo == r
}
