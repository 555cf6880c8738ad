package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
)

// explanation finds everything that is wrong with one resource. CUE does not
// report missing fields beside other errors, and says nothing useful of what
// depends on a wrong value. So it is asked again with every value that has a
// problem taken out, until nothing new is found.
type explanation struct {
	*definitions
	definition cue.Value
	doc        *node
	// replaced holds the values taken out: unknown fields become nothing, wrong
	// values become anything.
	replaced map[*node]any
	known    map[string]bool // paths that have their problem
	left     cue.Value       // the definition and what is left of the resource
	problems Problems
}

// explain describes why definition refuses doc. What could not be read has been
// reported and counts as right; only then there may be nothing to say.
func (d *definitions) explain(definition cue.Value, doc *node, unread []*node) Problems {
	e := &explanation{
		definitions: d, definition: definition, doc: doc,
		replaced: map[*node]any{}, known: map[string]bool{},
	}
	e.missingClass()
	for _, n := range unread {
		e.replaced[n] = ast.NewIdent("_")
	}
	const rounds = 6
	for range rounds {
		before := len(e.known)
		e.round()
		if len(e.known) == before || e.isFull() {
			break
		}
	}
	full := e.isFull()
	e.dropEchoes()
	if full {
		e.problems = append(e.problems, Problem{
			Pos: doc.pos, Message: fmt.Sprintf("has more problems than the %d that are explained at once", maxExplained), Hint: "put these right first",
		})
	}
	if len(e.problems) == 0 && len(unread) == 0 {
		e.problems = Problems{{Pos: doc.pos, Message: "the definition of this kind refuses the manifest"}}
	}
	return e.problems
}

// evaluate unifies the definition with what is left of the resource.
func (e *explanation) evaluate() cue.Value {
	return e.definition.Unify(newContext().Encode(e.doc.content(e.replaced)))
}

func (e *explanation) round() {
	var order []string
	groups := map[string][]errors.Error{}
	for _, err := range errors.Errors(e.evaluate().Validate(cue.Concrete(true))) {
		path := pathOf(err)
		key := joinPath(path)
		if _, seen := groups[key]; !seen {
			order = append(order, key)
		}
		groups[key] = append(groups[key], err)
	}
	// A field that is unknown says all there is to say of what is in it.
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(strings.Count(a, "\x00"), strings.Count(b, "\x00")) })
	// What the class allows is only known once there is no doubt about the class.
	aboutClass := slices.ContainsFunc(order, func(key string) bool { return isClass(splitPath(key)) && !e.known[key] })
	var words []func() Problem
	for _, key := range order {
		if e.known[key] || aboutClass && !isClass(splitPath(key)) {
			continue
		}
		// What there is no room for is taken out as well, lest it count as allowed.
		if word := e.add(key, groups[key]); word != nil && len(e.problems)+len(words) < maxExplained {
			words = append(words, word)
		}
	}
	// What the definition asks for is worded with all of them taken out, by one
	// evaluation.
	e.left = e.evaluate()
	for _, word := range words {
		e.problems = append(e.problems, word())
	}
}

// isFull says whether there are as many problems as are explained of one
// resource. Each takes an evaluation of all that is left.
func (e *explanation) isFull() bool { return len(e.problems) >= maxExplained }

// isClass says whether path is about the ClusterClass.
func isClass(path []string) bool {
	return len(path) > 2 && (path[2] == "class" || path[2] == "classRef" || path[2] == "classNamespace")
}

// The formats of the messages that CUE has, as far as they are told apart here.
const (
	msgNotAllowed = "field not allowed"
	msgRequired   = "field is required but not present"
)

// add takes out the value that errs are about, and returns what words the
// problem; nil where it only follows from another.
func (e *explanation) add(key string, errs []errors.Error) func() Problem {
	path := splitPath(key)
	if e.isReplaced(path) {
		return nil
	}
	at := e.doc.find(path)
	has := func(message string) bool {
		return slices.ContainsFunc(errs, func(err errors.Error) bool {
			format, _ := err.Msg()
			return format == message
		})
	}
	switch {
	case at.node == nil && !has(msgRequired):
		return nil // of the schema's own making, and an echo of another
	case at.node == nil:
		e.known[key] = true
		return func() Problem { return e.missing(path, at) }
	case has(msgNotAllowed):
		e.known[key] = true
		e.replaced[at.node] = nil
		return func() Problem { return e.unknown(path, at) }
	case at.node.shape == record && !slices.ContainsFunc(errs, isMismatch):
		return nil // an echo of something in it
	}
	e.known[key] = true
	e.replaced[at.node] = ast.NewIdent("_")
	return func() Problem { return e.wrong(path, at) }
}

// isReplaced says whether path leads to or into a value that was taken out.
func (e *explanation) isReplaced(path []string) bool {
	n := e.doc
	for i := 0; ; i++ {
		if _, replaced := e.replaced[n]; replaced {
			return true
		}
		if i == len(path) {
			return false
		}
		if n = n.step(path[i]); n == nil {
			return false
		}
	}
}

// isMismatch says whether err is about a value of another kind.
func isMismatch(err errors.Error) bool {
	format, _ := err.Msg()
	return strings.Contains(format, "mismatched types")
}

// joinPath makes a path the key of a map. No name holds a zero byte, and one may
// be empty.
func joinPath(path []string) string {
	var key strings.Builder
	for _, name := range path {
		key.WriteString("\x00" + name)
	}
	return key.String()
}

func splitPath(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key[1:], "\x00")
}

