package schema

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
)

// importPath is what users import the definitions as.
const importPath = "vksync.dev/schema"

//go:embed *.cue
var sources embed.FS

// kindDefinitions name the definition of every kind that a repo may hold, by
// apiVersion and kind.
var kindDefinitions = map[string]string{
	"cluster.x-k8s.io/v1beta1 Cluster":     "#ClusterV1Beta1",
	"cluster.x-k8s.io/v1beta2 Cluster":     "#Cluster",
	"vksync.dev/v1alpha1 Inventory":        "#Inventory",
	"vksync.dev/v1alpha1 VSphereNamespace": "#VSphereNamespace",
}

// definitions are the compiled CUE definitions. They are only read from then on,
// by any number of goroutines (cue-git.md 1.3).
type definitions struct {
	kinds  map[string]cue.Value // by apiVersion and kind
	config cue.Value            // of the file of --config, which no repo may hold
	// formats are the texts of the @vksync attributes by the constraint that they
	// stand beside, as CUE prints it.
	formats map[string]wording
}

// wording says what a constraint asks for.
type wording struct{ is, allowed string }

var compiled = sync.OnceValue(compile)

// compile builds the embedded definitions. A fault in them is a fault of the
// program, which its tests find.
func compile() *definitions {
	inst := build.NewContext().NewInstance(importPath, nil)
	inst.ImportPath = importPath
	for _, f := range parseSources() {
		must(inst.AddSyntax(f))
	}
	if err := inst.Complete(); err != nil {
		panic(errors.Details(err, nil))
	}
	value := newContext().BuildInstance(inst)
	must(value.Err())

	d := &definitions{kinds: map[string]cue.Value{}, formats: map[string]wording{}}
	for kind, name := range kindDefinitions {
		v := value.LookupPath(cue.ParsePath(name))
		must(v.Err())
		d.kinds[kind] = v
	}
	d.config = value.LookupPath(cue.ParsePath("#Config"))
	must(d.config.Err())
	all, err := value.Fields(cue.Definitions(true))
	must(err)
	for all.Next() {
		attr := all.Value().Attribute("vksync")
		if attr.Err() != nil {
			continue
		}
		is, _, err := attr.Lookup(0, "is")
		must(err)
		allowed, _, err := attr.Lookup(0, "allowed")
		must(err)
		d.formats[fmt.Sprint(all.Value())] = wording{is: is, allowed: allowed}
	}
	return d
}

// newContext makes a CUE context that no environment variable can loosen. It
// costs less than a microsecond, and what is built in it goes with it.
func newContext() *cue.Context {
	return cuecontext.New(cuecontext.CUE_DEBUG(""), cuecontext.EvaluatorVersion(cuecontext.EvalV3))
}

// parseSources reads the embedded files anew: building changes a syntax tree.
func parseSources() []*ast.File {
	names, err := fs.Glob(sources, "*.cue")
	must(err)
	files := make([]*ast.File, len(names))
	for i, name := range names {
		data, err := sources.ReadFile(name)
		must(err)
		files[i], err = parser.ParseFile(importPath+"/"+name, data)
		must(err)
	}
	return files
}

// parseImported is what users' packages get for the definitions: the same, but
// those of whole kinds accept any struct. Evaluation then yields the data of a
// resource even where it is wrong, and the data is judged and explained like
// data from YAML, by the real definition.
func parseImported() []*ast.File {
	files := parseSources()
	for _, f := range files {
		for _, decl := range f.Decls {
			field, ok := decl.(*ast.Field)
			if !ok {
				continue
			}
			name, _, err := ast.LabelName(field.Label)
			must(err)
			if slices.Contains(openDefinitions, name) {
				field.Value = ast.NewStruct(&ast.Ellipsis{})
			}
		}
	}
	return files
}

// openDefinitions are those that hold a whole kind or its topology.
var openDefinitions = []string{
	"#Cluster", "#ClusterV1Beta1", "#Inventory", "#VSphereNamespace", "#Topology", "#TopologyV1Beta1",
	"#Config",
}

// allowedKinds lists what a document may be.
func allowedKinds() string {
	kinds := make([]string, 0, len(kindDefinitions))
	for kind := range kindDefinitions {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return strings.Join(kinds, ", ")
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("schema: the embedded definitions: %v", err))
	}
}
