package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vksync/vksync/reconcile/resource"
)

// Problem is one thing wrong with the desired state, in words for the person
// who wrote it. Its texts hold no secrets: what could be one is "(hidden)".
type Problem struct {
	// Pos is where it was written; a missing field is reported at the deepest
	// parent that exists. Only the file is known where a whole file is refused.
	Pos resource.Position `json:"pos"`
	// Addr is the resource concerned; the zero Addr where none is known yet.
	Addr resource.Addr `json:"addr"`
	// Path is the field, as in "spec.topology.workers.machineDeployments[0].name";
	// empty for a whole file or document.
	Path string `json:"path,omitempty"`
	// Message says what is wrong.
	Message string `json:"message"`
	// Found and Allowed are the value written and the values accepted, where
	// there are such.
	Found   string `json:"found,omitempty"`
	Allowed string `json:"allowed,omitempty"`
	// Hint is the next step.
	Hint string `json:"hint,omitempty"`
}

// String is the problem on one line, the hint on a second:
//
//	file:line:col: path: message (found x, allowed y) in Cluster team-a/prod
//	    hint
func (p Problem) String() string {
	var b strings.Builder
	for _, part := range []string{p.Pos.String(), p.Path} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	b.WriteString(p.Message)
	var facts []string
	if p.Found != "" {
		facts = append(facts, "found "+p.Found)
	}
	if p.Allowed != "" {
		facts = append(facts, "allowed: "+p.Allowed)
	}
	if len(facts) > 0 {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	if p.Addr.Name != "" {
		b.WriteString(" in " + p.Addr.String())
	}
	if p.Hint != "" {
		b.WriteString("\n    " + p.Hint)
	}
	return b.String()
}

// Problems are all problems of one Load in the order of their positions. As an
// error they print one after the other.
type Problems []Problem

// Error is every problem, each on its own lines.
func (ps Problems) Error() string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.String()
	}
	return strings.Join(texts, "\n")
}

// Err is ps as an error; nil when there is no problem.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// sorted orders problems by position and then by text, and drops repetitions:
// a fault in a shared template is reported once for each resource it spoils.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			comparePositions(a.Pos, b.Pos),
			a.Addr.Compare(b.Addr),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(ps)
}

// capped keeps a fault that is everywhere from filling a screen and a journal.
func (ps Problems) capped() Problems {
	if len(ps) <= maxProblems {
		return ps
	}
	more := fmt.Sprintf("and %d more problems", len(ps)-maxProblems)
	return append(ps[:maxProblems:maxProblems], Problem{Pos: ps[maxProblems].Pos, Message: more})
}

// shown makes every text fit for a terminal and a log: one line, and no
// characters that are not seen or that move others. They are written as in a
// program, since names and values of manifests may hold anything.
func (ps Problems) shown() Problems {
	for i := range ps {
		ps[i].Pos.File = visible(ps[i].Pos.File)
		for _, s := range ps[i].texts() {
			*s = visible(*s)
		}
	}
	return ps
}

// texts are all texts of p but the name of the file.
func (p *Problem) texts() []*string {
	return []*string{
		&p.Addr.Supervisor, &p.Addr.Group, &p.Addr.Kind, &p.Addr.Namespace, &p.Addr.Name,
		&p.Path, &p.Message, &p.Found, &p.Allowed, &p.Hint,
	}
}

func visible(s string) string {
	if !strings.ContainsFunc(s, invisible) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if invisible(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// invisible: control characters, and those that Unicode has for formatting, of
// which some turn the direction of the text around them.
func invisible(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

func comparePositions(a, b resource.Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
}
