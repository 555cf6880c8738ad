package dashboard

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/tui/paint"
)

// planKind is what a line of the plan is.
type planKind int

const (
	planText    planKind = iota // below a finding or an action, or between them
	planWorry                   // a finding that has to be seen
	planPassed                  // all the others, in one line
	planHead                    // of a section
	planDoing                   // an action
	planFolded                  // the changes of an action that are not shown
	planOutside                 // blank: belongs to nothing
)

// A planLine is a line of the plan. Lines of findings and actions are drawn when
// they are seen, since what is said of them changes; the others are made at once.
type planLine struct {
	kind  planKind
	i     int // of the finding, the section or the action it belongs to
	of    planKind
	n     int // of planWorry: how many findings it stands for, when it is several
	spans []span
}

// planFolds says what is open. The zero planFolds is as it is at first.
type planFolds struct {
	passed  bool
	worries map[int]bool // by finding, where somebody chose
	actions map[int]bool
	all     map[int]bool // actions of which every change is shown
}

const (
	// openWorries is up to how many findings are open at first, and openActions up to
	// how many updates: a plan that is read in one sitting is shown whole.
	openWorries = 4
	openActions = 20
	// openChanges is how many changes of an action are shown before the rest is folded.
	openChanges = 12
)

// A planLayout makes the lines of a plan for a width.
type planLayout struct {
	sheet    *planSheet
	folds    *planFolds
	width    int
	more     string // the sign of a cut
	words    []string
	problems bool
	wrong    func(i int) bool // whether an action is a problem now

	lines []planLine
	shown int // findings and actions
}

// planLines are the lines that are left by the filter, and how many findings and
// actions they are of.
func (l planLayout) planLines() ([]planLine, int) {
	l.worries()
	for i, section := range l.sheet.sections {
		l.section(i, section)
	}
	l.basis()
	for len(l.lines) > 0 && l.lines[len(l.lines)-1].kind == planOutside {
		l.lines = l.lines[:len(l.lines)-1]
	}
	return l.lines, l.shown
}

func (l *planLayout) add(kind planKind, of planKind, i int, spans ...span) {
	l.lines = append(l.lines, planLine{kind: kind, of: of, i: i, spans: spans})
}

// worries are the findings, and what was found in order in one line.
func (l *planLayout) worries() {
	for i := 0; i < len(l.sheet.worries); {
		i = l.check(i)
	}
	if len(l.sheet.passed) > 0 && len(l.words) == 0 && !l.problems {
		l.add(planPassed, planPassed, 0)
		if l.folds.passed {
			for _, f := range l.sheet.passed {
				text := fmt.Sprintf("%s%-8s%s [%s]", planIndent, f.Severity, paint.Clean(f.Message), paint.Clean(f.Code))
				l.add(planText, planPassed, 0, span{paint.Gray, text})
			}
		}
	}
	if len(l.lines) > 0 {
		l.add(planOutside, planOutside, 0)
	}
}

// togetherFrom is from how many findings of one check on they share a line, and of
// failures from how many.
const (
	togetherFrom         = 3
	togetherFromFailures = 10
)

// check are the findings of one check, from the one at an index on; it returns where
// the next ones begin. Many are together in one line.
func (l *planLayout) check(from int) (next int) {
	all := l.sheet.worries
	var found []int
	for next = from; next < len(all) && all[next].alike(all[from]); next++ {
		if matches(l.words, all[next].search) {
			found = append(found, next)
		}
	}
	l.shown += len(found)
	limit := togetherFrom
	if all[from].Severity == plan.Fail {
		limit = togetherFromFailures
	}
	together := len(found) >= limit
	for k, i := range found {
		if k == 0 || !together {
			l.add(planWorry, planWorry, i)
		}
		if k == 0 && together {
			l.lines[len(l.lines)-1].n = len(found)
		}
		switch {
		case together && l.folds.worries[found[0]]:
			l.finding(found[0], all[i].Finding, true)
		case !together && l.folds.worry(i, l.sheet):
			l.finding(i, all[i].Finding, false)
		}
	}
	return next
}

// planIndent is before what belongs to a finding or an action.
const planIndent = "  "

// finding is what a finding says in full, and what to do about it. It belongs to the
// line of i, which names what it is about unless it does so itself.
func (l *planLayout) finding(i int, f plan.Finding, named bool) {
	message := f.Message
	if named && f.Addr.Kind != "" {
		message = f.Addr.String() + ": " + message
	}
	for _, text := range paint.Wrap(paint.Clean(message), l.width-len(planIndent)) {
		l.add(planText, planWorry, i, span{"", planIndent + text})
	}
	for k, text := range paint.Wrap(paint.Clean(f.Hint), l.width-len(planIndent)-6) {
		if f.Hint != "" {
			l.add(planText, planWorry, i, span{paint.Cyan, planIndent + [...]string{"hint: ", "      "}[min(k, 1)]}, span{"", text})
		}
	}
	if at := f.Pos.String(); at != "" {
		l.add(planText, planWorry, i, span{paint.Gray, planIndent + "at " + paint.Clean(at)})
	}
}

func (l *planLayout) section(i int, section planSection) {
	head := len(l.lines)
	for a := section.from; a < section.to; a++ {
		if !matches(l.words, l.sheet.actions[a].search) || l.problems && !l.wrong(a) {
			continue
		}
		if len(l.lines) == head {
			l.add(planHead, planOutside, i)
		}
		l.shown++
		l.add(planDoing, planDoing, a)
		if l.folds.action(a, l.sheet) {
			l.action(a, &l.sheet.actions[a])
		}
	}
	if len(l.lines) > head {
		l.add(planOutside, planOutside, 0)
	}
}

