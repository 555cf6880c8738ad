package journal

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

func (l *line) raw(s string) { l.b = append(l.b, s...) }

func (l *line) int(n int64) { l.b = strconv.AppendInt(l.b, n, 10) }

// optional writes a field unless it is empty.
func (l *line) optional(name, s string) {
	if s != "" {
		l.raw(name)
		l.text(s)
	}
}

// list writes a field that is a list unless it is empty.
func list[T any](l *line, name string, items []T, write func(T)) {
	if len(items) == 0 {
		return
	}
	l.raw(name)
	for i, item := range items {
		if i > 0 {
			l.raw(",")
		}
		write(item)
	}
	l.raw("]")
}

// labels writes labels in the order of their keys.
func (l *line) labels(labels map[string]string) {
	if len(labels) == 0 {
		return
	}
	var room [16]string
	keys := room[:0]
	for k := range labels {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	l.raw(`,"labels":{`)
	for i, k := range keys {
		if i > 0 {
			l.raw(",")
		}
		l.text(k)
		l.raw(":")
		l.text(labels[k])
	}
	l.raw("}")
}

const hex = "0123456789abcdef"

// text writes a JSON string as encoding/json does without HTML escaping: control
// characters and U+2028, U+2029 escaped, invalid UTF-8 replaced.
func (l *line) text(s string) {
	l.b = append(l.b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		width := 1
		escape := ""
		switch {
		case c == '"' || c == '\\':
			escape = `\` + string(rune(c))
		case c < utf8.RuneSelf:
			escape = control(c)
		default:
			escape, width = wide(s[i:])
		}
		if escape != "" {
			l.b = append(l.b, s[start:i]...)
			l.b = append(l.b, escape...)
			start = i + width
		}
		i += width
	}
	l.b = append(l.b, s[start:]...)
	l.b = append(l.b, '"')
}

func control(c byte) string {
	switch c {
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	return `\u00` + string(hex[c>>4]) + string(hex[c&0xf])
}

// wide is the escape of a character beyond ASCII, empty when it needs none, and
// how many bytes it has.
func wide(s string) (escape string, width int) {
	r, width := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && width == 1:
		return `\ufffd`, width
	case r == '\u2028':
		return `\u2028`, width
	case r == '\u2029':
		return `\u2029`, width
	}
	return "", width
}
