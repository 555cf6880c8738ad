package kubeapi

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/vksync/vksync/reconcile/resource"
)

// A pen encodes what checkJSON passes, without reflection: every change of a watched
// kind goes through it.
type pen struct {
	version string // resourceVersion of the object that it writes, if that does not carry it
	text    []byte
	start   int      // of what it writes, in the text
	parts   []part   // that are written
	header  header   // that is written
	before  *writing // nil where there is nothing to take over
	passed  int      // of before's parts
}

// A header is the metadata of an object and where the quoted resourceVersion is in
// their text, which the rest of them does not have to change with.
type header struct {
	part
	version, rest int
}

// sharedDepth is how deep in an object parts are looked for that another version
// shares: a condition is in a list in the status.
const sharedDepth = 3

// A part is a map or a list, by its address and its size, and where its text is in
// that of the object. Lists of different sizes may begin at the same address.
type part struct {
	address          uintptr
	size, start, end int
}

func partOf(v any) part {
	switch v := v.(type) {
	case map[string]any:
		return part{address: reflect.ValueOf(v).Pointer(), size: len(v)}
	case []any:
		return part{address: reflect.ValueOf(v).Pointer(), size: len(v)}
	}
	return part{}
}

// is says whether two parts are the same map or list.
func (one part) is(other part) bool { return one.address == other.address && one.size == other.size }

// write appends a value that is so deep in an object.
func (p *pen) write(v any, depth int) {
	if depth == 0 || depth > sharedDepth {
		p.writeNew(v, depth)
		return
	}
	one := partOf(v)
	if one.size == 0 { // there is nothing to gain
		p.writeNew(v, depth)
		return
	}
	one.start = p.at()
	if !p.copy(one) {
		p.writeNew(v, depth)
	}
	one.end = p.at()
	p.parts = append(p.parts, one)
}

// at is how much of the object is written.
func (p *pen) at() int { return len(p.text) - p.start }

// copy appends the text that a part had before. Versions keep the order of their
// parts, so what was passed is not looked at again.
func (p *pen) copy(one part) bool {
	if p.before == nil {
		return false
	}
	left := p.before.parts[p.passed:]
	i := slices.IndexFunc(left, one.is)
	if i < 0 {
		return false
	}
	p.passed += i + 1
	p.text = append(p.text, p.before.text[left[i].start:left[i].end]...)
	return true
}

func (p *pen) writeNew(v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		p.writeMap(v, depth, "")
	case []any:
		p.text = append(p.text, '[')
		for i, item := range v {
			if i > 0 {
				p.text = append(p.text, ',')
			}
			p.write(item, depth+1)
		}
		p.text = append(p.text, ']')
	case string:
		p.text = appendString(p.text, v)
	case int64:
		p.text = strconv.AppendInt(p.text, v, 10)
	case bool:
		p.text = strconv.AppendBool(p.text, v)
	case nil:
		p.text = append(p.text, "null"...)
	default:
		p.text = appendOther(p.text, v)
	}
}

// writeMap appends a map in the order of its keys, among them the resourceVersion if
// one is given.
func (p *pen) writeMap(m map[string]any, depth int, version string) {
	var room [16]string
	keys := room[:0]
	for key := range m {
		keys = append(keys, key)
	}
	if version != "" {
		keys = append(keys, "resourceVersion")
	}
	slices.Sort(keys)
	p.text = append(p.text, '{')
	for i, key := range keys {
		if i > 0 {
			p.text = append(p.text, ',')
		}
		p.text = append(appendString(p.text, key), ':')
		switch value := m[key]; {
		case depth == 0 && key == "metadata":
			p.writeHeader(resource.Fields(value))
		case version != "" && key == "resourceVersion":
			p.writeVersion(version)
		default:
			p.write(value, depth+1)
		}
	}
	p.text = append(p.text, '}')
}

// writeHeader appends the metadata of an object.
func (p *pen) writeHeader(metadata map[string]any) {
	one := partOf(metadata)
	one.start = p.at()
	if before := p.before; before != nil && before.header.is(one) {
		was := before.header
		p.text = append(p.text, before.text[was.start:was.version]...)
		p.writeVersion(p.version)
		p.text = append(p.text, before.text[was.rest:was.end]...)
	} else {
		p.writeMap(metadata, 1, p.version)
	}
	one.end = p.at()
	p.header.part = one
}

func (p *pen) writeVersion(version string) {
	p.header.version = p.at()
	p.text = appendString(p.text, version)
	p.header.rest = p.at()
}
