package trace

import (
	"strings"
	"testing"
)

func TestListed(t *testing.T) {
	l, err := DecodeListed("d", []byte(`
pending: [grow]
differences:
- {line: "* | Machine/*-~ | condition Ready | real: True", reason: why}
- {line: shrink |, reason: all of it}
`))
	if err != nil {
		t.Fatal(err)
	}
	difference := func(step, object, what string) Difference {
		return Difference{Step: step, Object: object, What: what, Real: "True/Ready"}
	}
	for _, c := range []struct {
		d    Difference
		want bool
	}{
		{difference("grow", "Machine/s1-~-~", "condition Ready"), true},
		{difference("grow", "Machine/s1-~-~", "condition Available"), false},
		{difference("grow", "Secret/s1-~-~", "condition Ready"), false},
		{difference("shrink", "Secret/s1-ca", "exists"), true},
	} {
		if got := l.Covers(c.d); got != c.want {
			t.Errorf("%s: listed is %v, want %v", c.d, got, c.want)
		}
	}
	if l.Entries[0].Met != 1 || l.Entries[1].Met != 1 || l.Entries[1].Line != 5 || len(l.Pending) != 1 {
		t.Errorf("the entries are %+v %+v, pending %v", *l.Entries[0], *l.Entries[1], l.Pending)
	}
	for text, want := range map[string]string{
		"":                          "d is no YAML",
		"differences: [{line: x}]":  "d:1: a difference needs a line and a reason",
		"differences: [{lines: x}]": `d:1: a difference has no "lines", only line, reason`,
		"differences: x":            "d:1: differences is a list",
		"known: []":                 `d:1: the file has no "known", only differences, pending`,
	} {
		if _, err := DecodeListed("d", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %q", text, err, want)
		}
	}
}
