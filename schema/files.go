package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vksync/vksync/reconcile/resource"
)

// repo is the file system of one Load and what its ignore files say.
type repo struct {
	fsys    fs.FS
	ignores ignores
	// patient is set where someone else ends what takes too long.
	patient bool
}

// unit is what is evaluated on its own: one file, or one CUE package of one
// directory.
type unit struct {
	// file is the YAML, JSON or CUE file; empty for a package.
	file string
	// dir and pkg are the directory and the name of a CUE package.
	dir, pkg string
}

// name is the file or the directory of u.
func (u unit) name() string {
	if u.file == "" {
		return u.dir
	}
	return u.file
}

// otherTools are files that manifests are often kept beside.
var otherTools = []string{
	"kustomization.yaml", "kustomization.yml", "Chart.yaml", "package.json", "package-lock.json", "renovate.json",
	"docker-compose.yml", "docker-compose.yaml", "Taskfile.yml", "mkdocs.yml",
}

// units finds everything below root that is to be evaluated, in lexical order.
func (r *repo) units(root string) ([]unit, Problems) {
	all := (&survey{repo: r}).of(root, nil).found()
	r.ignores = all.ignores
	units := make([]unit, len(all.manifests))
	for i, m := range all.manifests {
		units[i] = m.unit
	}
	return units, all.problems
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

// read returns the content of a file of at most maxFileBytes.
func (r *repo) read(name string) ([]byte, *Problem) {
	refuse := func(message, hint string) ([]byte, *Problem) {
		return nil, &Problem{Pos: resource.Position{File: name}, Message: message, Hint: hint}
	}
	f, err := r.fsys.Open(name)
	var u unreadable
	switch {
	case errors.As(err, &u):
		return nil, &u.problem
	case err != nil:
		return refuse("cannot be read: "+reason(err), "")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	switch {
	case err != nil:
		return refuse("cannot be read: "+reason(err), "")
	case len(data) > maxFileBytes:
		return refuse(fmt.Sprintf("the file is larger than %d KiB", maxFileBytes>>10), "split it, or list it in "+ignoreFile)
	case !utf8.Valid(data):
		_, problem := refuse("the file is not UTF-8 text", "save it as UTF-8, or list it in "+ignoreFile)
		problem.Pos = firstInvalid(name, data)
		return nil, problem
	}
	return data, nil
}

// firstInvalid is where data stops being UTF-8.
func firstInvalid(name string, data []byte) resource.Position {
	at := resource.Position{File: name, Line: 1, Col: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if at.Col += size; r == '\n' {
			at.Line, at.Col = at.Line+1, 1
		}
		data = data[size:]
	}
	return at
}

// reason is err without the path that fs errors repeat.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
