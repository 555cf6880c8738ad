package gitsource

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/object"
)

// manifest says whether the name of a file is one that can be read as manifest.
func manifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json", ".cue"}, strings.ToLower(path.Ext(name)))
}

// harmlessName refuses a name that cannot be shown or opened as it is.
func harmlessName(name, at string) error {
	where := at
	if at == "" {
		where = "the top directory"
	}
	switch {
	case !readable(name):
		return refused("%s holds the name %q, which is not a file's: rename it", where, name)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Cf, r) }):
		return refused("%s holds the name %q, which has invisible characters: rename it", where, name)
	}
	return nil
}

// harmlessLink refuses a link that a reader of manifests would miss the target
// of, or that points out of the repository. Any other is ignored.
func (r *repository) harmlessLink(e object.TreeEntry, file string) error {
	if manifest(e.Name) {
		return refused("%s is a symbolic link, which is not followed in a commit: put the file itself there", file)
	}
	size, err := r.sizeOf(e.Hash, file)
	if err != nil {
		return err
	}
	if size > MaxPathBytes {
		return refused("%s is a symbolic link with a target of %d bytes: remove it", file, size)
	}
	target, err := r.read(e.Hash, size)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	to := strings.ReplaceAll(string(target), `\`, "/")
	reached := path.Join(path.Dir(file), to)
	if strings.HasPrefix(to, "/") || reached == ".." || strings.HasPrefix(reached, "../") {
		return refused("%s is a symbolic link that leaves the repository: remove it", file)
	}
	return nil
}
