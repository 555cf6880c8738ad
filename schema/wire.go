package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// The binary form in which results leave the child process and are kept on disk:
// numbers as varints, texts with their length before them, values with a tag. It
// is decoded six times as fast as JSON, and keeps whole numbers whole.

// The tags of values.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagText
	tagList
	tagMap
)

// encoder appends to a message.
type encoder struct{ data []byte }

func (e *encoder) int(i int)   { e.data = binary.AppendVarint(e.data, int64(i)) }
func (e *encoder) byte(b byte) { e.data = append(e.data, b) }

func (e *encoder) flag(b bool) {
	if b {
		e.byte(1)
		return
	}
	e.byte(0)
}

func (e *encoder) text(s string) {
	e.data = binary.AppendUvarint(e.data, uint64(len(s)))
	e.data = append(e.data, s...)
}

func (e *encoder) position(p resource.Position) {
	e.text(p.File)
	e.int(p.Line)
	e.int(p.Col)
}

// value appends plain data as apimachinery keeps it; fields in lexical order, so
// that the same data has the same form.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case bool:
		if v {
			e.byte(tagTrue)
			return
		}
		e.byte(tagFalse)
	case int64:
		e.byte(tagInt)
		e.data = binary.AppendVarint(e.data, v)
	case float64:
		e.byte(tagFloat)
		e.data = binary.LittleEndian.AppendUint64(e.data, math.Float64bits(v))
	case string:
		e.byte(tagText)
		e.text(v)
	case []any:
		e.byte(tagList)
		e.int(len(v))
		for _, item := range v {
			e.value(item)
		}
	case map[string]any:
		e.byte(tagMap)
		e.int(len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			e.text(name)
			e.value(v[name])
		}
	default:
		e.byte(tagNull)
	}
}

// loaded appends what a unit holds.
func (e *encoder) loaded(l loaded) {
	e.int(len(l.objects))
	for _, o := range l.objects {
		e.position(o.Source)
		e.value(o.Object)
	}
	e.int(len(l.problems))
	for _, p := range l.problems {
		e.problem(p)
	}
}

func (e *encoder) problem(p Problem) {
	e.position(p.Pos)
	for _, s := range p.texts() {
		e.text(*s)
	}
}

// decoder reads a message that may be anything. The first fault ends it: from
// then on everything is zero, and err says so. What it allocates is bounded by
// the length of the message and by the number of values in it.
type decoder struct {
	data   []byte
	values int // read so far in one unit
	err    error
	// names are field names seen before, which nearly all are.
	names map[string]string
}

var errWire = errors.New("the message is damaged")

func (d *decoder) fail() {
	if d.err == nil {
		d.err = errWire
	}
	d.data = nil
}

func (d *decoder) int() int {
	i, n := binary.Varint(d.data)
	if n <= 0 || i < math.MinInt32 || i > math.MaxInt32 {
		d.fail()
		return 0
	}
	d.data = d.data[n:]
	return int(i)
}

// count is the number of items that follow, each of which takes a byte at least.
func (d *decoder) count() int {
	n := d.int()
	if n < 0 || n > len(d.data) {
		d.fail()
		return 0
	}
	return n
}

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.fail()
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return b
}

func (d *decoder) flag() bool { return d.byte() == 1 }

// bytes are the bytes of a text, in place.
func (d *decoder) bytes() []byte {
	size, n := binary.Uvarint(d.data)
	if n <= 0 || size > uint64(len(d.data)-n) {
		d.fail()
		return nil
	}
	b := d.data[n : n+int(size)]
	d.data = d.data[n+int(size):]
	return b
}

func (d *decoder) text() string { return string(d.bytes()) }

// name is a text that is likely to come again.
func (d *decoder) name() string {
	b := d.bytes()
	if known, is := d.names[string(b)]; is {
		return known
	}
	const most = 10_000
	s := string(b)
	if len(d.names) < most && len(s) <= maxPathBytes {
		if d.names == nil {
			d.names = map[string]string{}
		}
		d.names[s] = s
	}
	return s
}

func (d *decoder) position() resource.Position {
	return resource.Position{File: d.name(), Line: d.int(), Col: d.int()}
}

func (d *decoder) value(depth int) any {
	if d.values++; d.values > maxNodes || depth > maxDepth+1 {
		d.fail()
		return nil
	}
	switch d.byte() {
	case tagNull:
		return nil
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagInt:
		i, n := binary.Varint(d.data)
		if n <= 0 {
			d.fail()
			return nil
		}
		d.data = d.data[n:]
		return i
	case tagFloat:
		if len(d.data) < 8 {
			d.fail()
			return nil
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(d.data))
		d.data = d.data[8:]
		if math.IsNaN(f) || math.IsInf(f, 0) {
			d.fail()
		}
		return f
	case tagText:
		return d.text()
	case tagList:
		return d.list(depth)
	case tagMap:
		return d.record(depth)
	}
	d.fail()
	return nil
}

// mostAhead is how many items are made room for before they are seen.
const mostAhead = 256

func (d *decoder) list(depth int) any {
	n := d.count()
	items := make([]any, 0, min(n, mostAhead))
	for range n {
		items = append(items, d.value(depth+1))
		if d.err != nil {
			return nil
		}
	}
	return items
}

func (d *decoder) record(depth int) any {
	n := d.count()
	fields := make(map[string]any, min(n, mostAhead))
	for range n {
		name := d.name()
		fields[name] = d.value(depth + 1)
		if d.err != nil {
			return nil
		}
	}
	if len(fields) != n {
		d.fail()
	}
	return fields
}

// loaded reads what a unit holds. Only what could be a resource of the desired
// state passes: a child that has been taken over can still lie about those, but
// bring up nothing else.
func (d *decoder) loaded() (l loaded) {
	d.values = 0
	for range d.count() {
		at := d.position()
		content, _ := d.value(0).(map[string]any)
		o := resource.NewObject(content)
		if o.Source = at; d.err == nil && (kindDefinitions[o.GetAPIVersion()+" "+o.GetKind()] == "" || o.GetName() == "") {
			d.fail()
		}
		if d.err != nil {
			return loaded{}
		}
		l.objects = append(l.objects, o)
	}
	n := d.count()
	if n > maxProblems+1 {
		d.fail()
	}
	for range n {
		p := d.problem()
		if d.err != nil {
			return loaded{}
		}
		l.problems = append(l.problems, p)
	}
	return l
}

func (d *decoder) problem() Problem {
	p := Problem{Pos: d.position()}
	for _, s := range p.texts() {
		*s = d.text()
	}
	return p
}

// end fails when something is left.
func (d *decoder) end() error {
	if d.err == nil && len(d.data) > 0 {
		return fmt.Errorf("%w: %d bytes are left over", errWire, len(d.data))
	}
	return d.err
}