func (e *explanation) missing(path []string, at place) Problem {
	p := Problem{Pos: at.pos, Path: at.dotted, Message: "is required"}
	if v := e.at(path[:len(path)-1]).LookupPath(cue.MakePath(cue.Str(path[len(path)-1]).Required())); v.Exists() {
		is, allowed := e.describe(v)
		p.Allowed = cmp.Or(allowed, is)
	}
	return p
}

const unknownField = "unknown field"

func (e *explanation) unknown(path []string, at place) Problem {
	name := path[len(path)-1]
	p := Problem{Pos: at.pos, Path: at.dotted, Message: unknownField}
	if len(path) > 1 && (path[len(path)-2] == "labels" || path[len(path)-2] == "annotations") {
		p.Message = "must be a label key"
		p.Allowed = "an optional DNS name and /, then letters, digits, - _ and ., at most 63 characters"
		if name == "vksync.dev/source" {
			p.Message, p.Allowed = "is set by vksync alone", ""
		}
		return p
	}
	fields := e.fieldsAt(path[:len(path)-1])
	p.Allowed = strings.Join(fields, ", ")
	switch near := nearest(name, fields); {
	case near != "":
		p.Hint = fmt.Sprintf("did you mean %s?", near)
	case name == "machinePools":
		p.Hint = "VKS has no machine pools; use machineDeployments"
	case name == "status" && len(path) == 1:
		p.Hint = "remove what the server added to an exported manifest"
	}
	return p
}

func (e *explanation) wrong(path []string, at place) Problem {
	p := Problem{Pos: at.node.pos, Path: at.dotted, Found: show(at.node, path)}
	is, allowed := e.describe(e.at(path))
	p.Allowed = allowed
	p.Message = "is not accepted"
	if is != "" {
		p.Message = "must be " + is
	}
	if at.node.shape == number && strings.HasPrefix(p.Allowed, "v1.") {
		p.Message = "must be a Kubernetes version, which starts with v; without quotes and v it is read as a number"
	}
	if near := nearest(at.node.str(), strings.Split(allowed, ", ")); at.node.shape == text && near != "" && !secret(path) {
		p.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	if foreign := strings.IndexFunc(at.node.str(), func(r rune) bool { return r > unicode.MaxASCII }); foreign >= 0 && p.Hint == "" && !secret(path) {
		r, _ := utf8.DecodeRuneInString(at.node.str()[foreign:])
		p.Hint = fmt.Sprintf("the character %U in it is not one of ASCII, whatever it looks like", r)
	}
	if at.node.shape == empty {
		p.Hint = "remove the field, or give it a value"
	}
	if at.node.shape == text && strings.HasSuffix(allowed, "1, 3, 5") {
		p.Hint = "write the number without quotes"
	}
	return p
}

// at is what the definition asks for at path.
func (e *explanation) at(path []string) cue.Value {
	v := e.left
	n := e.doc
	for _, name := range path {
		selector := cue.Str(name)
		if n != nil && n.shape == list {
			if i, err := strconv.Atoi(name); err == nil {
				selector = cue.Index(i)
			}
		}
		if n != nil {
			n = n.step(name)
		}
		v = v.LookupPath(cue.MakePath(selector))
	}
	return v
}

// fieldsAt lists the fields a struct may have, in the order of the definition.
func (e *explanation) fieldsAt(path []string) []string {
	fields, err := e.at(path).Fields(cue.Optional(true))
	if err != nil {
		return nil
	}
	var names []string
	for fields.Next() {
		selector := fields.Selector()
		if selector.LabelType() != cue.StringLabel || selector.ConstraintType() == cue.PatternConstraint {
			continue
		}
		names = append(names, selector.Unquoted())
	}
	slices.Sort(names)
	return names
}

// missingClass reports that no class is named. CUE does not: whatever depends on
// the class is an error to it first.
func (e *explanation) missingClass() {
	topology := e.doc.field("spec", "topology")
	path := []string{"spec", "topology", "class"}
	if e.doc.field("apiVersion").str() == "cluster.x-k8s.io/v1beta2" {
		path = []string{"spec", "topology", "classRef", "name"}
	}
	at := e.doc.find(path)
	if topology == nil || topology.shape != record || at.node != nil {
		return
	}
	e.known[joinPath(path)] = true
	for _, name := range []string{"classRef", "variables"} {
		if n := topology.field(name); n != nil {
			e.replaced[n] = ast.NewIdent("_")
		}
	}
	e.problems = append(e.problems, Problem{
		Pos: at.pos, Path: at.dotted, Message: "is required",
		Hint: "name the ClusterClass, as builtin-generic-v3.4.0",
	})
}

// dropEchoes removes what only follows from another problem: without a known
// class no variable is known, and without a known name no value.
func (e *explanation) dropEchoes() {
	faulty := map[string]bool{}
	for _, p := range e.problems {
		faulty[p.Path] = true
	}
	within := func(path string) bool { // an unknown field
		return slices.ContainsFunc(e.problems, func(p Problem) bool {
			rest, below := strings.CutPrefix(path, p.Path)
			return below && rest != "" && p.Message == unknownField && strings.ContainsAny(rest[:1], ".[")
		})
	}
	echoes := map[string]bool{}
	for path := range faulty {
		echoes[path] = within(path)
	}
	classless := faulty["spec.topology.class"] || faulty["spec.topology.classRef.name"]
	e.problems = slices.DeleteFunc(e.problems, func(p Problem) bool {
		variable, _, isValue := strings.Cut(p.Path, "].value")
		inVariable := strings.Contains(p.Path, ".variables")
		return echoes[p.Path] || classless && (inVariable || strings.HasSuffix(p.Path, "lassNamespace") || p.Path == "spec.topology.classRef.namespace") ||
			inVariable && isValue && faulty[variable+"].name"]
	})
}
