package gitsource

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxNames is how many names a message lists.
const maxNames = 8

// unknown says that a name stands for nothing, and what does exist.
func (r *repository) unknown(name string) error {
	branches, tags := r.names()
	if len(branches)+len(tags) == 0 {
		return fmt.Errorf("%s is not in %s, which has no commits yet", name, r.path)
	}
	hint := ""
	if near := nearest(name, slices.Concat(branches, tags)); near != "" {
		hint = fmt.Sprintf(": did you mean %s?", near)
	}
	return fmt.Errorf("%s is not in %s%s\nbranches: %s\ntags: %s", name, r.path, hint, listed(branches), listed(tags))
}

// names are the branches, remote ones included, and the tags, sorted.
func (r *repository) names() (branches, tags []string) {
	refs, err := r.git.References()
	if err != nil {
		return nil, nil
	}
	defer refs.Close()
	_ = refs.ForEach(func(ref *plumbing.Reference) error {
		switch n := ref.Name(); {
		case n.IsBranch(), n.IsRemote():
			branches = append(branches, n.Short())
		case n.IsTag():
			tags = append(tags, n.Short())
		}
		return nil
	})
	slices.Sort(branches)
	slices.Sort(tags)
	return branches, tags
}

func listed(names []string) string {
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > maxNames:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
	}
	return strings.Join(names, ", ")
}

// nearest is the name that fewest typing errors away could be meant by name; ""
// when none is near.
func nearest(name string, names []string) string {
	best, most := "", len(name)/3+1
	for _, n := range names {
		if d := distance(name, n); d <= most && (best == "" || d < distance(name, best)) {
			best = n
		}
	}
	return best
}

// distance counts the bytes to insert, remove, replace or swap to get from a to b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func differs(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
