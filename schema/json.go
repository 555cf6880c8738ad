package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// jsonReader turns one JSON file into a tree.
type jsonReader struct {
	file     string
	data     []byte
	lines    []int // offset of the start of each line
	decoder  *json.Decoder
	nodes    int
	problems Problems
}

// readJSON reads a file of one JSON value, or of several one after the other.
func readJSON(file string, data []byte) ([]*node, Problems) {
	r := &jsonReader{file: file, data: data, lines: []int{0}, decoder: json.NewDecoder(bytes.NewReader(data))}
	r.decoder.UseNumber()
	for i, c := range data {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	var docs []*node
	for {
		start := r.next()
		token, err := r.decoder.Token()
		if errors.Is(err, io.EOF) {
			return docs, r.problems
		}
		if len(docs) == maxDocuments {
			r.problem(start, fmt.Sprintf("the file has more than %d documents", maxDocuments), "split the file")
			return nil, r.problems
		}
		var doc *node
		if err == nil {
			doc, err = r.node(token, start, 0)
		}
		if err != nil {
			at, reason := r.stopped(err)
			r.problem(at, "this is not JSON: "+reason, "")
			return docs, r.problems
		}
		docs = append(docs, doc)
	}
}

// stopped is where the decoder gave up and why.
func (r *jsonReader) stopped(err error) (offset int, reason string) {
	offset = min(r.next(), len(r.data))
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return offset, "the file ends in the middle of a value"
	case errors.As(err, &syntax):
		return min(max(int(syntax.Offset)-1, 0), len(r.data)), syntax.Error()
	}
	return offset, err.Error()
}

func (r *jsonReader) problem(offset int, message, hint string) *node {
	n := &node{shape: broken, pos: r.position(offset)}
	r.problems = append(r.problems, Problem{Pos: n.pos, Message: message, Hint: hint})
	return n
}

func (r *jsonReader) position(offset int) resource.Position {
	line := sort.SearchInts(r.lines, offset+1)
	return resource.Position{File: r.file, Line: line, Col: offset - r.lines[line-1] + 1}
}

// next is the offset of the next token.
func (r *jsonReader) next() int {
	offset := int(r.decoder.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return offset
}

func (r *jsonReader) node(token json.Token, start, depth int) (*node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, fmt.Errorf("the file has more than %d values; split it", maxNodes)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("values are nested deeper than %d", maxDepth)
	}
	n := &node{pos: r.position(start), value: token}
	switch t := token.(type) {
	case json.Delim:
		n.value = nil
		if t == '{' {
			n.shape = record
			return n, r.fields(n, depth)
		}
		n.shape = list
		return n, r.items(n, depth)
	case string:
		n.shape = text
	case bool:
		n.shape = flag
	case json.Number:
		return r.number(n, t)
	}
	return n, nil
}

func (r *jsonReader) number(n *node, t json.Number) (*node, error) {
	n.shape, n.raw = number, t.String()
	if !strings.ContainsAny(n.raw, ".eE") {
		i, err := strconv.ParseInt(n.raw, 10, 64)
		n.value = i
		if err != nil {
			return nil, errors.New("the number is too large")
		}
		return n, nil
	}
	f, err := t.Float64()
	n.value = f
	if err != nil {
		return nil, errors.New("the number is too large")
	}
	return n, nil
}

func (r *jsonReader) fields(n *node, depth int) error {
	seen := map[string]bool{}
	for r.decoder.More() {
		at := r.next()
		key, err := r.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		child, err := r.child(depth)
		if err != nil {
			return err
		}
		if seen[name] {
			r.problem(at, fmt.Sprintf("field %s is given twice", showText(name)), "remove one of the two")
			continue
		}
		seen[name] = true
		n.fields = append(n.fields, field{name: name, pos: r.position(at), node: child})
	}
	_, err := r.decoder.Token() // the closing brace
	return err
}

func (r *jsonReader) items(n *node, depth int) error {
	for r.decoder.More() {
		child, err := r.child(depth)
		if err != nil {
			return err
		}
		n.items = append(n.items, child)
	}
	_, err := r.decoder.Token() // the closing bracket
	return err
}

func (r *jsonReader) child(depth int) (*node, error) {
	start := r.next()
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	return r.node(token, start, depth+1)
}
