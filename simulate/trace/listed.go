package trace

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Listed are the differences that are known and why they stay.
type Listed struct {
	// Pending are marks of steps whose differences are told and not yet held.
	Pending []string
	Entries []*Entry
}

// Entry is one listed difference.
type Entry struct {
	Line    int
	Pattern string // of the whole line or its beginning; * is any text
	Reason  string
	Met     int // how many differences it covered
}

// DecodeListed reads the file of listed differences: pending, a list of marks, and
// differences, a list of {line, reason}.
func DecodeListed(file string, text []byte) (*Listed, error) {
	d := decoder{file: file}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil || len(document.Content) == 0 {
		return nil, errors.Join(errors.New(file+" is no YAML"), err)
	}
	out := &Listed{}
	d.each(document.Content[0], "the file", map[string]func(*yaml.Node){
		"pending": func(n *yaml.Node) {
			for _, item := range d.list(n, "pending") {
				out.Pending = append(out.Pending, d.text(item))
			}
		},
		"differences": func(n *yaml.Node) {
			for _, item := range d.list(n, "differences") {
				e := &Entry{Line: item.Line}
				d.each(item, "a difference", map[string]func(*yaml.Node){
					"line":   func(n *yaml.Node) { e.Pattern = d.text(n) },
					"reason": func(n *yaml.Node) { e.Reason = d.text(n) },
				})
				if e.Pattern == "" || e.Reason == "" {
					d.fail(item, "a difference needs a line and a reason")
				}
				out.Entries = append(out.Entries, e)
			}
		},
	})
	return out, errors.Join(d.problems...)
}

// Covers says whether a difference is listed, and counts it for its entry.
func (l *Listed) Covers(d Difference) bool {
	for _, e := range l.Entries {
		if glob(e.Pattern, d.String()) {
			e.Met++
			return true
		}
	}
	return false
}

// glob says whether text is pattern or begins with it, where * in a pattern is any text.
func glob(pattern, text string) bool {
	first, rest, more := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, first) {
		return false
	}
	if !more {
		return true
	}
	text = text[len(first):]
	for at := 0; at <= len(text); at++ {
		if glob(rest, text[at:]) {
			return true
		}
	}
	return false
}
