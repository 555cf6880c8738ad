package schema

import (
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vksync/vksync/reconcile/resource"
)

// Desired is what a repo asks for.
type Desired struct {
	// Resources are the Clusters and VSphereNamespaces.
	Resources resource.Set
	// Inventories are the Inventory objects, by name.
	Inventories []resource.Object
}

// Load evaluates every manifest below root of fsys; root is a path as fs.FS has
// them, "." or "" being all of it. CUE packages there also see the files of the
// same package in the directories above, up to the module's root.
//
// Load returns all resources found valid, and everything that is wrong, in the
// order of files. With any problem the set is not to be acted on. Positions name
// files by their paths in fsys.
func Load(fsys fs.FS, root string) (*Desired, Problems) {
	r := &repo{fsys: fsys}
	root = path.Clean(root)
	if !fs.ValidPath(root) {
		return &Desired{}, Problems{notInRepo(root)}
	}
	units, problems := r.units(root)
	results := r.loadAll(units)
	for _, result := range results {
		problems = append(problems, result.problems...)
	}
	desired, clashes := assemble(units, results)
	return desired, append(problems, clashes...).sorted().capped().shown()
}

func notInRepo(root string) Problem {
	return Problem{Message: fmt.Sprintf("%q is not a path in the repo", root)}
}

// loaded is what one unit holds.
type loaded struct {
	objects  []resource.Object
	problems Problems
}

// loadAll loads units on all processors. The result is in the order of units,
// whoever was first.
func (r *repo) loadAll(units []unit) []loaded {
	results := make([]loaded, len(units))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(units)) {
		workers.Go(func() {
			for i := next.Add(1); i <= int64(len(units)); i = next.Add(1) {
				results[i-1] = r.load(units[i-1])
			}
		})
	}
	workers.Wait()
	return results
}

// load reads one unit and judges its resources. A fault in the libraries that
// read hostile input is a problem of that input.
func (r *repo) load(u unit) (result loaded) {
	name := u.name()
	defer func() {
		for i := range result.problems {
			if result.problems[i].Pos.File == "" {
				result.problems[i].Pos.File = name
			}
		}
	}()
	defer func() {
		if fault := recover(); fault != nil {
			result = loaded{problems: Problems{evaluatorFailed(name)}}
		}
	}()
	defer func() {
		if len(result.problems) > maxProblems {
			result.problems = result.problems.sorted().capped()
		}
	}()
	read := r.readUnit(u)
	result.problems = read.problems
	for _, doc := range expandLists(read.docs) {
		if len(result.problems) > maxProblems {
			break // nobody is shown more, and each takes its time
		}
		found := compiled().check(doc)
		if len(found) > 0 && read.refine != nil {
			read.refine(doc)
			found = compiled().check(doc)
		}
		result.problems = append(result.problems, found...)
		if len(found) == 0 && !doc.isBroken() {
			result.objects = append(result.objects, doc.object())
		}
	}
	return result
}

func evaluatorFailed(name string) Problem {
	return Problem{
		Pos: resource.Position{File: name}, Message: "cannot be evaluated: the evaluator failed on it",
		Hint: "simplify the file; this is a fault of vksync that its authors want to know of",
	}
}

// reading is what a unit was read as.
type reading struct {
	docs     []*node
	problems Problems
	// refine makes the positions in a document exact; nil where they are.
	refine func(*node)
}

func (r *repo) readUnit(u unit) (read reading) {
	if u.file == "" || path.Ext(u.file) == ".cue" {
		return r.evaluate(u)
	}
	data, problem := r.read(u.file)
	switch {
	case problem != nil:
		read.problems = Problems{*problem}
	case path.Ext(u.file) == ".json":
		read.docs, read.problems = readJSON(u.file, data)
	default:
		read.docs, read.problems = readYAML(u.file, data)
	}
	return read
}

// expandLists puts the items of a Kubernetes List in its place.
func expandLists(docs []*node) []*node {
	var all []*node
	for _, doc := range docs {
		items := doc.field("items")
		if doc.field("apiVersion").str() == "v1" && doc.field("kind").str() == "List" && items != nil && items.shape == list {
			all = append(all, items.items...)
			continue
		}
		all = append(all, doc)
	}
	return all
}

// assemble makes one set of all objects and reports those of the same address.
func assemble(units []unit, results []loaded) (*Desired, Problems) {
	d := &Desired{}
	var problems Problems
	type definition struct {
		object resource.Object
		unit   unit
	}
	seen := map[resource.Addr]definition{}
	for i, result := range results {
		for _, o := range result.objects {
			addr := o.Addr()
			first, taken := seen[addr]
			switch {
			case !taken:
				seen[addr] = definition{o, units[i]}
				d.add(o)
			case !sameOfParent(first.object, o, first.unit, units[i]):
				problems = append(problems, definedTwice(addr, first.object.Source, o.Source))
			}
		}
	}
	slices.SortStableFunc(d.Inventories, func(a, b resource.Object) int { return a.Addr().Compare(b.Addr()) })
	return d, problems
}

func (d *Desired) add(o resource.Object) {
	if o.GetKind() == resource.KindInventory {
		d.Inventories = append(d.Inventories, o)
		return
	}
	d.Resources.Put(o)
}

// sameOfParent says whether b is the same resource as a, seen again because a
// CUE package includes the files of the directories above.
func sameOfParent(a, b resource.Object, ua, ub unit) bool {
	return ua.pkg != "" && ua.pkg == ub.pkg && ua.dir != ub.dir &&
		(ua.dir == "." || strings.HasPrefix(ub.dir, ua.dir+"/")) &&
		reflect.DeepEqual(a.Object, b.Object)
}

func definedTwice(addr resource.Addr, first, second resource.Position) Problem {
	message := fmt.Sprintf("%s is defined twice, first at %s", addr, first)
	hint := "remove one of the two, or rename it"
	if first == second {
		message = fmt.Sprintf("%s is defined twice at this place", addr)
		hint = "a comprehension or a package of a directory below yields the name again; make the names differ"
	}
	return Problem{Pos: second, Path: "metadata.name", Message: message, Hint: hint}
}
