package schema

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/vksync/vksync/reconcile/resource"
)

// defaultModule is the module path of a repo without cue.mod: its package in
// directory shared is imported as "vksync.dev/repo/shared".
const defaultModule = "vksync.dev/repo"

// program builds the CUE packages of one unit. Imports come from the repo, the
// embedded definitions and CUE's own packages; there is nowhere else to look.
type program struct {
	*repo
	build    *build.Context
	root     string // directory of the module
	module   string
	building []string // import paths, outermost first
	problems Problems
}

// evaluate runs a CUE file or package and returns the resources in its result.
// The evaluator cannot be stopped: when the time is over it is left running, and
// whoever loads foreign repos in a daemon has to do so in a process to be killed.
func (r *repo) evaluate(u unit) reading {
	if r.patient {
		return r.run(u)
	}
	type outcome struct {
		reading
		fault any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.fault = recover()
			done <- o
		}()
		o.reading = r.run(u)
	}()
	deadline := time.NewTimer(maxEvaluation)
	defer deadline.Stop()
	select {
	case o := <-done:
		if o.fault != nil {
			panic(o.fault) // for the caller to report
		}
		return o.reading
	case <-deadline.C:
		return reading{problems: Problems{{
			Pos:     resource.Position{File: u.name()},
			Message: fmt.Sprintf("evaluating takes longer than %s", maxEvaluation),
			Hint:    "use fewer nested comprehensions and disjunctions",
		}}}
	}
}

func (r *repo) run(u unit) reading {
	p := &program{repo: r}
	p.build = build.NewContext(build.Loader(p.load))
	dir := u.dir
	if u.file != "" {
		dir = path.Dir(u.file)
	}
	p.findModule(dir)

	var inst *build.Instance
	if u.file != "" {
		inst = p.build.NewInstance(dir, nil)
		p.addFile(inst, u.file)
	} else {
		inst = p.instance(dir, u.pkg)
	}
	if len(p.problems) > 0 {
		return reading{problems: p.problems}
	}
	if err := inst.Complete(); err != nil {
		if len(p.problems) == 0 {
			p.problems = explainCUE(err, nil)
		}
		return reading{problems: p.problems}
	}
	w := &walk{value: newContext().BuildInstance(inst), values: map[*node]cue.Value{}, files: inst.Files}
	w.resources()
	return reading{docs: w.docs, problems: w.problems, refine: w.refine}
}

// findModule finds the module that dir is in: the nearest directory above with
// a cue.mod, else the whole repo.
func (p *program) findModule(dir string) {
	for at := dir; ; at = path.Dir(at) {
		data, problem := p.read(path.Join(at, "cue.mod", "module.cue"))
		if problem == nil {
			p.root, p.module = at, moduleName(data)
			return
		}
		if at == "." {
			p.root, p.module = ".", defaultModule
			return
		}
	}
}

// moduleName reads the module field of a module file, without its version.
func moduleName(data []byte) string {
	if overLimits("module.cue", data) != nil {
		return defaultModule
	}
	f, err := parser.ParseFile("module.cue", data)
	if err != nil {
		return defaultModule
	}
	for _, decl := range f.Decls {
		field, ok := decl.(*ast.Field)
		if !ok {
			continue
		}
		name, _, _ := ast.LabelName(field.Label)
		if literal, ok := field.Value.(*ast.BasicLit); ok && name == "module" {
			module, _ := strconv.Unquote(literal.Value)
			module, _, _ = strings.Cut(module, "@")
			return module
		}
	}
	return defaultModule
}

// load serves an import; nil leaves it to CUE's own packages.
func (p *program) load(pos token.Pos, imported string) *build.Instance {
	clean, pkg, _ := strings.Cut(imported, ":")
	clean, _, _ = strings.Cut(clean, "@")
	first, _, _ := strings.Cut(clean, "/")
	switch {
	case clean == importPath:
		return p.definitions()
	case first == "tool":
		return p.refuse(pos, imported, "is for the commands of the cue tool, which run programs and reach the network", "manifests are data; remove the import")
	case !strings.Contains(first, "."):
		return nil
	case path.Clean(clean) != clean:
		return p.refuse(pos, imported, "is not the path of a package", "write it without . and .. and double slashes")
	}
	dir, inModule := strings.CutPrefix(clean, p.module)
	if !inModule || dir != "" && dir[0] != '/' {
		return p.refuse(pos, imported, "is not in this repo",
			fmt.Sprintf("packages come from the repo as %s/..., and from %s; nothing is downloaded", p.module, importPath))
	}
	if pkg == "" {
		pkg = path.Base(clean)
	}
	for _, outer := range p.building {
		if outer == clean {
			return p.refuse(pos, imported, "imports itself", "")
		}
	}
	p.building = append(p.building, clean)
	defer func() { p.building = p.building[:len(p.building)-1] }()
	inst := p.instance(path.Join(p.root, strings.TrimPrefix(dir, "/")), pkg)
	if len(inst.Files) == 0 && len(p.problems) == 0 {
		return p.refuse(pos, imported, "has no files of package "+pkg, "")
	}
	inst.ImportPath = imported
	if err := inst.Complete(); err != nil && len(p.problems) == 0 {
		p.problems = append(p.problems, explainCUE(err, nil)...)
	}
	return inst
}

func (p *program) refuse(pos token.Pos, imported, message, hint string) *build.Instance {
	p.problems = append(p.problems, Problem{
		Pos: position(pos), Message: fmt.Sprintf("the import %s %s", showText(imported), message), Hint: hint,
	})
	inst := p.build.NewInstance(imported, nil)
	inst.Err = errors.Newf(pos, "import refused")
	return inst
}

func (p *program) definitions() *build.Instance {
	inst := p.build.NewInstance(importPath, nil)
	for _, f := range parseImported() {
		must(inst.AddSyntax(f))
	}
	if err := inst.Complete(); err != nil {
		panic(errors.Details(err, nil))
	}
	return inst
}

// instance collects the files of package pkg in dir and in the directories
// above it, as the cue command does.
func (p *program) instance(dir, pkg string) *build.Instance {
	inst := p.build.NewInstance(dir, nil)
	inst.PkgName = pkg
	for at := dir; ; at = path.Dir(at) {
		entries, err := fs.ReadDir(p.fsys, at)
		if err != nil {
			break
		}
		before := len(inst.Files)
		for _, entry := range entries {
			name := path.Join(at, entry.Name())
			if entry.IsDir() || path.Ext(name) != ".cue" || !isManifest(name) || p.ignores.match(name, false) {
				continue
			}
			if data, problem := p.read(name); problem != nil || packageName(name, data) == pkg {
				p.addFile(inst, name)
			}
		}
		if at == p.root || at == "." || at == dir && len(inst.Files) == before {
			break
		}
	}
	return inst
}

// addFile parses a file and adds it to inst, or reports why it is not.
func (p *program) addFile(inst *build.Instance, name string) {
	data, problem := p.read(name)
	if problem == nil {
		problem = overLimits(name, data)
	}
	if problem != nil {
		p.problems = append(p.problems, *problem)
		return
	}
	f, err := parser.ParseFile(name, data)
	if err != nil {
		p.problems = append(p.problems, explainCUE(errors.Promote(err, ""), nil)...)
		return
	}
	if problem := unsupported(f); problem != nil {
		p.problems = append(p.problems, *problem)
		return
	}
	if err := inst.AddSyntax(f); err != nil {
		p.problems = append(p.problems, explainCUE(err, nil)...)
	}
}
