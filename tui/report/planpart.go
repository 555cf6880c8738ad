package report

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// planPart is what the plan says. Values in it were redacted when it was made.
type planPart struct {
	Broken   string // why it cannot be read; empty when it can
	Summary  string
	Digest   string
	Policy   string
	Findings []finding
	Groups   []actionGroup
	Notes    []string
	links    map[resource.Addr][]actionLink
}

type finding struct {
	Severity                         mark
	Code, Object, Pos, Message, Hint string
}

// An actionGroup is the actions of a phase.
type actionGroup struct {
	Title   string
	Actions []action
}

type action struct {
	ID                  int
	Symbol, Verb        string
	Object, Pos         string
	Effect, EffectClass string
	Reason, Skip        string
	Changes             []change
	MoreChanges         int
	Machines            []plan.Line // what it does to machines
	Updates             bool        // there is an old value to show
}

type change struct{ Path, Old, New, Effect, EffectClass, Affects string }

// An actionLink leads from a goal to what the plan says of it.
type actionLink struct {
	ID   int
	Text string
}

// The caps on what is shown of a plan.
const (
	changeCap  = 200    // of one action
	changesCap = 20_000 // of all actions
	actionCap  = 2000
	findingCap = 2000
)

// jsonPlan is as much of a plan's JSON form as is shown.
type jsonPlan struct {
	Digest  string `json:"digest"`
	Summary plan.Summary
	Policy  struct {
		Source string `json:"source"`
		Prune  bool   `json:"prune"`
		Adopt  bool   `json:"adopt"`
	} `json:"policy"`
	Findings []plan.Finding `json:"findings"`
	Phases   []struct {
		ID      string        `json:"id"`
		Title   string        `json:"title"`
		Actions []plan.Action `json:"actions"`
	} `json:"phases"`
}

// planOf reads the plan of a journal; nil when it has none.
func planOf(b *journal.Begin) *planPart {
	if len(b.Plan) == 0 || string(b.Plan) == "null" {
		return nil
	}
	var in jsonPlan
	if err := json.Unmarshal(b.Plan, &in); err != nil {
		return &planPart{Broken: say(err.Error())}
	}
	p := &planPart{Digest: say(in.Digest), Summary: summary(in.Summary), Policy: policyWords(in), links: map[resource.Addr][]actionLink{}}
	slices.SortStableFunc(in.Findings, func(a, b plan.Finding) int { return weight(a.Severity) - weight(b.Severity) })
	findings, more := head(in.Findings, findingCap)
	for _, f := range findings {
		p.Findings = append(p.Findings, findingOf(f))
	}
	room, id, all := changesCap, 0, 0
	for _, g := range in.Phases {
		group := actionGroup{Title: say(fmt.Sprintf("Phase %s: %s", g.ID, g.Title))}
		all += len(g.Actions)
		for _, a := range g.Actions[:min(len(g.Actions), actionCap-id)] {
			one := actionOf(id, a, min(room, changeCap))
			room -= len(one.Changes)
			group.Actions = append(group.Actions, one)
			p.links[a.Addr] = append(p.links[a.Addr], actionLink{id, linkText(a)})
			id++
		}
		if len(group.Actions) > 0 {
			p.Groups = append(p.Groups, group)
		}
	}
	if more > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%s more findings are not shown; what stops a run comes first.", paint.Count(more)))
	}
	if id < all {
		p.Notes = append(p.Notes, fmt.Sprintf("%s of %s actions are shown, the first ones.", paint.Count(id), paint.Count(all)))
	}
	if room <= 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("The plan has more than %s changes of fields; the later ones are only counted.", paint.Count(changesCap)))
	}
	return p
}

// byAddr are links to the actions on each resource.
func (p *planPart) byAddr() map[resource.Addr][]actionLink {
	if p == nil {
		return nil
	}
	return p.links
}

func linkText(a plan.Action) string {
	text := string(a.Verb)
	if a.Verb == plan.None {
		text = "wait"
	}
	if n := len(a.Changes); n > 0 {
		text += ", " + paint.Plural(n, "field")
	}
	return say(text)
}

func summary(s plan.Summary) string {
	text := fmt.Sprintf("%s to create, %s to update, %s to delete", paint.Count(s.Create), paint.Count(s.Update), paint.Count(s.Delete))
	if s.Wait > 0 {
		text += ", " + paint.Count(s.Wait) + " to wait for"
	}
	if s.Skipped > 0 {
		text += ", " + paint.Count(s.Skipped) + " skipped"
	}
	return text
}

func policyWords(p jsonPlan) string {
	text := "prunes nothing"
	if p.Policy.Prune {
		text = "prunes what is no longer in the repository"
	}
	if p.Policy.Adopt {
		text += ", adopts what exists"
	}
	if p.Policy.Source != "" {
		text = "source " + p.Policy.Source + ", " + text
	}
	return say(text)
}

// weight orders findings: what stops a run first.
func weight(s plan.Severity) int {
	return slices.Index([]plan.Severity{plan.Fail, plan.Warn, plan.Unknown, plan.Skipped, plan.OK}, s)
}

func findingOf(f plan.Finding) finding {
	m := mark{Glyph: glyphs.Pending, Word: say(string(f.Severity)), Class: "pending"}
	switch f.Severity {
	case plan.OK:
		m.Glyph, m.Class = glyphs.Done, "done"
	case plan.Warn:
		m.Glyph, m.Class = "!", "blocked"
	case plan.Fail:
		m.Glyph, m.Class = glyphs.Failed, "failed"
	case plan.Unknown:
		m.Glyph, m.Class = "?", "running"
	}
	object := ""
	if f.Addr != (resource.Addr{}) {
		object = f.Addr.String()
	}
	return finding{Severity: m, Code: say(f.Code), Object: say(object), Pos: say(f.Pos.String()), Message: say(f.Message), Hint: say(f.Hint)}
}

func actionOf(id int, a plan.Action, room int) action {
	out := action{
		ID: id, Symbol: a.Verb.Symbol(), Verb: say(string(a.Verb)), Object: say(a.Addr.String()), Pos: say(a.Pos.String()),
		Effect: say(string(a.Effect)), EffectClass: effectClass(a.Effect), Reason: say(a.Reason), Skip: say(a.Skip),
		Updates: a.Verb == plan.Update,
	}
	changes, more := head(a.Changes, max(0, room))
	for _, c := range changes {
		out.Changes = append(out.Changes, change{
			Path: say(c.Path), Old: say(plan.Shown(c.Old)), New: say(plan.Shown(c.New)),
			Effect: say(string(c.Effect)), EffectClass: effectClass(c.Effect), Affects: say(c.Affects),
		})
	}
	out.MoreChanges = more
	for _, line := range a.Machines() {
		out.Machines = append(out.Machines, plan.Line{Text: say(line.Text), Below: line.Below})
	}
	return out
}

// effectClass is a class of the style sheet.
func effectClass(e plan.Effect) string {
	switch e {
	case plan.InPlace:
		return "inplace"
	case plan.Scale:
		return "scale"
	case plan.Rolling:
		return "rolling"
	case plan.Forbidden:
		return "forbidden"
	}
	return "none"
}
