package dashboard

import (
	"cmp"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/tui/paint"
)

// approval is the question whether a plan is to be carried out, and what came of it.
type approval struct {
	approve func(stream, digest string) error // nil where nobody can from here
	command func(stream string) string        // nil where it is not known
	waits   bool                              // the run waits for the answer
	answer  filter                            // what is being typed
	asked   *question                         // nil while nothing is asked
	sent    string                            // the digest that is being approved
	done    string                            // the digest that was approved
}

// A question is what somebody says yes to.
type question struct {
	stream, world, digest, revision string
}

// A planApproved is a message: an approval was passed on, or refused.
type planApproved struct {
	digest string
	err    error
}

func (a *approval) open() bool { return a.asked != nil }

// close takes the question away; who has answered has answered.
func (a *approval) close() { a.asked = nil }

// granted says whether a plan was approved from here.
func (a *approval) granted(digest string) bool { return digest != "" && a.done == digest }

// ask asks whether the plan is to be carried out. Where nobody can say so from here
// it gives the command that does.
func (p *planPage) ask() tea.Cmd {
	a := &p.approval
	digest := p.sheet.digest()
	switch {
	case digest == "" || p.wanted != p.sheet.begin:
		return tell("the plan is not read yet", true)
	case a.granted(digest):
		return tell("it is approved already", false)
	case a.sent == digest:
		return nil
	case a.approve == nil && !p.facts.following:
		return tell("this plan is not waiting any more", true)
	case a.approve == nil:
		command := approveCommand(p.sheet.doc)
		if a.command != nil {
			command = cmp.Or(a.command(p.stream), command)
		}
		return tea.Batch(tea.SetClipboard(command), tell("copied: "+command, false))
	}
	b := p.sheet.begin
	a.asked = &question{stream: p.stream, world: b.World, digest: digest, revision: b.Revision}
	a.answer = filter{typing: true}
	return nil
}

// approveCommand approves the plan of a source whose plans wait. Its ConfigMap is in
// the namespace of vksync run, which no journal knows.
func approveCommand(doc *plan.Document) string {
	return "kubectl annotate --overwrite " + shellWord("configmap/vksync-"+doc.Policy.Source) + " " + shellWord("vksync.dev/approve="+doc.Digest)
}

// press takes all keys while something is asked. Only yes, typed out, approves.
func (a *approval) press(k tea.KeyPressMsg) (tea.Cmd, bool) {
	if a.asked == nil || k.String() == "ctrl+c" {
		return nil, false
	}
	switch k.String() {
	case "esc":
		a.close()
	case "enter":
		q := *a.asked
		a.close()
		if strings.TrimSpace(string(a.answer.text)) != "yes" {
			return tell("not approved: the answer was not yes", true), true
		}
		a.sent = q.digest
		approve := a.approve
		return func() tea.Msg { return planApproved{q.digest, approve(q.stream, q.digest)} }, true
	default:
		a.answer.press(k)
	}
	return nil, true
}

func (a *approval) receive(m planApproved) tea.Cmd {
	if a.sent == m.digest {
		a.sent = ""
	}
	if m.err != nil {
		return tell("not approved: "+m.err.Error(), true)
	}
	a.done = m.digest
	return func() tea.Msg { return settled{} }
}

// draw is the question in the place of the page.
func (a *approval) draw(s *scene, sheet *planSheet) []string {
	q := a.asked
	var lines []string
	add := func(label, text string) {
		if text == "" {
			return
		}
		for i, part := range paint.Wrap(paint.Clean(text), s.width-len(dialogIndent)-dialogLabel) {
			if i > 0 {
				label = ""
			}
			lines = append(lines, dialogIndent+s.Faint(paint.Pad(label, dialogLabel))+part)
		}
	}
	lines = append(lines, dialogIndent+s.Bold("", "Apply this plan?"), "")
	add("to", q.world)
	add("changes", strings.Join(counts(sheet.doc.Summary), ", "))
	add("machines", sheet.upheaval())
	add("checks", sheet.checkWords())
	add("revision", paint.Short(q.revision))
	add("plan", q.digest)
	if s.height > len(lines)+3 {
		lines = append(lines, "")
	}
	lines = append(lines, dialogIndent+"Only yes, typed out, and enter does it: "+string(a.answer.text)+s.cursor())
	if over := len(lines) - s.height; over > 0 { // what is asked stays in view
		lines = append(lines[:1], lines[1+over:]...)
	}
	return lines
}

const (
	dialogIndent = "  "
	dialogLabel  = len("machines  ")
)

// cursor is where something is being typed.
func (s *scene) cursor() string {
	if !s.Color {
		return "_"
	}
	return s.Reverse(" ")
}

// upheaval counts what is replaced, and what the API will refuse.
func (p *planSheet) upheaval() string {
	rolling, forbidden := 0, 0
	for i := range p.actions {
		switch a := &p.actions[i]; {
		case a.Skip != "":
		case a.Effect == plan.Rolling:
			rolling++
		case a.Effect == plan.Forbidden:
			forbidden++
		}
	}
	var parts []string
	if rolling > 0 {
		parts = append(parts, "those of "+paint.Plural(rolling, "cluster")+" are replaced one by one")
	}
	if forbidden > 0 {
		parts = append(parts, paint.Plural(forbidden, "change")+" the API forbids")
	}
	return strings.Join(parts, "; ")
}

// checkWords count the findings, without colours.
func (p *planSheet) checkWords() string {
	n := map[plan.Severity]int{}
	for _, f := range p.worries {
		n[f.Severity]++
	}
	var parts []string
	for _, severity := range []plan.Severity{plan.Fail, plan.Warn, plan.Unknown} {
		if n[severity] > 0 {
			parts = append(parts, paint.Count(n[severity])+" "+string(severity))
		}
	}
	if len(parts) == 0 {
		return "all ok"
	}
	return strings.Join(parts, ", ")
}

// prompt is the last line of the screen while something is typed.
func (p *planPage) prompt(s *scene) (string, bool) {
	if p.approval.open() {
		return s.fitting(s.items([]key.Binding{dialogKeys.yes, dialogKeys.back}), s.width), true
	}
	return p.filter.line(s.Theme)
}

// asks says that the plan waits for an answer, where the program was begun for it.
func (p *planPage) asks(s *scene) (string, bool) {
	digest := p.sheet.digest()
	if !p.facts.proposed || digest == "" || p.approval.granted(digest) {
		return "", false
	}
	if p.approval.sent == digest {
		return s.State(phase.Running, s.Running+" approving"), true
	}
	if !p.approval.waits {
		return "", false
	}
	keys := s.items([]key.Binding{dialogKeys.approve, dialogKeys.leave, everywhere.help})
	return s.fitting(keys, s.width), true
}

var dialogKeys = struct{ approve, leave, yes, back key.Binding }{
	approve: key.NewBinding(key.WithKeys("a"), key.WithHelp("a", "approves")),
	leave:   key.NewBinding(key.WithKeys("q"), key.WithHelp("q", "leaves without applying")),
	yes:     key.NewBinding(key.WithKeys("enter"), key.WithHelp("yes ⏎", "applies it")),
	back:    key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "goes back to the plan")),
}
