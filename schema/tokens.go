package schema

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"

	"github.com/vksync/vksync/reconcile/resource"
)

// overLimits scans a CUE file for what would keep the parser or the evaluator
// busy for seconds, or end the process by a stack overflow. Scanning is linear.
func overLimits(name string, data []byte) *Problem {
	var s scanner.Scanner
	s.Init(token.NewFile(name, -1, len(data)), data, func(token.Pos, string, []any) {}, 0)
	var (
		open          []bool // brackets; true for that of an interpolation
		interpolation bool   // the next bracket is one
		tokens        int
		operators     int // in this expression
		colons        int // in this field
	)
	for {
		pos, tok, lit := s.Scan()
		tokens++
		switch tok {
		case token.EOF:
			return nil
		case token.INTERPOLATION:
			interpolation = true
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open, interpolation = append(open, interpolation), false
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) == 0 {
				return nil // the parser says so better
			}
			within := open[len(open)-1]
			open = open[:len(open)-1]
			if within {
				if tok != token.RPAREN {
					return nil
				}
				interpolation = strings.HasSuffix(s.ResumeInterpolation(), "(")
			}
		case token.COMMA:
			operators, colons = 0, 0
		case token.COLON:
			colons++
		default:
			if tok.IsOperator() {
				operators++
			}
		}
		message, limit := "", 0
		switch {
		case len(open) > maxDepth || colons > maxDepth:
			message, limit = "values are nested deeper than %d", maxDepth
		case operators > maxOperators:
			message, limit = "an expression has more than %d operators", maxOperators
		case tokens > maxTokens:
			message, limit = "the file has more than %d tokens", maxTokens
		case (tok == token.INT || tok == token.FLOAT) && len(lit) > maxNumberLength:
			message, limit = "a number has more than %d digits", maxNumberLength
		default:
			continue
		}
		at := position(pos)
		at.File = name
		return &Problem{Pos: at, Message: fmt.Sprintf(message, limit), Hint: "split the file, or list it in " + ignoreFile}
	}
}

// unsupported finds what a parsed file must not have: attributes that read other
// files or depend on flags, and comprehensions that multiply without end.
func unsupported(f *ast.File) (problem *Problem) {
	refuse := func(n ast.Node, message, hint string) {
		if problem == nil {
			problem = &Problem{Pos: position(n.Pos()), Message: message, Hint: hint}
		}
	}
	for _, decl := range f.Decls {
		attr, ok := decl.(*ast.Attribute)
		if !ok {
			continue
		}
		if name, _ := attr.Split(); slices.Contains([]string{"extern", "if", "ignore"}, name) {
			refuse(attr, "the file attribute @"+name+" is not supported", "files that are not for vksync are listed in "+ignoreFile)
		}
	}
	loops := 0
	ast.Walk(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.Comprehension); ok {
			if loops += fors(c); loops > maxComprehension {
				refuse(c, fmt.Sprintf("more than %d for clauses are nested", maxComprehension), "split the comprehension")
			}
		}
		return true
	}, func(n ast.Node) {
		if c, ok := n.(*ast.Comprehension); ok {
			loops -= fors(c)
		}
	})
	return problem
}

func fors(c *ast.Comprehension) int {
	n := 0
	for _, clause := range c.Clauses {
		if _, ok := clause.(*ast.ForClause); ok {
			n++
		}
	}
	return n
}

// packageName is the name in the package clause of a file; "" without one, and
// where the file is not fit to be parsed, which is reported when it is loaded.
func packageName(name string, data []byte) (pkg string) {
	defer func() {
		if recover() != nil {
			pkg = ""
		}
	}()
	if overLimits(name, data) != nil {
		return ""
	}
	f, err := parser.ParseFile(name, data, parser.PackageClauseOnly)
	if err != nil || f.PackageName() == "_" {
		return ""
	}
	return f.PackageName()
}

func position(pos token.Pos) resource.Position {
	if !pos.IsValid() {
		return resource.Position{}
	}
	p := pos.Position()
	return resource.Position{File: p.Filename, Line: p.Line, Col: p.Column}
}
