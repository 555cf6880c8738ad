package schema

import (
	"fmt"
	"strings"
	"testing"
)

// What would keep a library busy for seconds is refused at once.
func TestHostileInputIsRefused(t *testing.T) {
	t.Parallel()
	deep := maxDepth + 1
	tests := []struct{ name, file, text, want string }{
		{"a large file", "a.yaml", strings.Repeat("#", maxFileBytes+1), "larger than 256 KiB"},
		{"deep YAML", "a.yaml", strings.Repeat("[", deep+1) + strings.Repeat("]", deep+1), "nested deeper"},
		{"YAML merge keys", "a.yaml", "a: {b: 1}\nc: {<<: {d: 1}}\n", "merge keys"},
		{"YAML aliases", "a.yaml", "a: &x [1]\nb: [*x, *x]\n", "anchors and aliases"},
		{"a YAML tag", "a.yaml", "a: !!binary aGk=\n", "tag !!binary"},
		{"a huge YAML number", "a.yaml", "a: 99999999999999999999\n", "has no JSON form|too large|does not manage|no apiVersion"},
		{"many YAML documents", "a.yaml", strings.Repeat("---\na: 1\n", maxDocuments+1), "more than 1000 documents"},
		{"deep JSON", "a.json", strings.Repeat("[", deep+1) + strings.Repeat("]", deep+1), "nested deeper"},
		{"deep CUE", "a.cue", "a: " + strings.Repeat("[", deep+1) + strings.Repeat("]", deep+1), "nested deeper"},
		{"a long chain of fields", "a.cue", strings.Repeat("a: ", deep+1) + "1", "nested deeper"},
		{"a long sum", "a.cue", "a: 1" + strings.Repeat("+1", maxOperators+1), "more than 1000 operators"},
		{"a long number", "a.cue", "a: " + strings.Repeat("1", maxNumberLength+1), "more than 64 digits"},
		{"many tokens", "a.cue", strings.Repeat("a:1\n", maxTokens/3), "more than 50000 tokens"},
		{"nested loops", "a.cue", "a: [for a in x for b in x for c in x for d in x for e in x {1}]\nx: [1]", "for clauses"},
		{"loops within loops", "a.cue", "x: [1]\na: [for a in x {[for b in x for c in x {[for d in x for e in x {1}]}]}]", "for clauses"},
		{"files of the host", "a.cue", "@extern(embed)\npackage x\na: _ @embed(file=\"/etc/passwd\")\n", "@extern is not supported"},
		{"more values than a fleet has", "a.cue", billionLaughs(7), "more than 100000 values"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, problems := Load(repoOf(test.file, test.text), ".")
			said := false
			for want := range strings.SplitSeq(test.want, "|") {
				said = said || strings.Contains(problems.Error(), want)
			}
			if !said {
				t.Errorf("got %.300q, want %s", problems.Error(), test.want)
			}
		})
	}
}

func TestProblemsAreCapped(t *testing.T) {
	t.Parallel()
	_, problems := Load(repoOf("a.yaml", strings.Repeat("---\na: 1\n", 900), "b.yaml", strings.Repeat("---\na: 1\n", 900)), ".")
	if last := problems[len(problems)-1].String(); len(problems) != maxProblems+1 || last != "b.yaml:202:1: and 800 more problems" {
		t.Errorf("got %d problems, the last %q", len(problems), last)
	}
}

// billionLaughs is a value of ten to the power of n that shares its parts.
func billionLaughs(n int) string {
	var b strings.Builder
	b.WriteString("x0: {k: 1}\n")
	for i := range n {
		ref := fmt.Sprintf("x%d", i)
		fmt.Fprintf(&b, "x%d: {%s}\n", i+1, "a: "+ref+", b: "+ref+", c: "+ref+", d: "+ref+", e: "+ref+", f: "+ref+", g: "+ref+", h: "+ref+", i: "+ref+", j: "+ref)
	}
	return b.String()
}

// What is not explained any more is not said to be allowed either.
func TestProblemsOfOneResourceAreCapped(t *testing.T) {
	t.Parallel()
	text := goodNamespace
	for i := range maxExplained + 10 {
		text += fmt.Sprintf("x%d: 1\n", i)
	}
	_, problems := Load(repoOf("a.yaml", text), ".")
	if len(problems) != maxExplained+1 || !strings.Contains(problems[0].Message, "more problems than the 50") {
		t.Fatalf("got %d problems:\n%s", len(problems), problems)
	}
	if want := "allowed: apiVersion, kind, metadata, spec)"; !strings.Contains(problems[1].String(), want) {
		t.Errorf("got %.200q, want %s", problems[1], want)
	}
}
