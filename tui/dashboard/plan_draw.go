package dashboard

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/tui/paint"
)

// headLines are the lines above the plan: what it does, how that stands, and a blank
// one where there is room.
func (p *planPage) headLines(s *scene) int {
	switch {
	case s.height < 5:
		return 0
	case s.height < 9:
		return 1
	case s.height < 16:
		return 2
	}
	return 3
}

func (p *planPage) draw(s *scene) []string {
	if p.approval.open() {
		return p.approval.draw(s, p.sheet)
	}
	if p.sheet == nil || p.sheet.doc == nil {
		return p.empty
	}
	head := []string{p.standing(s), p.summary(s), ""}
	lines := append([]string{}, head[:p.headLines(s)]...)
	if len(p.lines) == 0 {
		return append(lines, p.empty...)
	}
	from, to := p.window()
	for i, line := range p.lines[from:to] {
		lines = append(lines, p.line(s, line, from+i == p.cursor))
	}
	for len(lines) < p.headLines(s)+p.height && len(p.detail) > 0 {
		lines = append(lines, "")
	}
	return append(lines, p.detail...)
}

// standing says how the plan stands, and what part of it is seen.
func (p *planPage) standing(s *scene) string {
	left := p.state(s)
	if p.several {
		left = s.Bold("", paint.Clean(p.stream)) + "  " + left
	}
	if words := string(p.filter.text); words != "" || p.problems {
		what := "problems"
		if words != "" {
			what = "/" + words
		}
		left += "  " + s.Paint(paint.Cyan, paint.Clean(what)) + s.Faint(" "+paint.Plural(p.shown, "hit"))
	}
	from, to := p.window()
	right := ""
	if to-from < len(p.lines) {
		right = fmt.Sprintf("%s-%s of %s", paint.Count(from+1), paint.Count(to), paint.Count(len(p.lines)))
	}
	return s.ends(left, s.Faint(right))
}

// ends puts one text at the left and one at the right, which goes where both do not fit.
func (s *scene) ends(left, right string) string {
	free := s.width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if free < 2 {
		return s.Cut(left, s.width)
	}
	return left + strings.Repeat(" ", free) + right
}

func (p *planPage) state(s *scene) string {
	f := p.facts
	n := f.totals
	reached := fmt.Sprintf("%s/%s goals reached", paint.Count(n.Available+n.Running), paint.Count(n.Clusters+n.Namespaces))
	switch {
	case p.wanted != p.sheet.begin:
		return s.State(phase.Running, s.Running+" reading the plan")
	case f.proposed && p.approval.granted(p.sheet.digest()):
		return s.State(phase.Running, s.Running+" approved: it is checked once more, then it begins")
	case f.proposed && f.following:
		return s.Bold(paint.Yellow, s.Blocked+" proposed") + "  nothing of it is done before it is approved"
	case f.proposed:
		return s.Bold(paint.Yellow, s.Blocked+" proposed") + "  it waited for approval"
	case f.ended && f.outcome == journal.Reached:
		return s.State(phase.Done, s.Done+" done") + "  " + reached
	case f.ended:
		return s.State(phase.Failed, s.Failed+" "+strings.ReplaceAll(paint.Clean(string(f.outcome)), "-", " ")) + "  " + reached
	case n.Stuck > 0:
		return s.State(phase.Blocked, s.Blocked+" "+paint.Count(n.Stuck)+" stuck") + "  " + reached
	}
	return s.State(phase.Running, s.Running+" running") + "  " + reached
}

// summary counts what is done and what was found.
func (p *planPage) summary(s *scene) string {
	doc := p.sheet.doc
	checks := p.checks(s)
	parts := []string{summaryWords(doc.Summary, s.width-ansi.StringWidth(checks)-2)}
	if checks != "" {
		parts = append(parts, checks)
	}
	if end, failed := p.sheet.ends(); end > 0 || failed > 0 {
		text := "forecast ~" + paint.Clock(end)
		if failed > 0 {
			text += ", " + s.Paint(paint.Yellow, paint.Count(failed)+" not reached")
		}
		parts = append(parts, text)
	}
	if d := strings.TrimPrefix(doc.Digest, "sha256:"); len(d) >= 12 {
		parts = append(parts, s.Faint("plan "+paint.Clean(d[:12])))
	}
	return s.fitting(parts, s.width)
}

