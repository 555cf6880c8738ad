package resource

import (
	"encoding/json"
	"errors"
	"hash/maphash"
	"strconv"
	"unicode/utf8"
)

// Parser reads JSON into maps, lists, strings, int64, float64 and bool, as
// apimachinery does, in one pass and with one copy of every name and short text
// that it has met before. It reads what API servers write; where it fails, the
// text may be right all the same, and apimachinery has to judge.
//
// A Parser remembers, so that each is for one goroutine. The zero one is ready.
type Parser struct {
	// Shared has small objects of the same text be the same map, which nobody may
	// write to then.
	Shared bool

	text    []byte
	at      int
	members []member         // of what is being read and not at its end yet
	known   *[remembered]any // strings
	objects map[string]map[string]any
	plain   []byte // the last text that had escapes, without them
	// versions are the objects that were read as such, by what they are taken for;
	// before is nil while something else is read.
	versions map[string]*version
	before   *version
	passed   int    // of before's parts
	parts    []part // of the version that is read
}

// A member of an object, or, without a name, of a list.
type member struct {
	name  string
	value any
}

var errOther = errors.New("no JSON that the parser reads")

const (
	// deepest is how far values may be inside one another.
	deepest = 200
	// rememberedLength and remembered bound what a parser keeps.
	rememberedLength = 48
	remembered       = 4096
	// sharedLength and shared bound those of Shared.
	sharedLength = 512
	shared       = 1 << 14
)

// Object reads text, which is one JSON object.
func (p *Parser) Object(text []byte) (map[string]any, error) {
	p.text, p.at, p.members = text, 0, p.members[:0]
	defer func() { p.text = nil }()
	if p.next() != '{' {
		return nil, errOther
	}
	m, err := p.fields(deepest)
	if err == nil && p.next() != 0 {
		err = errOther
	}
	return m, err
}

// next is the first character from here on that is no space; 0 is the end.
func (p *Parser) next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *Parser) value(depth int) (any, error) {
	if depth == 0 {
		return nil, errOther
	}
	switch c := p.next(); c {
	case '{', '[':
		if level := deepest - depth; p.before != nil && level >= firstShared && level <= lastShared {
			return p.part(depth)
		}
		return p.nested(depth)
	case '"':
		return p.quotation()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	}
	return p.number()
}

// nested reads an object or a list, of which p stands at the beginning.
func (p *Parser) nested(depth int) (any, error) {
	if p.text[p.at] == '[' {
		return p.items(depth)
	}
	start := p.at
	m, err := p.fields(depth)
	if err != nil {
		return nil, err
	}
	return p.share(p.text[start:p.at], m), nil
}

// fields reads an object, of which p stands at the brace.
func (p *Parser) fields(depth int) (map[string]any, error) {
	first := len(p.members)
	p.at++
	if p.next() == '}' {
		p.at++
		return map[string]any{}, nil
	}
	for more := true; more; {
		if p.next() != '"' {
			return nil, errOther
		}
		name, err := p.quotation()
		if err != nil {
			return nil, err
		}
		if p.next() != ':' {
			return nil, errOther
		}
		p.at++
		start := p.at
		value, err := p.value(depth - 1)
		if err != nil {
			return nil, err
		}
		if p.before != nil && name == "fieldsV1" {
			value = p.fieldSet(p.text[start:p.at], value)
		}
		p.members = append(p.members, member{name.(string), value})
		if more, err = p.more('}'); err != nil {
			return nil, err
		}
	}
	m := make(map[string]any, len(p.members)-first)
	for _, one := range p.members[first:] {
		m[one.name] = one.value
	}
	p.drop(first)
	return m, nil
}

