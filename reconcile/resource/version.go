package resource

import "bytes"

// Where in an object the parts are that versions may share: metadata, spec and
// status are at level 1 and belong to one version, a condition is at level 3.
const (
	firstShared, lastShared = 2, 3
	// versionsKept is how many objects a Parser remembers; it starts anew when there
	// are more.
	versionsKept = 4096
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
	one := likely(text)
	p.before, p.passed = p.versions[one], 0
	p.now = &version{text: bytes.Clone(text)}
	m, err := p.Object(text)
	if err == nil {
		if p.versions == nil || len(p.versions) >= versionsKept {
			p.versions = map[string]*version{}
		}
		p.versions[one] = p.now
	}
	p.now, p.before = nil, nil
	return m, err
}

// likely is the first uid in the text of an object. It is the object's own, if that
// has no owner; if not, there is less to share.
func likely(text []byte) string {
	_, rest, _ := bytes.Cut(text, []byte(`"uid":"`))
	uid, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(uid)
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
		p.now.parts = append(p.now.parts, one)
	}
	return one.value, nil
}

func (p *Parser) again() *part {
	if p.before == nil {
		return nil
	}
	left, text := p.before.parts[p.passed:], p.text[p.at:]
	for i, was := range left {
		if bytes.HasPrefix(text, p.before.text[was.start:was.end]) {
			p.passed += i + 1
			return &left[i]
		}
	}
	return nil
}
