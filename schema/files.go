package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// repo is the file system of one Load and what its ignore files say.
type repo struct {
	fsys    fs.FS
	ignores ignores
}

// unit is what is evaluated on its own: one file, or one CUE package of one
// directory.
type unit struct {
	// file is the YAML, JSON or CUE file; empty for a package.
	file string
	// dir and pkg are the directory and the name of a CUE package.
	dir, pkg string
}

// otherTools are files that manifests are often kept beside.
var otherTools = []string{
	"kustomization.yaml", "kustomization.yml", "Chart.yaml", "package.json", "package-lock.json", "renovate.json",
	"docker-compose.yml", "docker-compose.yaml", "Taskfile.yml", "mkdocs.yml",
}

// units finds everything below root that is to be evaluated, in lexical order.
func (r *repo) units(root string) ([]unit, Problems) {
	var found []unit
	var problems Problems
	refuse := func(name, message, hint string) {
		problems = append(problems, Problem{Pos: resource.Position{File: name}, Message: message, Hint: hint})
	}
	r.readIgnoresAbove(root)
	files, total := 0, int64(0)
	err := fs.WalkDir(r.fsys, root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			refuse(name, "cannot be read: "+reason(err), "")
			return nil
		case d.IsDir():
			if r.skipsDir(name, root) {
				return fs.SkipDir
			}
			if strings.Count(name, "/") >= maxPathDepth {
				refuse(name, fmt.Sprintf("directories are nested deeper than %d", maxPathDepth), "")
				return fs.SkipDir
			}
			r.readIgnores(name)
			return nil
		case !isManifest(name) || r.ignores.match(name, false):
			return nil
		}
		info, err := fs.Stat(r.fsys, name)
		switch {
		case err != nil:
			refuse(name, "cannot be read: "+reason(err), "")
			return nil
		case !info.Mode().IsRegular():
			return nil
		}
		files, total = files+1, total+info.Size()
		if files > maxFiles || total > maxTotalBytes {
			refuse(root, fmt.Sprintf("there are more than %d files or %d MiB of them", maxFiles, maxTotalBytes>>20), "split the repo, or list what is not for vksync in "+ignoreFile)
			return fs.SkipAll
		}
		found = append(found, r.unitOf(name))
		return nil
	})
	if err != nil {
		refuse(root, "cannot be read: "+reason(err), "")
	}
	// Every file of a package names the package.
	seen := map[unit]bool{}
	found = slices.DeleteFunc(found, func(u unit) bool {
		again := seen[u]
		seen[u] = true
		return again
	})
	return found, problems
}

func (r *repo) unitOf(name string) unit {
	if path.Ext(name) != ".cue" {
		return unit{file: name}
	}
	data, problem := r.read(name)
	if problem != nil {
		return unit{file: name} // which reports it
	}
	if pkg := packageName(name, data); pkg != "" {
		return unit{dir: path.Dir(name), pkg: pkg}
	}
	return unit{file: name}
}

func (r *repo) skipsDir(name, root string) bool {
	if name == root {
		return false
	}
	base := path.Base(name)
	return strings.HasPrefix(base, ".") || base == "cue.mod" || r.ignores.match(name, true)
}

// isManifest says whether a file of that name is read at all.
func isManifest(name string) bool {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || slices.Contains(otherTools, base) {
		return false
	}
	switch path.Ext(base) {
	case ".yaml", ".yml", ".json":
		return true
	case ".cue":
		// As the cue command does it.
		return !strings.HasSuffix(base, "_tool.cue") && !strings.HasSuffix(base, "_test.cue") && !strings.HasPrefix(base, "_")
	}
	return false
}

// readIgnoresAbove reads the ignore files of the directories that root is in.
func (r *repo) readIgnoresAbove(root string) {
	if root == "." {
		return
	}
	parent := path.Dir(root)
	r.readIgnoresAbove(parent)
	r.readIgnores(parent)
}

func (r *repo) readIgnores(dir string) {
	if data, problem := r.read(path.Join(dir, ignoreFile)); problem == nil {
		r.ignores.add(dir, string(data))
	}
}

// read returns the content of a file of at most maxFileBytes.
func (r *repo) read(name string) ([]byte, *Problem) {
	refuse := func(message, hint string) ([]byte, *Problem) {
		return nil, &Problem{Pos: resource.Position{File: name}, Message: message, Hint: hint}
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		return refuse("cannot be read: "+reason(err), "")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	switch {
	case err != nil:
		return refuse("cannot be read: "+reason(err), "")
	case len(data) > maxFileBytes:
		return refuse(fmt.Sprintf("the file is larger than %d KiB", maxFileBytes>>10), "split it, or list it in "+ignoreFile)
	}
	return data, nil
}

// reason is err without the path that fs errors repeat.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