// items reads a list, of which p stands at the bracket.
func (p *Parser) items(depth int) ([]any, error) {
	first := len(p.members)
	p.at++
	if p.next() == ']' {
		p.at++
		return []any{}, nil
	}
	for more := true; more; {
		item, err := p.value(depth - 1)
		if err != nil {
			return nil, err
		}
		p.members = append(p.members, member{value: item})
		if more, err = p.more(']'); err != nil {
			return nil, err
		}
	}
	list := make([]any, len(p.members)-first)
	for i, one := range p.members[first:] {
		list[i] = one.value
	}
	p.drop(first)
	return list, nil
}

// drop forgets the members from first on: they are where they belong.
func (p *Parser) drop(first int) {
	clear(p.members[first:])
	p.members = p.members[:first]
}

// more reads the comma before another member, or the end of them.
func (p *Parser) more(end byte) (bool, error) {
	c := p.next()
	p.at++
	switch c {
	case ',':
		return true, nil
	case end:
		return false, nil
	}
	return false, errOther
}

func (p *Parser) word(w string) error {
	end := p.at + len(w)
	if end > len(p.text) || string(p.text[p.at:end]) != w {
		return errOther
	}
	p.at = end
	return nil
}

// quotation reads a string, of which p stands at the quote. It comes as a value, so
// that not only its text is there once.
func (p *Parser) quotation() (any, error) {
	start, ascii := p.at+1, true
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"' && (ascii || utf8.Valid(p.text[start:i])):
			p.at = i + 1
			return p.keep(p.text[start:i]), nil
		case c == '"' || c == '\\' || c < ' ':
			return p.escaped(i)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errOther
}

// escaped reads a string that is not what it stands for, as is seen at i first.
func (p *Parser) escaped(i int) (any, error) {
	for ; i < len(p.text) && p.text[i] != '"'; i++ {
		if p.text[i] == '\\' {
			i++
		}
	}
	if i >= len(p.text) {
		return nil, errOther
	}
	quoted := p.text[p.at : i+1]
	p.at = i + 1
	if p.unescape(quoted[1 : len(quoted)-1]) {
		return p.keep(p.plain), nil
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err
}

// unescape writes to plain what text stands for, where that takes no more than to
// drop backslashes and to break lines.
func (p *Parser) unescape(text []byte) bool {
	p.plain = p.plain[:0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c < ' ' || c >= utf8.RuneSelf {
			return false
		}
		if c == '\\' {
			i++ // there is one more, as else the text would not have ended here
			switch c = text[i]; c {
			case '"', '\\', '/':
			case 'n':
				c = '\n'
			default:
				return false
			}
		}
		p.plain = append(p.plain, c)
	}
	return true
}

// keep is a copy of text, the same one for texts that are short and alike. Of those
// that fall into one place the last is remembered.
func (p *Parser) keep(text []byte) any {
	if len(text) > rememberedLength {
		return string(text)
	}
	if p.known == nil {
		p.known = new([remembered]any)
	}
	one := &p.known[maphash.Bytes(places, text)%remembered]
	if known, ok := (*one).(string); !ok || known != string(text) {
		*one = string(text)
	}
	return *one
}

// places says where texts are remembered.
var places = maphash.MakeSeed()

// share is the map for an object of that text: the first one that was read.
func (p *Parser) share(text []byte, m map[string]any) map[string]any {
	if !p.Shared || len(text) > sharedLength {
		return m
	}
	return p.first(text, m, shared)
}

// first is the map that was the first of that text; so many are remembered.
func (p *Parser) first(text []byte, m map[string]any, most int) map[string]any {
	if first, ok := p.objects[string(text)]; ok {
		return first
	}
	if p.objects == nil || len(p.objects) >= most {
		p.objects = map[string]map[string]any{}
	}
	p.objects[string(text)] = m
	return m
}

// number reads a number: an int64 where it is a whole one that fits.
func (p *Parser) number() (any, error) {
	start, whole := p.at, true
	for ; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c == '.' || c == 'e' || c == 'E' || c == '+' {
			whole = false
		} else if c != '-' && (c < '0' || c > '9') {
			break
		}
	}
	text := p.text[start:p.at]
	if !json.Valid(text) {
		return nil, errOther
	}
	if whole {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err
}
