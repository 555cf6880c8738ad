package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vksync/vksync/"

// imports has the packages of vksync that each package may import itself
// (DESIGN section 5). What is not listed is forbidden, also for a new package.
var imports = map[string][]string{
	"gitsource":            {"reconcile/resource"},
	"gitsource/gittest":    {},
	"schema":               {"reconcile/resource"},
	"reconcile/resource":   {},
	"reconcile/phase":      {"reconcile/resource"},
	"reconcile/topology":   {"reconcile/resource"},
	"reconcile/plan":       {"reconcile/resource", "reconcile/phase", "reconcile/topology"},
	"reconcile/journal":    {"reconcile/resource", "reconcile/phase"},
	"reconcile/drift":      {"reconcile/resource"},
	"reconcile/link":       {},
	"reconcile/vsphere":    {"reconcile/link", "reconcile/resource"},
	"reconcile/supervisor": {"reconcile/link", "reconcile/resource"},
	"reconcile/apply":      {"reconcile/plan", "reconcile/resource", "reconcile/phase", "reconcile/journal"},
	"reconcile": {
		"reconcile/apply", "reconcile/drift", "reconcile/journal", "reconcile/link", "reconcile/phase", "reconcile/plan",
		"reconcile/resource", "reconcile/supervisor", "reconcile/vsphere", "gitsource", "schema",
	},
	"reconcile/web":                {"reconcile", "reconcile/journal", "reconcile/link", "reconcile/phase"},
	"simulate/inventory":           {"reconcile/resource"},
	"simulate/kubeapi":             {"reconcile/resource"},
	"simulate/kubeapi/conformance": {"reconcile/resource"},
	"simulate/vcenter":             {"reconcile/resource", "simulate/inventory"},
	"simulate/controllers":         {"reconcile/resource", "reconcile/topology", "simulate/kubeapi", "simulate/inventory", "simulate/vcenter"},
	"simulate/gate":                {},
	"simulate/trace":               {"reconcile/resource"},
	"simulate": {
		"reconcile/apply", "reconcile/journal", "reconcile/phase", "reconcile/resource", "reconcile/vsphere",
		"simulate/controllers", "simulate/gate", "simulate/inventory", "simulate/kubeapi", "simulate/vcenter",
	},
	"tui/paint":     {"reconcile/journal", "reconcile/phase", "reconcile/resource"},
	"tui":           {"reconcile/journal", "reconcile/phase", "reconcile/plan", "reconcile/resource", "tui/dashboard", "tui/paint"},
	"tui/dashboard": {"reconcile/journal", "reconcile/phase", "reconcile/plan", "reconcile/resource", "tui/paint", "tui/replay", "tui/report"},
	"tui/tuitest":   {"reconcile/journal"},
	"tui/replay":    {"reconcile/journal"},
	"tui/report":    {"reconcile/journal", "reconcile/phase", "reconcile/plan", "reconcile/resource", "tui/paint"},
	"cmd/vksync": {
		"gitsource", "schema", "reconcile", "reconcile/web", "reconcile/apply", "reconcile/journal", "reconcile/link", "reconcile/phase", "reconcile/plan",
		"reconcile/resource", "reconcile/supervisor", "reconcile/vsphere", "simulate", "simulate/inventory", "tui", "tui/dashboard", "tui/paint",
		"tui/replay", "tui/report",
	},
}

