package gitsource

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// tip is the commit that a reference names. While packing references Git moves
// one from its own file into the common one, so a miss is looked for once more.
func (r *repository) tip(name plumbing.ReferenceName) (plumbing.Hash, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, err := r.git.Reference(name, true)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		ref, err = r.git.Reference(name, true)
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return ref.Hash(), nil
}

// withoutBranch says that a branch is not there, and which are.
func (r *repository) withoutBranch(name plumbing.ReferenceName) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	branches, _ := r.names()
	return noBranch(name.Short(), r.path, branches)
}

// noBranch is the one message for a branch that was deleted or never pushed.
func noBranch(branch, shown string, branches []string) error {
	if len(branches) == 0 {
		// Nothing was pushed, so nothing is refused.
		return fmt.Errorf("%s has no commits yet: push the branch %s", shown, branch)
	}
	slices.Sort(branches)
	hint := ""
	if near := nearest(branch, branches); near != "" {
		hint = fmt.Sprintf(": did you mean %s?", near)
	}
	return refused("%s has no branch %s%s; push it, or follow one of: %s", shown, branch, hint, listed(branches))
}

// has says whether an object is there.
func (r *repository) has(h plumbing.Hash) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.HasEncodedObject(h) == nil
}

// refresh looks for new packs.
func (r *repository) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store.Reindex()
}

// point makes a reference name a commit.
func (r *repository) point(name plumbing.ReferenceName, to plumbing.Hash) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ref, err := r.store.Reference(name); err == nil && ref.Hash() == to {
		return nil
	}
	return r.store.SetReference(plumbing.NewHashReference(name, to))
}

// recent are the newest commits that references lead to, for the remote to find
// one that it has as well.
func (r *repository) recent(names ...plumbing.ReferenceName) []plumbing.Hash {
	var found []plumbing.Hash
	seen := map[plumbing.Hash]bool{}
	for _, name := range names {
		if tip, err := r.tip(name); err == nil && !seen[tip] {
			seen[tip] = true
			found = append(found, tip)
		}
	}
	for i := 0; i < len(found) && len(found) < maxHaves; i++ {
		commit, err := r.commitAt(found[i])
		if err != nil {
			continue
		}
		for _, parent := range commit.ParentHashes {
			if !seen[parent] {
				seen[parent] = true
				found = append(found, parent)
			}
		}
	}
	return found
}
