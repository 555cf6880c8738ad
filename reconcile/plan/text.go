package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Text is the plan as people read it: findings as a compiler prints them, then
// the actions by phase, then one line that sums up. It is the same for equal plans.
func (p *Plan) Text() string {
	var b strings.Builder
	for _, f := range p.Findings {
		if f.Severity != OK && f.Severity != Skipped {
			writeFinding(&b, f)
		}
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	group := ""
	for i, a := range p.Actions {
		if title := heading(a); title != group {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(title + "\n")
			group = title
		}
		writeAction(&b, a)
	}
	if len(p.Actions) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(p.footer())
	return b.String()
}

func heading(a Action) string {
	if a.Verb == Delete {
		return "Removal"
	}
	return fmt.Sprintf("Phase %s  %s", a.Phase, a.Phase.Title())
}

func writeFinding(b *strings.Builder, f Finding) {
	if at := f.Pos.String(); at != "" {
		b.WriteString(at + ": ")
	}
	b.WriteString(string(f.Severity) + ": ")
	if f.Addr != (resource.Addr{}) {
		b.WriteString(f.Addr.String() + ": ")
	}
	fmt.Fprintf(b, "%s [%s]\n", f.Message, f.Code)
	if f.Hint != "" {
		fmt.Fprintf(b, "    %s\n", f.Hint)
	}
}

func writeAction(b *strings.Builder, a Action) {
	fmt.Fprintf(b, "  %s %s", a.Verb.Symbol(), a.Addr)
	switch {
	case a.Skip != "":
		fmt.Fprintf(b, "  skipped: %s", a.Skip)
	case a.Verb == None:
		fmt.Fprintf(b, "  wait: %s", a.Reason)
	case a.Effect != "" && a.Effect != InPlace:
		fmt.Fprintf(b, "  %s", a.Effect)
	case a.Reason != "":
		fmt.Fprintf(b, "  %s", a.Reason)
	}
	b.WriteByte('\n')
	writeChanges(b, a.Changes)
	writeParts(b, a)
}

// Shown is a value of a Change as the text form has it; empty for none.
func Shown(v any) string {
	if v == nil {
		return ""
	}
	return compact(v)
}

// compact is a value on one line: JSON, so that a string "1" is not a number.
func compact(v any) string {
	if v == resource.Hidden {
		return resource.Hidden
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (p *Plan) footer() string {
	var b strings.Builder
	if len(p.Actions) == 0 {
		b.WriteString("No changes. What exists is as desired.\n")
	} else {
		s := p.Summary()
		fmt.Fprintf(&b, "Plan: %d to create, %d to update, %d to delete", s.Create, s.Update, s.Delete)
		for _, more := range []struct {
			n    int
			what string
		}{{s.Wait, "to wait for"}, {s.Skipped, "skipped"}} {
			if more.n > 0 {
				fmt.Fprintf(&b, ", %d %s", more.n, more.what)
			}
		}
		b.WriteString(".\n")
	}
	counts := map[Severity]int{}
	for _, f := range p.Findings {
		counts[f.Severity]++
	}
	var parts []string
	for _, severity := range []Severity{Fail, Warn, Unknown, Skipped, OK} {
		if n := counts[severity]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(&b, "Checks: %s.\n", strings.Join(parts, ", "))
	}
	return b.String()
}

// phases are the groups of the JSON form, in the order of phase.All; removals
// are in the phase that their resource belongs to.
func (p *Plan) phases() []Group {
	var out []Group
	for _, id := range phase.All {
		group := Group{ID: id, Title: id.Title()}
		for _, a := range p.Actions {
			if a.Phase == id {
				group.Actions = append(group.Actions, a)
			}
		}
		if len(group.Actions) > 0 {
			out = append(out, group)
		}
	}
	return out
}