// reaches are the imports that a package must not have however far away: every
// package whose path begins with one of not.
var reaches = []struct {
	from    string
	not     []string
	because string
}{
	{"reconcile", []string{module + "simulate", module + "tui"}, "a run does not know whether its world is real"},
	{"reconcile/apply", []string{module + "simulate", module + "reconcile/vsphere", module + "reconcile/supervisor"}, "the executor acts through what it is given"},
	{"reconcile/plan", []string{"k8s.io/client-go", "github.com/vmware/govmomi", "cuelang.org/go"}, "planning is pure"},
	{"reconcile/journal", []string{"k8s.io/client-go", "github.com/vmware/govmomi", "cuelang.org/go"}, "displays and tools read journals without any cloud client"},
	{"reconcile/vsphere", []string{"github.com/vmware/govmomi/simulator", "k8s.io/client-go"}, "the client ships, the simulator stands in for its server"},
	{"reconcile/supervisor", []string{"github.com/vmware/govmomi"}, "one client for one API"},
	{"reconcile/link", []string{"k8s.io", "github.com/vmware/govmomi"}, "it knows HTTP, and nothing of what is asked"},
	{"schema", []string{"k8s.io/client-go", "github.com/vmware/govmomi", "github.com/go-git"}, "validation contacts nothing"},
	{"schema", []string{"cuelang.org/go/cmd", "cuelang.org/go/cue/interpreter"}, "a manifest must not run code"},
	{"gitsource", []string{"k8s.io/client-go", "github.com/vmware/govmomi", "cuelang.org/go"}, "it reads files and knows nothing of what they say"},
	{"tui", []string{"k8s.io/client-go", "github.com/vmware/govmomi", "cuelang.org/go", "github.com/go-git", module + "simulate"}, "a display reads journals only"},
	{"simulate/kubeapi", []string{"github.com/vmware/govmomi"}, "an API server knows nothing of vSphere"},
	{"cmd/vksync", []string{"go.etcd.io/etcd/server", "k8s.io/apiserver", "k8s.io/kubernetes", "k8s.io/kube-aggregator"}, "the binary carries no real control plane"},
	{"cmd/vksync", []string{"testing", "github.com/rogpeppe/go-internal", "github.com/google/go-cmp"}, "the binary carries no test code"},
}

// owners are the only packages that may import a library themselves, so that its
// types do not leave them.
var owners = []struct {
	library string
	only    []string
}{
	{"cuelang.org/go", []string{"schema"}},
	{"github.com/go-git", []string{"gitsource"}},
	{"github.com/vmware/govmomi", []string{"reconcile/vsphere", "simulate/vcenter"}},
	{"k8s.io/client-go", []string{"reconcile", "reconcile/supervisor", "simulate", "simulate/kubeapi/conformance"}},
	{"github.com/prometheus", []string{"reconcile/web"}},
	{"charm.land", []string{"tui", "tui/paint", "tui/dashboard", "cmd/vksync"}},
	{"github.com/spf13/cobra", []string{"cmd/vksync"}},
}

// pure are the packages that make the same of the same input: their own files
// import nothing that does I/O and ask no clock.
var pure = []string{"reconcile/resource", "reconcile/phase", "reconcile/topology", "reconcile/plan", "reconcile/drift"}

// timeless are the packages of which two runs must give the same bytes.
var timeless = append([]string{
	"reconcile/journal", "schema", "simulate", "simulate/controllers", "simulate/inventory", "simulate/kubeapi", "simulate/vcenter",
}, pure...)

// realClocks are the places that offer the wall clock to who gives no other, and the one
// that dates what vcsim would date by it.
var realClocks = []string{"kubeapi/store.go", "simulate/pace.go", "vcenter/clock.go"}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for _, p := range listed(t).own() {
		allowed, known := imports[p.short()]
		if !known {
			t.Errorf("%s is not in the table of imports: say what it may import", p.short())
		}
		for _, i := range p.Imports {
			if name, own := strings.CutPrefix(i, module); own && !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s, and may import of vksync only %q", p.short(), name, allowed)
			}
		}
	}
}

func TestForbiddenPackagesAreOutOfReach(t *testing.T) {
	t.Parallel()
	graph := listed(t)
	for _, rule := range reaches {
		if way := graph.way(module+rule.from, rule.not); way != nil {
			t.Errorf("%s reaches %s, but %s:\n\t%s", rule.from, way[len(way)-1], rule.because, strings.Join(way, "\n\t-> "))
		}
	}
}

func TestLibrariesAreImportedByTheirOwnersOnly(t *testing.T) {
	t.Parallel()
	for _, p := range listed(t).own() {
		for _, rule := range owners {
			if slices.ContainsFunc(p.Imports, within(rule.library)) && !slices.Contains(rule.only, p.short()) {
				t.Errorf("%s imports %s, which only %q may", p.short(), rule.library, rule.only)
			}
		}
	}
}

func TestPurePackagesDoNoIO(t *testing.T) {
	t.Parallel()
	graph := listed(t)
	for _, name := range pure {
		for _, i := range graph[module+name].Imports {
			for _, bad := range []string{"os", "net", "io/fs", "io/ioutil", "syscall", "context", "log", "math/rand", "crypto/rand", "database"} {
				if within(bad)(i) && i != "net/netip" { // which only reads and compares addresses
					t.Errorf("%s imports %s, but it is pure: data in, data out", name, i)
				}
			}
		}
	}
}