// action is what an action changes, where that is written, and why it is skipped.
func (l *planLayout) action(i int, a *planAction) {
	if why := cmp.Or(a.Skip, a.Reason); ansi.StringWidth(a.Addr.String()+a.effect()) > l.width-standingRoom {
		l.wrapped(i, map[bool]string{true: "skipped: ", false: "because: "}[a.Skip != ""], paint.Yellow, why)
	}
	if f := a.forecast; f != nil && f.End < 0 && f.Cause != "" {
		l.wrapped(i, "forecast: ", paint.Yellow, f.Cause)
	}
	if a.Force {
		l.add(planText, planDoing, i, span{paint.Yellow, planIndent + "takes fields over from other field managers"})
	}
	if at := a.Pos.String(); at != "" {
		l.add(planText, planDoing, i, span{paint.Gray, planIndent + "at " + paint.Clean(at)})
	}
	l.changes(i, a.Changes)
	l.machines(i, a.Machines())
}

// machines is what an action does to machines, and in which order.
func (l *planLayout) machines(i int, lines []plan.Line) {
	for k, line := range lines {
		if k == 0 {
			l.add(planText, planDoing, i, span{"", planIndent + "machines"})
		}
		indent := planIndent + "  "
		if line.Below {
			indent += "  "
		}
		for n, text := range paint.Wrap(paint.Clean(line.Text), l.width-len(indent)-2) {
			if n > 0 {
				text = "  " + text
			}
			l.add(planText, planDoing, i, span{map[bool]string{true: paint.Gray}[line.Below], indent + text})
		}
	}
}

// standingRoom is what how an action stands takes of its line. A reason that does not
// fit beside it is below in full.
const standingRoom = 20

func (l *planLayout) wrapped(i int, label, hue, text string) {
	if text == "" {
		return
	}
	for k, part := range paint.Wrap(paint.Clean(text), l.width-len(planIndent)-len(label)) {
		if k > 0 {
			label = strings.Repeat(" ", len(label))
		}
		l.add(planText, planDoing, i, span{hue, planIndent + label}, span{"", part})
	}
}

func (l *planLayout) changes(i int, changes []plan.Change) {
	left := len(changes)
	if left > openChanges+2 && !l.folds.all[i] {
		left = openChanges
	}
	hidden := len(changes) - left
	for _, g := range plan.Grouped(changes) {
		indent := planIndent
		if g.Head != "" && left > 0 {
			l.add(planText, planDoing, i, span{"", planIndent + ansi.Truncate(exact(g.Head), l.width-len(planIndent), l.more)})
			indent += "  "
		}
		for k, c := range g.Changes {
			if left--; left < 0 {
				break
			}
			for _, line := range changeLines(l.more, indent, g.Paths[k], c, l.width) {
				l.add(planText, planDoing, i, line...)
			}
		}
	}
	if hidden > 0 {
		l.add(planFolded, planDoing, i, span{paint.Cyan, planIndent + l.more + " " + paint.Plural(hidden, "more field")})
	}
}

// basis says what the forecast was made of.
func (l *planLayout) basis() {
	f := l.sheet.begin.Forecast
	if f == nil || f.Basis == "" || len(l.words) > 0 || l.problems {
		return
	}
	for _, text := range paint.Wrap("The times with ~ are a forecast, of a simulated copy: "+paint.Clean(f.Basis), l.width) {
		l.add(planText, planOutside, 0, span{paint.Gray, text})
	}
}

// worry says whether a finding is open.
func (f *planFolds) worry(i int, p *planSheet) bool {
	if open, chosen := f.worries[i]; chosen {
		return open
	}
	return len(p.worries) <= openWorries
}

// action says whether an action is open. What is changed is, in a small plan; of
// what is created every field is new, and of what is deleted none is left.
func (f *planFolds) action(i int, p *planSheet) bool {
	if open, chosen := f.actions[i]; chosen {
		return open
	}
	a := &p.actions[i]
	return len(p.actions) <= openActions && (a.Verb == plan.Update || a.Skip != "")
}

// toggle opens or closes what a line belongs to; it says whether that did anything.
func (f *planFolds) toggle(line planLine, p *planSheet, open bool) bool {
	if f.worries == nil {
		f.worries, f.actions, f.all = map[int]bool{}, map[int]bool{}, map[int]bool{}
	}
	switch {
	case line.of == planPassed:
		was := f.passed
		f.passed = open
		return was != open
	case line.of == planWorry:
		was := f.open(line, p)
		f.worries[line.i] = open
		return was != open
	case line.kind == planFolded && open:
		f.all[line.i] = true
		return true
	case line.of == planDoing:
		was := f.action(line.i, p)
		f.actions[line.i] = open
		delete(f.all, line.i)
		return was != open
	}
	return false
}

// open says whether what a line belongs to is open.
func (f *planFolds) open(line planLine, p *planSheet) bool {
	switch line.of {
	case planPassed:
		return f.passed
	case planWorry:
		if line.n > 0 {
			return f.worries[line.i]
		}
		return f.worry(line.i, p)
	case planDoing:
		return f.action(line.i, p)
	}
	return false
}
