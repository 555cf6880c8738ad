package schema

import (
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// shape is what a node of plain data is.
type shape int

const (
	empty shape = iota // null
	text
	number
	flag
	list
	record
	broken // could not be read; a problem has been reported for it
)

// node is one value of a resource with the place it was written at.
type node struct {
	shape shape
	pos   resource.Position
	// value is string, int64, float64, bool or nil.
	value any
	// raw is a number as it was written.
	raw    string
	items  []*node // of a list
	fields []field // of a record, in the order written, names unique
}

type field struct {
	name string
	pos  resource.Position // of the name
	node *node
}

// content is the data as apimachinery keeps it. Nodes in replaced take that
// value instead of their own, and are left out where it is nil.
func (n *node) content(replaced map[*node]any) any {
	switch n.shape {
	case record:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			if v, is := replaced[f.node]; !is {
				m[f.name] = f.node.content(replaced)
			} else if v != nil {
				m[f.name] = v
			}
		}
		return m
	case list:
		l := make([]any, len(n.items))
		for i, item := range n.items {
			if v, is := replaced[item]; is {
				l[i] = v
			} else {
				l[i] = item.content(replaced)
			}
		}
		return l
	}
	return n.value
}

// field is the child of that name; nil where there is none, also of a nil node.
func (n *node) field(path ...string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		var child *node
		for _, f := range n.fields {
			if f.name == name {
				child = f.node
			}
		}
		n = child
	}
	return n
}

// elements are the items of a list; none of anything else, also of a nil node.
func (n *node) elements() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// str is the text of n; "" of anything else, also of a nil node.
func (n *node) str() string {
	if n == nil {
		return ""
	}
	s, _ := n.value.(string)
	return s
}

// int is the whole number n holds; 0 of anything else, also of a nil node.
func (n *node) int() int64 {
	if n == nil {
		return 0
	}
	i, _ := n.value.(int64)
	return i
}

// step follows one element of a path: a field name, or the index of a list item.
func (n *node) step(name string) *node {
	if n.shape != list {
		return n.field(name)
	}
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 || i >= len(n.items) {
		return nil
	}
	return n.items[i]
}

// place is how far a path leads into n.
type place struct {
	// node is where the path ends; nil where it leads to nothing.
	node *node
	// parent is the deepest node on the way that exists, below node.
	parent *node
	// pos is of the field's name where the path ends at a field, else of the
	// value, and of the parent where node is nil.
	pos resource.Position
	// dotted is the path in the form users read, with the missing end.
	dotted string
}

// find follows path into n.
func (n *node) find(path []string) place {
	var dotted strings.Builder
	p := place{node: n, parent: n, pos: n.pos}
	for _, name := range path {
		if p.node != nil && p.node.shape == list {
			dotted.WriteString("[" + name + "]")
		} else {
			writeName(&dotted, name)
		}
		if p.node == nil {
			continue
		}
		p.parent = p.node
		p.node = p.parent.step(name)
		if p.node == nil {
			p.pos = p.parent.pos
			continue
		}
		p.pos = p.node.pos
		for _, f := range p.parent.fields {
			if f.name == name {
				p.pos = f.pos
			}
		}
	}
	p.dotted = dotted.String()
	return p
}

// writeName appends a field name to a dotted path, quoted where it has other
// characters than a name in a program.
func writeName(b *strings.Builder, name string) {
	if plainName(name) {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
		return
	}
	b.WriteString("[" + strconv.Quote(name) + "]")
}

func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c == '-' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// object is the resource that n holds.
func (n *node) object() resource.Object {
	content, _ := n.content(nil).(map[string]any)
	o := resource.NewObject(content)
	o.Source = n.pos
	return o
}

// addr is the address n gives itself, as far as it does.
func (n *node) addr() resource.Addr {
	group, _, _ := strings.Cut(n.field("apiVersion").str(), "/")
	return resource.Addr{
		Group:     group,
		Kind:      n.field("kind").str(),
		Namespace: n.field("metadata", "namespace").str(),
		Name:      n.field("metadata", "name").str(),
	}
}

// brokenNodes yields what could not be read.
func (n *node) brokenNodes() []*node {
	if n.shape == broken {
		return []*node{n}
	}
	var all []*node
	for _, f := range n.fields {
		all = append(all, f.node.brokenNodes()...)
	}
	for _, item := range n.items {
		all = append(all, item.brokenNodes()...)
	}
	return all
}

func (n *node) isBroken() bool { return len(n.brokenNodes()) > 0 }