func TestWhatIsDeterministicAsksNoClockAndNoChance(t *testing.T) {
	t.Parallel()
	graph := listed(t)
	for _, name := range timeless {
		p := graph[module+name]
		for _, bad := range []string{"math/rand", "math/rand/v2", "crypto/rand"} {
			if slices.Contains(p.Imports, bad) {
				t.Errorf("%s imports %s, but the same seed must give the same bytes", name, bad)
			}
		}
		for _, file := range p.GoFiles {
			if slices.Contains(realClocks, p.Name+"/"+file) {
				continue
			}
			for _, use := range clockUses(t, filepath.Join(p.Dir, file)) {
				t.Errorf("%s: time comes from the World there, not from the clock", use)
			}
		}
	}
}

// clockUses finds the calls that read the wall clock or wait for it.
func clockUses(t *testing.T, path string) []string {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parsing %s: %v", path, err)
	}
	var found []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := s.X.(*ast.Ident); ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "Tick"}, s.Sel.Name) {
			at := files.Position(s.Pos())
			found = append(found, filepath.Base(filepath.Dir(at.Filename))+"/"+filepath.Base(at.Filename)+":"+strconv.Itoa(at.Line)+": time."+s.Sel.Name)
		}
		return true
	})
	return found
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	for _, p := range listed(t).own() {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("the package doc of %s is %q, want it to begin with %q", p.short(), p.Doc, want)
		}
	}
}

// The rules above are only worth something when they can fail.
func TestAForbiddenImportIsFound(t *testing.T) {
	t.Parallel()
	graph := packages{
		module + "tui":             {Imports: []string{module + "reconcile/plan"}},
		module + "reconcile/plan":  {Imports: []string{"k8s.io/client-go/rest"}},
		"k8s.io/client-go/rest":    {Imports: []string{"net"}},
		"k8s.io/client-goodies/x":  {},
		module + "reconcile/other": {Imports: []string{"k8s.io/client-goodies/x"}},
	}
	want := []string{module + "tui", module + "reconcile/plan", "k8s.io/client-go/rest"}
	if got := graph.way(module+"tui", []string{"k8s.io/client-go"}); !slices.Equal(got, want) {
		t.Errorf("the way is %q, want %q", got, want)
	}
	if got := graph.way(module+"reconcile/other", []string{"k8s.io/client-go"}); got != nil {
		t.Errorf("a package with a longer name is taken for it: %q", got)
	}
}

// pkg is what "go list" says of a package.
type pkg struct {
	Dir, ImportPath, Name, Doc string
	Imports, GoFiles           []string
}

func (p *pkg) short() string { return strings.TrimPrefix(p.ImportPath, module) }

// packages are those of the module and everything they need, by import path.
type packages map[string]*pkg

// listed asks the Go tool, which knows build constraints.
func listed(t *testing.T) packages {
	t.Helper()
	var errs bytes.Buffer
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=Dir,ImportPath,Name,Doc,Imports,GoFiles", "./...")
	list.Dir = filepath.Join("..", "..")
	list.Stderr = &errs
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errs.String())
	}
	graph := packages{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		graph[p.ImportPath] = p
	}
}

// own are the packages of vksync by path.
func (g packages) own() []*pkg {
	var own []*pkg
	for _, path := range slices.Sorted(maps.Keys(g)) {
		if strings.HasPrefix(path, module) {
			own = append(own, g[path])
		}
	}
	return own
}

// way is the shortest chain of imports from a package to one whose path begins
// with one of targets; nil when there is none.
func (g packages) way(from string, targets []string) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at != from && slices.ContainsFunc(targets, func(t string) bool { return within(t)(at) }) {
			var way []string
			for ; at != ""; at = before[at] {
				way = append(way, at)
			}
			slices.Reverse(way)
			return way
		}
		if g[at] == nil {
			continue
		}
		for _, next := range g[at].Imports {
			if _, seen := before[next]; !seen {
				before[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// within says whether a package is the tree or below it.
func within(tree string) func(path string) bool {
	return func(path string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }
}