// summaryWords count the actions in as many words as fit.
func summaryWords(n plan.Summary, width int) string {
	words := counts(n)
	if n == (plan.Summary{}) {
		words = []string{"no changes"}
	}
	text := strings.Join(words, ", ")
	for _, fewer := range []*strings.Replacer{strings.NewReplacer("to wait for", "wait", "to ", ""), strings.NewReplacer(" create", "+", " update", "~", " delete", "-", " wait", "=", ",", "")} {
		if ansi.StringWidth(text) <= width {
			break
		}
		text = fewer.Replace(text)
	}
	return text
}

// checks counts the findings.
func (p *planPage) checks(s *scene) string {
	n := map[plan.Severity]int{}
	for _, f := range p.sheet.worries {
		n[f.Severity]++
	}
	var parts []string
	for _, severity := range []plan.Severity{plan.Fail, plan.Warn, plan.Unknown} {
		if n[severity] > 0 {
			parts = append(parts, s.severity(severity, paint.Count(n[severity])+" "+string(severity)))
		}
	}
	if len(parts) == 0 && len(p.sheet.passed) > 0 {
		parts = append(parts, s.State(phase.Done, "all checks ok"))
	}
	return strings.Join(parts, ", ")
}

// ends is when the forecast ends, and how many goals it does not see reached.
func (p *planSheet) ends() (end time.Duration, failed int) {
	if p.begin.Forecast == nil {
		return 0, 0
	}
	for _, g := range p.begin.Forecast.Goals {
		if g.End < 0 {
			failed++
		}
		end = max(end, g.EndAt())
	}
	return end, failed
}

// severity paints in the colour of a result.
func (s *scene) severity(v plan.Severity, text string) string {
	switch v {
	case plan.Fail:
		return s.Bold(paint.Red, text)
	case plan.Warn:
		return s.Paint(paint.Yellow, text)
	case plan.Unknown:
		return s.Paint(paint.Purple, text)
	}
	return s.Faint(text)
}

// severitySign is the sign of a result that has to be seen.
func (s *scene) severitySign(v plan.Severity) string {
	switch v {
	case plan.Fail:
		return s.Failed
	case plan.Warn:
		return "!"
	}
	return "?"
}

func (p *planPage) line(s *scene, line planLine, selected bool) string {
	mark := " "
	if selected {
		mark = s.Bold(paint.Cyan, ">")
	}
	switch line.kind {
	case planWorry:
		return mark + p.worry(s, line, selected)
	case planPassed:
		text := s.Done + " " + passedWords(p.sheet.passed)
		return mark + s.State(phase.Done, s.chosen(text, selected))
	case planHead:
		section := p.sheet.sections[line.i]
		return mark + s.Bold("", section.title) + "  " + s.Faint(paint.Plural(section.to-section.from, "action"))
	case planDoing:
		return p.doing(s, mark, line.i, selected)
	}
	return mark + " " + s.spans(line.spans)
}

// chosen marks what is selected in the way of the terminal as well.
func (s *scene) chosen(text string, selected bool) string {
	if selected {
		return s.Reverse(text)
	}
	return text
}

// passedWords counts what was found in order: "18 checks ok, 2 skipped".
func passedWords(passed []plan.Finding) string {
	ok := 0
	for _, f := range passed {
		if f.Severity == plan.OK {
			ok++
		}
	}
	text := paint.Plural(ok, "check") + " ok"
	if rest := len(passed) - ok; rest > 0 {
		text += ", " + paint.Count(rest) + " skipped"
	}
	return text
}

// worry is a finding on one line, or several of one check. When it is open its
// message is below.
func (p *planPage) worry(s *scene, line planLine, selected bool) string {
	f := p.sheet.worries[line.i]
	text := s.severity(f.Severity, s.severitySign(f.Severity)+" "+paint.Pad(string(f.Severity), len("unknown"))) + "  "
	name := "check " + paint.Clean(f.Code)
	switch {
	case line.n > 0:
		name = paint.Count(line.n) + " of check " + paint.Clean(f.Code)
	case f.Addr.Kind != "":
		name = paint.Clean(f.Addr.String())
	}
	text += s.chosen(s.Cut(name, max(8, s.width-ansi.StringWidth(text)-markWidth)), selected)
	if p.folds.open(line, p.sheet) {
		if f.Addr.Kind != "" && line.n == 0 {
			text += "  " + s.Faint(paint.Clean(f.Code))
		}
		return text
	}
	return text + ": " + paint.Clean(f.Message)
}

