package resource

import "bytes"

// Where in an object the parts are that versions may share: metadata, spec and
// status are at level 1 and belong to one version, a condition is at level 3.
const (
	firstShared, lastShared = 2, 3
	// versionsKept is how many objects a Parser remembers; it starts anew when there
	// are more.
	versionsKept = 4096
	// fieldSets and fieldSetLength bound what a Parser remembers of who manages what.
	fieldSets      = 1024
	fieldSetLength = 4 << 10
)

// A version is the text of an object and what its parts were read as.
type version struct {
	text  []byte
	parts []part // by where they end
}

type part struct {
	start, end int
	value      any
}

// Version reads text, which is one JSON object as it is after a change, as Object
// does. Labels, conditions and whatever else is inside metadata, spec and status are
// the very maps and lists of the version before where their text is the same: they
// must not be written to.
func (p *Parser) Version(text []byte) (map[string]any, error) {
	one := p.versionOf(likely(text))
	p.before, p.passed = one, 0
	m, err := p.Object(text)
	if err == nil {
		one.remember(text, p.parts)
	}
	clear(p.parts)
	p.before, p.parts = nil, p.parts[:0]
	return m, err
}

// versionOf is what is remembered of an object, nothing at first.
func (p *Parser) versionOf(object []byte) *version {
	if one := p.versions[string(object)]; one != nil {
		return one
	}
	if p.versions == nil || len(p.versions) >= versionsKept {
		p.versions = map[string]*version{}
	}
	one := &version{}
	p.versions[string(object)] = one
	return one
}

// remember has v be another one, in the same memory.
func (v *version) remember(text []byte, parts []part) {
	clear(v.parts)
	v.text, v.parts = append(v.text[:0], text...), append(v.parts[:0], parts...)
}

// likely is the first uid in the text of an object. It is the object's own, if that
// has no owner; if not, there is less to share.
func likely(text []byte) []byte {
	_, rest, _ := bytes.Cut(text, []byte(`"uid":"`))
	uid, _, _ := bytes.Cut(rest, []byte(`"`))
	return uid
}

// fieldSet is the map for the fields that a manager holds. Objects that were made
// alike have the same, which are many small maps: half of what an object takes.
func (p *Parser) fieldSet(text []byte, value any) any {
	m, ok := value.(map[string]any)
	if !ok || len(text) > fieldSetLength {
		return value
	}
	return p.first(text, m, fieldSets)
}

// part reads an object or a list, of which p stands at the beginning, or takes it
// over: what begins with the text of a whole one is that one. Versions keep the order
// of their parts, so what was passed is not looked at again.
func (p *Parser) part(depth int) (value any, err error) {
	one := part{start: p.at}
	if known := p.again(); known != nil {
		one.value = known.value
		p.at += known.end - known.start
	} else if one.value, err = p.nested(depth); err != nil {
		return nil, err
	}
	one.end = p.at
	if one.end-one.start > len("{}") {
		p.parts = append(p.parts, one)
	}
	return one.value, nil
}

func (p *Parser) again() *part {
	left, text := p.before.parts[p.passed:], p.text[p.at:]
	for i, was := range left {
		if bytes.HasPrefix(text, p.before.text[was.start:was.end]) {
			p.passed += i + 1
			return &left[i]
		}
	}
	return nil
}
