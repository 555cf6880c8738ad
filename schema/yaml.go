package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/vksync/vksync/reconcile/resource"
)

// yamlReader turns the documents of one file into trees. The parser behind it
// is linear and leaves aliases alone.
type yamlReader struct {
	file     string
	lines    [][]byte // only of a file with other characters than ASCII
	nodes    int
	shares   bool // by anchors and aliases
	problems Problems
}

// readYAML reads every document of a file. Documents without content are left
// out; after a syntax error the rest of the file is unread.
func readYAML(file string, data []byte) ([]*node, Problems) {
	r := &yamlReader{file: file}
	if !isASCII(data) {
		r.lines = bytes.Split(data, []byte("\n"))
	}
	var docs []*node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		switch err := decoder.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return docs, r.problems
		case err != nil:
			return docs, append(r.problems, r.syntaxError(err))
		}
		if len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null" {
			continue
		}
		if len(docs) == maxDocuments {
			r.problem(&doc, fmt.Sprintf("the file has more than %d documents", maxDocuments), "split the file")
			return nil, r.problems
		}
		docs = append(docs, r.node(doc.Content[0], 0))
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (r *yamlReader) syntaxError(err error) Problem {
	p := Problem{Pos: resource.Position{File: r.file}, Message: "this is not YAML"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		p.Pos.Line, _ = strconv.Atoi(m[1])
		p.Message += ": " + m[2]
	}
	if p.Pos.Line > 0 {
		p.Pos.Col = 1
	}
	return p
}

func (r *yamlReader) problem(y *yaml.Node, message, hint string) *node {
	n := &node{shape: broken, pos: r.position(y)}
	r.problems = append(r.problems, Problem{Pos: n.pos, Message: message, Hint: hint})
	return n
}

// position turns the parser's column, which counts characters, into bytes.
func (r *yamlReader) position(y *yaml.Node) resource.Position {
	p := resource.Position{File: r.file, Line: max(y.Line, 1), Col: max(y.Column, 1)}
	if p.Line <= len(r.lines) {
		line := r.lines[p.Line-1]
		col := 0
		for range p.Col - 1 {
			_, size := utf8.DecodeRune(line[col:])
			col += size
		}
		p.Col = col + 1
	}
	return p
}

func (r *yamlReader) node(y *yaml.Node, depth int) *node {
	r.nodes++
	switch {
	case depth > maxDepth:
		return r.problem(y, fmt.Sprintf("values are nested deeper than %d", maxDepth), "")
	case r.nodes == maxNodes:
		return r.problem(y, fmt.Sprintf("the file has more than %d values", maxNodes), "split the file")
	case r.nodes > maxNodes:
		return &node{shape: broken, pos: r.position(y)}
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		if r.shares {
			return &node{shape: broken, pos: r.position(y)}
		}
		r.shares = true // once is enough to know it
		return r.problem(y, "YAML anchors and aliases are not accepted", "write the value out, or use CUE to share it")
	}
	switch y.Kind {
	case yaml.MappingNode:
		return r.record(y, depth)
	case yaml.SequenceNode:
		n := &node{shape: list, pos: r.position(y), items: make([]*node, 0, len(y.Content))}
		for _, item := range y.Content {
			n.items = append(n.items, r.node(item, depth+1))
		}
		return n
	}
	return r.scalar(y)
}

func (r *yamlReader) record(y *yaml.Node, depth int) *node {
	n := &node{shape: record, pos: r.position(y), fields: make([]field, 0, len(y.Content)/2)}
	seen := make(map[string]bool, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		switch {
		case key.ShortTag() == "!!merge":
			r.problem(key, "YAML merge keys are not accepted", "write the fields out, or use CUE to share them")
			continue
		case key.Kind != yaml.ScalarNode:
			r.problem(key, "a field name has to be plain text", "")
			continue
		case seen[key.Value]:
			r.problem(key, fmt.Sprintf("field %s is given twice", showText(key.Value)), "remove one of the two")
			continue
		}
		seen[key.Value] = true
		n.fields = append(n.fields, field{name: key.Value, pos: r.position(key), node: r.node(value, depth+1)})
	}
	return n
}

func (r *yamlReader) scalar(y *yaml.Node) *node {
	n := &node{pos: r.position(y), shape: text, value: y.Value}
	switch y.ShortTag() {
	case "!!str", "!!timestamp": // JSON has no times
	case "!!null":
		n.shape, n.value = empty, nil
	case "!!bool":
		n.shape, n.value = flag, strings.EqualFold(y.Value, "true")
	case "!!int":
		var i int64
		if err := y.Decode(&i); err != nil {
			return r.problem(y, "the number is too large", "")
		}
		n.shape, n.value, n.raw = number, i, y.Value
	case "!!float":
		var f float64
		if err := y.Decode(&f); err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return r.problem(y, "this number has no JSON form", "")
		}
		n.shape, n.value, n.raw = number, f, y.Value
	default:
		return r.problem(y, fmt.Sprintf("YAML tag %s is not accepted", shorten(y.ShortTag())), "remove the tag")
	}
	return n
}

func isASCII(data []byte) bool {
	for _, c := range data {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
