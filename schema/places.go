package schema

import (
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/vksync/vksync/reconcile/resource"
)

// userPosition is where a user wrote v: of what was unified, the concrete value
// comes first, and nothing of the embedded definitions counts.
func userPosition(v cue.Value) resource.Position {
	all, literal := userPositions(v, 0)
	switch {
	case literal.File != "":
		return literal
	case len(all) > 0:
		return all[0]
	}
	return resource.Position{}
}

// quickPosition is userPosition where that costs nothing, else some place.
func quickPosition(v cue.Value) resource.Position {
	if at := v.Pos(); isUsers(at) {
		return position(at)
	}
	return resource.Position{}
}

// refine finds the exact place of everything in doc. It evaluates again what
// every value was made of, so it is kept for docs that have a problem.
func (w *walk) refine(doc *node) {
	children := doc.items
	for _, f := range doc.fields {
		children = append(children, f.node)
	}
	for _, child := range children {
		if at := userPosition(w.values[child]); at.File != "" {
			child.pos = at
		}
		w.refine(child)
	}
	for i, f := range doc.fields {
		doc.fields[i].pos = f.node.pos
	}
}

// userPositions are all places of users' files that v comes from, and that of a
// literal among them.
func userPositions(v cue.Value, depth int) (all []resource.Position, literal resource.Position) {
	const deepest = 4
	if at := v.Pos(); isUsers(at) {
		all = append(all, position(at))
		if _, is := v.Source().(*ast.BasicLit); is {
			return all, all[0]
		}
	}
	if depth == deepest {
		return all, literal
	}
	op, operands := v.Expr()
	if op != cue.AndOp {
		return all, literal
	}
	for _, operand := range operands {
		more, found := userPositions(operand, depth+1)
		all = append(all, more...)
		if literal.File == "" {
			literal = found
		}
	}
	return all, literal
}

func isUsers(at token.Pos) bool {
	return at.IsValid() && !strings.HasPrefix(at.Filename(), importPath+"/")
}

// place moves every resource from the template it may be made of to where it is
// written itself: the field of its name around most of the values that it
// shares with the fewest others.
func (w *walk) place() {
	shared := map[resource.Position]int{}
	for _, doc := range w.docs {
		for at := range doc.leaves() {
			shared[at]++
		}
	}
	for i, doc := range w.docs {
		leaves := doc.leaves()
		counts := map[int]bool{}
		for at := range leaves {
			counts[shared[at]] = true
		}
		for _, count := range slices.Sorted(maps.Keys(counts)) {
			around := map[resource.Position]int{}
			for at := range leaves {
				if shared[at] == count {
					around[w.fieldAround(at, w.paths[i])]++
				}
			}
			if own := most(around); own.File != "" {
				doc.pos = own
				break
			}
		}
	}
}

// most is the known place with the most votes, the first in its file of equals.
func most(votes map[resource.Position]int) (winner resource.Position) {
	for at, n := range votes {
		if at.File != "" && (n > votes[winner] || winner.File == "" || n == votes[winner] && comparePositions(at, winner) < 0) {
			winner = at
		}
	}
	return winner
}

// leaves are the places of the scalars in n.
func (n *node) leaves() map[resource.Position]bool {
	all := map[resource.Position]bool{}
	var visit func(*node)
	visit = func(n *node) {
		if n.shape != record && n.shape != list && n.pos.File != "" {
			all[n.pos] = true
		}
		for _, f := range n.fields {
			visit(f.node)
		}
		for _, item := range n.items {
			visit(item)
		}
	}
	visit(n)
	return all
}

// fieldAround is the place of the field or list item that has the place at in it
// and may be what path leads to: fields whose names are computed may be anything.
func (w *walk) fieldAround(at resource.Position, path []string) (found resource.Position) {
	if len(path) == 0 {
		return resource.Position{File: at.File, Line: 1, Col: 1}
	}
	for _, f := range w.files {
		if f.Filename != at.File {
			continue
		}
		level := 0
		ast.Walk(f, func(n ast.Node) bool {
			if _, isFile := n.(*ast.File); !isFile && !encloses(n, at) {
				return false
			}
			switch n := n.(type) {
			case *ast.Field:
				if level < len(path) && !mayBe(n.Label, path[level]) {
					return false
				}
				if level++; level == len(path) {
					found = position(n.Label.Pos())
				}
			case *ast.ListLit:
				level++
				for _, item := range n.Elts {
					if level == len(path) && encloses(item, at) {
						found = position(item.Pos())
					}
				}
			}
			return true
		}, nil)
	}
	return found
}

func mayBe(label ast.Label, name string) bool {
	written, _, err := ast.LabelName(label)
	return err != nil || written == name
}

func encloses(n ast.Node, at resource.Position) bool {
	return comparePositions(position(n.Pos()), at) <= 0 && comparePositions(at, position(n.End())) <= 0
}
