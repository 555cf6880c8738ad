package dashboard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// A planSheet is a plan made ready to be looked at. It is made once for each Begin,
// by a command, and not changed afterwards: the plan of a large fleet takes longer
// to read than a frame may.
type planSheet struct {
	begin *journal.Begin
	doc   *plan.Document // nil when there is no plan, or none that can be read
	err   error          // why it cannot be read

	worries  []planFinding // what failed, warns or is not known, the worst first
	passed   []plan.Finding
	sections []planSection
	actions  []planAction // by section
}

// A planSection is a phase, or the removals.
type planSection struct {
	title    string
	from, to int // of planSheet.actions
}

type planFinding struct {
	plan.Finding
	search string // all its words, in lower case
}

type planAction struct {
	plan.Action
	forecast *journal.GoalForecast // nil when there is none
	search   string
}

func newPlanSheet(b *journal.Begin) *planSheet {
	p := &planSheet{begin: b}
	if p.doc, p.err = plan.Read(b.Plan); p.doc == nil {
		return p
	}
	p.sort(p.doc.Findings)
	var removals []plan.Action
	for _, g := range p.doc.Phases {
		var rest []plan.Action
		for _, a := range g.Actions {
			if a.Verb == plan.Delete {
				removals = append(removals, a)
			} else {
				rest = append(rest, a)
			}
		}
		p.add("Phase "+paint.Clean(string(g.ID)+"  "+g.Title), rest)
	}
	p.add("Removal", removals)
	p.foresee(b.Forecast)
	return p
}

// sort tells what has to be seen from what may be folded, and puts next to each other
// what one check found.
func (p *planSheet) sort(findings []plan.Finding) {
	ranks := []plan.Severity{plan.Fail, plan.Warn, plan.Unknown}
	type kind struct {
		severity plan.Severity
		code     string
	}
	first := map[kind]int{}
	for i, f := range findings {
		if !slices.Contains(ranks, f.Severity) {
			p.passed = append(p.passed, f)
			continue
		}
		if _, known := first[kind{f.Severity, f.Code}]; !known {
			first[kind{f.Severity, f.Code}] = i
		}
		words := strings.Join([]string{string(f.Severity), f.Addr.String(), f.Code, f.Message, f.Pos.File}, " ")
		p.worries = append(p.worries, planFinding{f, strings.ToLower(words)})
	}
	slices.SortStableFunc(p.worries, func(a, b planFinding) int {
		return cmp.Or(
			slices.Index(ranks, a.Severity)-slices.Index(ranks, b.Severity),
			first[kind{a.Severity, a.Code}]-first[kind{b.Severity, b.Code}],
		)
	})
}

// alike says whether two findings are the same check's, with the same result.
func (f planFinding) alike(o planFinding) bool { return f.Severity == o.Severity && f.Code == o.Code }

func (p *planSheet) add(title string, actions []plan.Action) {
	if len(actions) == 0 {
		return
	}
	from := len(p.actions)
	for _, a := range actions {
		p.actions = append(p.actions, planAction{Action: a, search: wordsOf(a)})
	}
	p.sections = append(p.sections, planSection{title, from, len(p.actions)})
}

// wordsOf are the words that a filter finds an action by.
func wordsOf(a plan.Action) string {
	words := []string{string(a.Verb), a.Addr.String(), string(a.Effect), a.Skip, a.Reason, a.Pos.File}
	for _, c := range a.Changes {
		words = append(words, c.Path)
	}
	return strings.ToLower(strings.Join(words, " "))
}

func (p *planSheet) foresee(f *journal.Forecast) {
	if f == nil {
		return
	}
	goals := make(map[resource.Addr]*journal.GoalForecast, len(f.Goals))
	for i := range f.Goals {
		goals[f.Goals[i].Addr] = &f.Goals[i]
	}
	for i := range p.actions {
		p.actions[i].forecast = goals[p.actions[i].Addr]
	}
}

// digest is that of the plan; empty when it is not known.
func (p *planSheet) digest() string {
	if p == nil || p.doc == nil {
		return ""
	}
	return p.doc.Digest
}

// wrong says whether an action is a problem while its goal stands like that.
func (a *planAction) wrong(state phase.State) bool {
	switch {
	case a.Skip != "", a.Effect == plan.Forbidden, state == phase.Blocked, state == phase.Failed:
		return true
	}
	return state != phase.Done && a.forecast != nil && a.forecast.End < 0
}

// effect says what an action does, and to what.
func (a *planAction) effect() string {
	switch {
	case a.Skip != "":
		return "skipped: " + a.Skip
	case a.Verb == plan.Create:
		return "create"
	case a.Verb == plan.Update && (a.Effect == "" || a.Effect == plan.InPlace):
		return "in place"
	case a.Verb == plan.Update:
		return strings.TrimSuffix(string(a.Effect)+": "+a.affects(), ": ")
	case a.Verb == plan.Delete:
		return strings.TrimSuffix("delete: "+a.Reason, ": ")
	}
	return strings.TrimSuffix("wait: "+a.Reason, ": ")
}

// affects lists what the strongest effect is about.
func (a *planAction) affects() string {
	var names []string
	for _, c := range a.Changes {
		if c.Effect == a.Effect && c.Affects != "" && !slices.Contains(names, c.Affects) {
			names = append(names, c.Affects)
		}
	}
	// "control plane and workers" has all of the others in it.
	if slices.Contains(names, "control plane and workers") && a.Effect == plan.Rolling {
		return "control plane and workers"
	}
	return strings.Join(names, ", ")
}
