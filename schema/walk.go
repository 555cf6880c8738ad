package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"

	"github.com/vksync/vksync/reconcile/resource"
)

// walk finds the resources in the value of a CUE file or package: every struct
// with a concrete apiVersion and kind, in fields, nested structs and lists, but
// not in definitions and hidden fields.
type walk struct {
	value    cue.Value
	docs     []*node
	values   map[*node]cue.Value // what nodes were read from
	paths    [][]string          // where in value docs were found
	files    []*ast.File         // that value was built from
	nodes    int
	problems Problems
}

func (w *walk) resources() {
	err := w.value.Err()
	if err == nil {
		err = w.value.Validate()
	}
	if err != nil {
		w.problems = append(w.problems, explainCUE(err, w.addrOf)...)
	}
	w.find(w.value, nil)
	w.place()
	if w.nodes > maxNodes {
		w.problems = append(w.problems, Problem{
			Pos: userPosition(w.value), Message: fmt.Sprintf("the result has more than %d values", maxNodes), Hint: "split the package",
		})
		w.docs = nil
	}
}

// count says whether there is room for another value.
func (w *walk) count(depth int) bool {
	w.nodes++
	return w.nodes <= maxNodes && depth <= maxDepth
}

func (w *walk) find(v cue.Value, path []string) {
	if !w.count(len(path)) {
		return
	}
	v, _ = v.Default()
	switch v.IncompleteKind() {
	case cue.StructKind:
		if isResource(v) {
			w.docs = append(w.docs, w.node(v, nil, 0))
			w.paths = append(w.paths, slices.Clone(path))
			return
		}
		fields, err := v.Fields()
		if err != nil {
			return // reported for the whole value
		}
		for fields.Next() {
			w.find(fields.Value(), append(path, fields.Selector().Unquoted()))
		}
	case cue.ListKind:
		items, err := v.List()
		if err != nil {
			return
		}
		for i := 0; items.Next(); i++ {
			w.find(items.Value(), append(path, strconv.Itoa(i)))
		}
	}
}

func isResource(v cue.Value) bool {
	return textAt(v, "apiVersion") != "" && textAt(v, "kind") != ""
}

func textAt(v cue.Value, path ...string) string {
	for _, name := range path {
		v = v.LookupPath(cue.MakePath(cue.Str(name)))
	}
	v, _ = v.Default()
	s, _ := v.String()
	return s
}

// addrOf is the address of the resource that path leads into.
func (w *walk) addrOf(path []string) resource.Addr {
	for n := len(path); n >= 0; n-- {
		v := w.value
		for _, name := range path[:n] {
			selector := cue.Str(name)
			if i, is := index(name); is && v.IncompleteKind() == cue.ListKind {
				selector = cue.Index(i)
			}
			v = v.LookupPath(cue.MakePath(selector))
		}
		if kind := textAt(v, "kind"); kind != "" && textAt(v, "apiVersion") != "" {
			group, _, _ := strings.Cut(textAt(v, "apiVersion"), "/")
			return resource.Addr{
				Group: group, Kind: kind,
				Namespace: textAt(v, "metadata", "namespace"), Name: textAt(v, "metadata", "name"),
			}
		}
	}
	return resource.Addr{}
}

// node turns an evaluated value into plain data.
func (w *walk) node(v cue.Value, path []string, depth int) *node {
	v, _ = v.Default()
	n := &node{pos: quickPosition(v)}
	w.values[n] = v
	if !w.count(depth) {
		n.shape = broken
		return n
	}
	switch v.Kind() {
	case cue.StructKind:
		n.shape = record
		fields, err := v.Fields()
		for err == nil && fields.Next() {
			name := fields.Selector().Unquoted()
			child := w.node(fields.Value(), append(path, name), depth+1)
			n.fields = append(n.fields, field{name: name, pos: child.pos, node: child})
		}
	case cue.ListKind:
		n.shape = list
		items, err := v.List()
		for i := 0; err == nil && items.Next(); i++ {
			n.items = append(n.items, w.node(items.Value(), append(path, strconv.Itoa(i)), depth+1))
		}
	default:
		w.scalar(n, v, path)
	}
	return n
}

func (w *walk) scalar(n *node, v cue.Value, path []string) {
	var err error
	switch v.Kind() {
	case cue.StringKind:
		n.shape = text
		n.value, err = v.String()
	case cue.BoolKind:
		n.shape = flag
		n.value, err = v.Bool()
	case cue.IntKind:
		n.shape = number
		var i int64
		i, err = v.Int64()
		n.value, n.raw = i, fmt.Sprint(i)
	case cue.FloatKind, cue.NumberKind:
		n.shape = number
		var f float64
		f, err = v.Float64()
		n.value, n.raw = f, fmt.Sprint(f)
	case cue.NullKind:
		n.shape = empty
	default:
		n.shape = broken
		if v.Err() == nil {
			p := Problem{Pos: n.pos, Path: dotted(path), Message: "has no concrete value"}
			if !secret(path) {
				p.Allowed = resource.Redact(shorten(strings.Join(strings.Fields(fmt.Sprint(v)), " ")))
			}
			w.problems = append(w.problems, p)
		}
	}
	if err != nil {
		n.shape = broken
		w.problems = append(w.problems, Problem{Pos: n.pos, Path: dotted(path), Message: "the value has no JSON form, or is too large"})
	}
}
