package schema

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// describe puts a constraint into words: what a value has to be ("a DNS label",
// "one of these", "at most 150"), and what is allowed.
func (d *definitions) describe(v cue.Value) (is, allowed string) {
	switch v.IncompleteKind() {
	case cue.StructKind:
		return "a map", ""
	case cue.ListKind:
		return "a list", ""
	}
	expr, err := parser.ParseExpr("constraint", fmt.Sprint(v))
	if err != nil {
		return "", ""
	}
	return d.describeExpr(expr)
}

func (d *definitions) describeExpr(expr ast.Expr) (is, allowed string) {
	source, err := format.Node(expr)
	if err != nil {
		return "", ""
	}
	if f, known := d.formats[string(source)]; known {
		return f.is, f.allowed
	}
	switch x := expr.(type) {
	case *ast.BasicLit:
		return strings.Trim(x.Value, `"`), ""
	case *ast.Ident:
		return describeKind(x.Name), ""
	case *ast.ParenExpr:
		return d.describeExpr(x.X)
	case *ast.BinaryExpr:
		switch x.Op {
		case token.OR:
			return d.describeAlternatives(x)
		case token.AND:
			return describeRange(x)
		}
	case *ast.UnaryExpr:
		return describeRange(x)
	}
	return "", ""
}

func describeKind(name string) string {
	switch name {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "uint":
		return "a whole number of at least 0"
	case "number", "float":
		return "a number"
	case "string":
		return "text"
	}
	return ""
}

// describeAlternatives words "1 | 3 | 5" and "int | =~pattern".
func (d *definitions) describeAlternatives(x *ast.BinaryExpr) (is, allowed string) {
	var values, kinds, examples []string
	for _, arm := range operands(x, token.OR) {
		if literal, ok := arm.(*ast.BasicLit); ok {
			values = append(values, strings.Trim(literal.Value, `"`))
			continue
		}
		is, example := d.describeExpr(arm)
		kinds = append(kinds, is)
		if example != "" {
			examples = append(examples, example)
		}
	}
	if len(kinds) == 0 {
		return "one of the allowed values", strings.Join(values, ", ")
	}
	return strings.Join(append(kinds, values...), " or "), strings.Join(examples, ", ")
}

// describeRange words "uint & <=150" and ">=1 & <=65535 & int".
func describeRange(x ast.Expr) (is, allowed string) {
	low, high, whole := "", "", false
	for _, term := range operands(x, token.AND) {
		switch t := term.(type) {
		case *ast.Ident:
			whole = whole || t.Name == "int" || t.Name == "uint"
			if t.Name == "uint" {
				low = "0"
			}
		case *ast.UnaryExpr:
			bound, ok := t.X.(*ast.BasicLit)
			switch {
			case !ok:
			case t.Op == token.GEQ:
				low = bound.Value
			case t.Op == token.GTR && bound.Value == "0":
				low = "1"
			case t.Op == token.LEQ:
				high = bound.Value
			}
		}
	}
	is = "a number"
	if whole {
		is = "a whole number"
	}
	switch {
	case low != "" && high != "":
		return is, low + " to " + high
	case low != "":
		return is, low + " or more"
	case high != "":
		return is, high + " or less"
	}
	return "", ""
}

// operands are the terms that op joins in x.
func operands(x ast.Expr, op token.Token) []ast.Expr {
	switch b := x.(type) {
	case *ast.BinaryExpr:
		if b.Op == op {
			return append(operands(b.X, op), operands(b.Y, op)...)
		}
	case *ast.ParenExpr:
		return operands(b.X, op)
	}
	return []ast.Expr{x}
}

// nearest is the name that was probably meant; "" where none is close, or two are.
func nearest(name string, names []string) string {
	best, distance := "", max(1, (len(name)+2)/3)+1
	for _, candidate := range names {
		switch d := editDistance(strings.ToLower(name), strings.ToLower(candidate)); {
		case d < distance:
			best, distance = candidate, d
		case d == distance:
			best = ""
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours between two words.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		older, old, row = old, row, older
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(old[j]+cost, old[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
