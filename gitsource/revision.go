package gitsource

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// AtRevision reads the files of a commit below repoPath, which may be a work
// tree, a bare repository, or a path inside either. No work tree is touched.
//
// A revision is a branch, a tag, a full or abbreviated hash, or HEAD, with any
// number of ~N and ^N behind it as Git has them.
func AtRevision(repoPath, revision string) (*Tree, error) {
	at, err := locate(repoPath)
	if err != nil {
		return nil, err
	}
	if at.git == "" {
		return nil, fmt.Errorf("%s is in no Git repository, so it has no revision %q", repoPath, revision)
	}
	wanted, err := parseRevision(revision)
	if err != nil {
		return nil, err
	}
	repo, err := openRepository(repoPath, at.git)
	if err != nil {
		return nil, err
	}
	commit, err := repo.commit(wanted)
	if err != nil {
		return nil, err
	}
	hash := commit.Hash.String()
	tree := &Tree{
		FS:       newBlobFS(repo, commit.TreeHash),
		Root:     at.rest,
		Revision: hash,
		Name:     named(repoPath, revision, hash),
	}
	if _, err := fs.Stat(tree.FS, tree.Root); err != nil {
		return nil, fmt.Errorf("revision %s of %s has no %s: %w", revision, repoPath, at.rest, errors.Unwrap(err))
	}
	return tree, nil
}

func named(path, revision, hash string) string {
	if strings.HasPrefix(hash, revision) {
		return fmt.Sprintf("%s at %.12s", path, hash)
	}
	return fmt.Sprintf("%s at %s (%.12s)", path, revision, hash)
}

// revision is a parsed revision: a name and the steps from it to an ancestor.
type revision struct {
	text  string
	name  string
	steps []step
}

// step goes to the n-th parent of a commit, 1 being the first; 0 stays.
type step struct{ parent, times int }

// maxSteps bounds HEAD~N; a repository of clusters has thousands of commits.
const maxSteps = 100_000

var (
	revisionForm = regexp.MustCompile(`^([^~^]+)((?:~[0-9]*|\^[0-9]*|\^\{(?:commit)?\})*)$`)
	stepForm     = regexp.MustCompile(`~[0-9]*|\^\{(?:commit)?\}|\^[0-9]*`)
)

// parseRevision reads the part of Git's revision syntax that names one commit
// whatever the state of reflogs and of the index.
func parseRevision(text string) (revision, error) {
	parts := revisionForm.FindStringSubmatch(text)
	if parts == nil || !validName(parts[1]) {
		return revision{}, fmt.Errorf("%q is not a revision: want a branch, a tag, a hash of at least 4 digits, or HEAD, each with ~N or ^N behind it at will", text)
	}
	r := revision{text: text, name: parts[1]}
	total := 0
	for _, s := range stepForm.FindAllString(parts[2], -1) {
		n := 1
		if digits := strings.Trim(s[1:], "{}comit"); digits != "" {
			var err error
			if n, err = strconv.Atoi(digits); err != nil || n > maxSteps {
				return revision{}, fmt.Errorf("%q goes back further than %d commits", text, maxSteps)
			}
		}
		switch {
		case s[0] == '~':
			r.steps = append(r.steps, step{parent: 1, times: n})
			total += n
		case !strings.HasPrefix(s, "^{"):
			r.steps = append(r.steps, step{parent: n, times: 1})
			total++
		}
	}
	if total > maxSteps {
		return revision{}, fmt.Errorf("%q goes back further than %d commits", text, maxSteps)
	}
	return r, nil
}

func validName(name string) bool {
	if name == "@" || name == "HEAD" {
		return true
	}
	return plumbing.NewBranchReferenceName(name).Validate() == nil && !strings.HasPrefix(name, "-")
}

// commit finds the commit that a revision names.
func (r *repository) commit(wanted revision) (*object.Commit, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	hash, err := r.resolve(wanted.name)
	if err != nil {
		return nil, err
	}
	commit, err := r.peel(hash)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", wanted.name, r.path, err)
	}
	for _, s := range wanted.steps {
		for range s.times {
			if s.parent == 0 {
				continue
			}
			if s.parent > commit.NumParents() {
				return nil, fmt.Errorf("%s is not in %s: commit %.12s has %d parents", wanted.text, r.path, commit.Hash.String(), commit.NumParents())
			}
			commit, err = r.peel(commit.ParentHashes[s.parent-1])
			if err != nil {
				return nil, fmt.Errorf("%s is not in %s, which may be a shallow clone: %w", wanted.text, r.path, err)
			}
		}
	}
	return commit, nil
}

