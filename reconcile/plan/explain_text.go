package plan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Line is one of those that say what an action does to machines. Those that are
// Below belong to the part above.
type Line struct {
	Text  string
	Below bool
}

// Machines says in words what an action does to machines, part by part in the order of
// their turns; nothing when it does nothing to any, or is skipped.
func (a Action) Machines() []Line {
	if len(a.Parts) == 0 || a.Skip != "" {
		return nil
	}
	var out []Line
	for _, c := range a.Parts {
		out = append(out, Line{Text: c.When() + c.Part + ": " + c.Sentence()})
		if len(c.Goes) > 0 {
			out = append(out, Line{Text: c.verb() + " in this order: " + strings.Join(c.Goes, ", "), Below: true})
		}
		out = append(out, Line{Text: "because of " + strings.Join(c.Because, ", "), Below: true})
	}
	if a.Peak != nil {
		out = append(out, Line{Text: a.Peak.String()})
	}
	return out
}

// writeParts prints what an action does to machines, below its changes.
func writeParts(b *strings.Builder, a Action) {
	const indent = "      "
	for i, line := range a.Machines() {
		if i == 0 {
			b.WriteString(indent + "machines\n")
		}
		if line.Below {
			writeWrapped(b, indent+"    ", line.Text)
		} else {
			writeWrapped(b, indent+"  ", line.Text)
		}
	}
}

// When is the turn of a part, "2. " or "- " for one that has none.
func (c PartChange) When() string {
	if c.Turn == 0 {
		return "- "
	}
	return fmt.Sprintf("%d. ", c.Turn)
}

// verb is what happens to the machines that go.
func (c PartChange) verb() string {
	if c.Effect == Rolling {
		return "replaced"
	}
	return "deleted"
}

// Sentence says what happens to the machines of a part: "rolling replacement of 3
// machines, 1 more at a time (4 at most)".
func (c PartChange) Sentence() string {
	var text string
	switch {
	case c.Turn == 0:
		return string(c.Effect) + ", deferred: nothing happens for now"
	case c.Effect == InPlace:
		return "changed in place, no machine is replaced"
	case c.Effect == Added:
		return "added with " + plural(int(c.To), "machine")
	case c.Effect == Removed:
		return "removed with " + plural(int(c.Going), "machine") + ", all at once"
	case c.Effect == Scale && c.To == c.From:
		return "it has that many machines already"
	case c.Effect == Scale && c.Part == controlPlanePart:
		return fmt.Sprintf("from %d to %s, one at a time", c.From, plural(int(c.To), "machine"))
	case c.Effect == Scale:
		return fmt.Sprintf("from %d to %s, all at once", c.From, plural(int(c.To), "machine"))
	case c.Going == 0:
		return "rolling replacement of no machine"
	case c.OnDelete:
		return "replacement of " + plural(int(c.Going), "machine") + ", each when somebody deletes it"
	}
	text = "rolling replacement of " + plural(int(c.Going), "machine")
	if c.To != c.From {
		text += fmt.Sprintf(" by %d", c.Comes)
	}
	if c.Surge > 0 {
		text += fmt.Sprintf(", %d more at a time (%d at most)", c.Surge, c.Peak)
	}
	if c.Unavailable > 0 {
		text += fmt.Sprintf(", %d fewer at a time", c.Unavailable)
	}
	if c.Surge == 0 && c.Part == controlPlanePart {
		text += ", each deleted before the next is made"
	}
	if c.NotBefore != "" {
		text += ", at " + c.NotBefore
	}
	if c.Assumed {
		text += ", assumed: what the class makes of it is not known"
	}
	return text
}

// String is the peak in words.
func (p *Peak) String() string {
	text := "at most " + plural(int(p.Machines), "machine") + " and node address"
	if p.Addresses != 1 {
		text += "es"
	}
	text += " at once"
	if p.More > 0 {
		text += fmt.Sprintf(", %d more than now", p.More)
	}
	if p.CPUs > 0 {
		text += fmt.Sprintf(": %s, %s", plural(int(p.CPUs), "CPU"), gibibytes(p.MemoryMiB))
	}
	return text
}

// gibibytes is an amount of memory as people read it.
func gibibytes(mebibytes int64) string {
	if mebibytes%1024 == 0 {
		return fmt.Sprintf("%d GiB", mebibytes/1024)
	}
	return fmt.Sprintf("%.1f GiB", float64(mebibytes)/1024)
}

// writeWrapped prints words within the width of the text form. Lines after the first
// are indented by two more.
func writeWrapped(b *strings.Builder, indent, text string) {
	line := indent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth:
			b.WriteString(line + "\n")
			line = indent + "  " + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}