// doing is an action: what it is, what it does, and how that stands. Of what does not
// fit, how it stands stays, and of the name its end.
func (p *planPage) doing(s *scene, mark string, i int, selected bool) string {
	a := &p.sheet.actions[i]
	row := p.rows[i]
	right := s.rowStanding(a, row)
	free := s.width - markWidth - 1
	if w := ansi.StringWidth(right); w > 0 {
		free -= w + 2
	}
	effect := paint.Clean(a.effect())
	name := s.CutLeft(paint.Clean(a.Addr.String()), max(12, free-min(ansi.StringWidth(effect), effectWidth)-2))
	text := mark + s.verb(string(a.Verb)) + " " + s.chosen(name, selected)
	free -= ansi.StringWidth(name)
	if free > 6 {
		effect = s.Cut(effect, free-2)
		text += "  " + s.effect(a, effect)
		free -= ansi.StringWidth(effect) + 2
	}
	if fields := paint.Plural(len(a.Changes), "field"); len(a.Changes) > 0 && free > len(fields)+2 && !p.folds.action(i, p.sheet) {
		text += "  " + s.Faint(fields)
		free -= len(fields) + 2
	}
	if row.text != "" && free > 12 {
		text += "  " + s.Cut(row.text, free-2)
	}
	return s.ends(text, right)
}

// effectWidth is how much of its line what an action does takes from the name.
const effectWidth = 24

// effect paints what an action does.
func (s *scene) effect(a *planAction, text string) string {
	switch {
	case a.Skip != "":
		return s.Paint(paint.Yellow, text)
	case a.Effect == plan.Forbidden:
		return s.Bold(paint.Red, text)
	case a.Effect == plan.Rolling, a.Effect == plan.Scale:
		return s.Paint(paint.Yellow, text)
	}
	return s.Faint(text)
}

// rowStanding is how an action stands, and before that how the forecast ended.
func (s *scene) rowStanding(a *planAction, r planRow) string {
	if r.known && r.row.State == phase.Pending {
		return strings.TrimSpace(s.foreseen(a) + "  " + s.Faint(s.Pending+" pending"))
	}
	if r.known {
		word := paint.StateWord(r.row)
		switch {
		case r.row.Refused != nil:
			word = "refused"
		case r.row.Delayed != nil && r.row.State == phase.Running:
			word = "tried again"
		case r.row.State == phase.Running && !r.row.Removing():
			word += " " + string(r.row.Current)
		}
		return s.State(r.row.State, s.Glyph(r.row.State, r.row.Removing())+" "+word)
	}
	return s.foreseen(a)
}

// foreseen is when the forecast saw an action's goal reached, or that it did not.
func (s *scene) foreseen(a *planAction) string {
	switch f := a.forecast; {
	case f == nil || a.Skip != "":
		return ""
	case f.End < 0:
		return s.Paint(paint.Yellow, "~"+string(f.State))
	default:
		return s.Faint("~" + paint.Clock(f.EndAt()))
	}
}

// detailLines is how much is said at most of what the selected action waits for.
const detailLines = 3

// details say in full what the selected action waits for, or was refused for.
func (p *planPage) details(s *scene, stream *Stream) []string {
	a := p.selected()
	if a == nil || s.height < 10 {
		return nil
	}
	text := rowOf(stream.timeline, a).text
	if text == "" {
		return nil
	}
	lines := paint.Wrap(text, s.width-4)
	if len(lines) > detailLines {
		lines = lines[:detailLines]
		lines[detailLines-1] = s.Cut(lines[detailLines-1], s.width-5) + s.More
	}
	for i, line := range lines {
		lines[i] = map[bool]string{true: "  " + s.Branch + " ", false: "    "}[i == 0] + line
	}
	return lines
}

// nothing says why there are no lines.
func (p *planPage) nothing(s *scene, stream *Stream) []string {
	switch {
	case p.sheet == nil || p.wanted != p.sheet.begin && p.sheet.doc == nil:
		return []string{s.State(phase.Running, s.Running+" reading the plan")}
	case p.sheet.err != nil:
		return []string{s.State(phase.Failed, s.Failed+" the plan cannot be shown: "+paint.Clean(p.sheet.err.Error()))}
	case p.sheet.doc == nil && p.facts.watched:
		return []string{"there is no plan: this world is only watched, and others change it"}
	case p.sheet.doc == nil:
		return []string{"there is no plan in this journal"}
	case p.problems && len(p.filter.words()) == 0:
		return []string{s.State(phase.Done, s.Done+" nothing is wrong"), "", "! shows all of the plan again"}
	case len(p.filter.words()) > 0:
		return []string{"nothing has " + paint.Clean(strings.Join(p.filter.words(), " and ")), "", "esc takes the filter away"}
	}
	return []string{"no changes: what exists is as desired"}
}