// resolve finds what a name stands for, in Git's order: a full hash, a
// reference, an abbreviated hash.
func (r *repository) resolve(name string) (plumbing.Hash, error) {
	if name == "@" {
		name = "HEAD"
	}
	if plumbing.IsHash(name) {
		return plumbing.NewHash(name), nil
	}
	for _, full := range references(name) {
		ref, err := r.git.Reference(full, true)
		switch {
		case err == nil:
			return ref.Hash(), nil
		case errors.Is(err, plumbing.ErrReferenceNotFound), errors.Is(err, dotgit.ErrIsDir), notDirectory(err):
		default:
			return plumbing.ZeroHash, fmt.Errorf("reading %s of %s: %w", full, r.path, err)
		}
	}
	found, err := r.abbreviated(name)
	switch {
	case err != nil:
		return plumbing.ZeroHash, err
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return plumbing.ZeroHash, fmt.Errorf("%s is ambiguous in %s: it begins %s", name, r.path, joined(found))
	}
	return plumbing.ZeroHash, r.unknown(name)
}

// references are the full names that a short one may stand for, first one first.
func references(name string) []plumbing.ReferenceName {
	if name == "HEAD" || strings.HasPrefix(name, "refs/") {
		return []plumbing.ReferenceName{plumbing.ReferenceName(name)}
	}
	var full []plumbing.ReferenceName
	// The first rule is the bare name, which could be any file of the repository.
	for _, rule := range plumbing.RefRevParseRules[1:] {
		full = append(full, plumbing.ReferenceName(fmt.Sprintf(rule, name)))
	}
	return full
}

// abbreviated lists the commits and annotated tags whose hash begins with name.
func (r *repository) abbreviated(name string) ([]plumbing.Hash, error) {
	prefix, err := hex.DecodeString(name[:len(name)&^1])
	if err != nil || len(name) < 4 {
		return nil, nil
	}
	candidates, err := r.store.HashesWithPrefix(prefix)
	if err != nil {
		return nil, fmt.Errorf("looking for %s in %s: %w", name, r.path, err)
	}
	var found []plumbing.Hash
	for _, h := range candidates {
		if !strings.HasPrefix(h.String(), strings.ToLower(name)) || slices.Contains(found, h) {
			continue
		}
		o, err := r.store.EncodedObject(plumbing.AnyObject, h)
		if err == nil && (o.Type() == plumbing.CommitObject || o.Type() == plumbing.TagObject) {
			found = append(found, h)
		}
	}
	slices.SortFunc(found, func(a, b plumbing.Hash) int { return strings.Compare(a.String(), b.String()) })
	return found, nil
}

// maxTags bounds a chain of tags of tags.
const maxTags = 8

// peel follows annotated tags to the commit below them.
func (r *repository) peel(h plumbing.Hash) (*object.Commit, error) {
	for range maxTags {
		var commit *object.Commit
		var next plumbing.Hash
		err := r.retried(func() error {
			o, err := object.GetObject(r.store, h)
			switch o := o.(type) {
			case *object.Commit:
				commit = o
			case *object.Tag:
				next = o.Target
			case nil:
				return err
			default:
				return fmt.Errorf("%s is a %s, not a commit", h, o.Type())
			}
			return err
		})
		switch {
		case errors.Is(err, plumbing.ErrObjectNotFound):
			return nil, fmt.Errorf("there is no commit %s", h)
		case err != nil:
			return nil, err
		case commit != nil:
			return commit, nil
		}
		h = next
	}
	return nil, fmt.Errorf("more than %d tags point at each other", maxTags)
}

func joined(hashes []plumbing.Hash) string {
	var b strings.Builder
	for i, h := range hashes[:min(len(hashes), maxNames)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.12s", h.String())
	}
	if len(hashes) > maxNames {
		fmt.Fprintf(&b, " and %d more", len(hashes)-maxNames)
	}
	return b.String()
}
