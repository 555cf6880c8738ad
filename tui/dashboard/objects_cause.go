package dashboard

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// explain says on top why the subject waits and, when something is wrong, what to do
// about it. It never takes more than half of the page.
func (p *objectsPage) explain(s *scene) {
	p.cause, p.commands = nil, nil
	v := p.verdict
	switch {
	case !v.known || v.row.State == phase.Done:
		return
	case !v.stuck() && !p.overdue() && v.row.Delayed == nil:
		if len(v.chain) > 0 && v.row.State == phase.Running && s.height > 8 {
			text := s.Running + " waits: " + paint.Clean(phase.Cause(v.chain))
			p.cause = []string{s.Paint(paint.Cyan, s.Cut(text, s.width)), ""}
		}
		return
	}
	advice, commands := paint.Fix(v.row, v.chain)
	p.commands = commands
	room := s.height / 2
	most := min(3, max(1, (room-2)/2))
	p.say(s, &room, "", p.headline(s), "", 1)
	p.say(s, &room, "cause", p.causeOf(), paint.Yellow, most)
	p.say(s, &room, "fix", advice, paint.Green, most)
	for i, c := range commands {
		label := ""
		if i == 0 {
			label = "try"
		}
		// A command is there to be copied: it stays on one line, whole on the clipboard.
		if room > 0 && (i == 0 || room > 1) {
			p.cause = append(p.cause, s.Faint(paint.Pad(label, 6))+s.Paint(paint.Cyan, s.Cut(c, s.width-6)))
			room--
		}
	}
	p.path(s, room-1)
	if s.height > 14 {
		p.cause = append(p.cause, "")
	}
}

// overdue says whether what is waited for at the end of the chain has lasted for longer
// than it should, although nothing has been given up yet. Of what was so before anybody
// looked the time is not known; there a refusal is enough.
func (p *objectsPage) overdue() bool {
	patience, limited := phase.Patience(p.end())
	if !limited || p.verdict.row.State != phase.Running {
		return false
	}
	lasted, known := p.lasted()
	return lasted >= patience || !known && patience <= time.Minute
}

// end is the last link of the chain that is a condition of an object.
func (p *objectsPage) end() phase.Link {
	for _, l := range slices.Backward(p.verdict.chain) {
		if l.Condition != phase.Warning {
			return l
		}
	}
	return phase.Link{}
}

// lasted is for how long the end of the chain has been as it is; at least so long where
// it is not known.
func (p *objectsPage) lasted() (d time.Duration, known bool) {
	l := p.end()
	b := find(p.branches, l.Kind, l.Name)
	if b == nil {
		return 0, true
	}
	if b.VM != nil && b.VM.Fault() != nil {
		return p.now - b.VM.Fault().At, true
	}
	c, there := b.Condition(l.Condition)
	switch {
	case !there || !c.Wrong:
		return 0, true
	case c.Since == phase.NotYet:
		return p.now, false
	}
	return p.now - c.Since, true
}

// headline is what stands still, where and for how long.
func (p *objectsPage) headline(s *scene) string {
	r := p.verdict.row
	switch {
	case p.verdict.stuck():
	case r.Delayed != nil:
		return s.Paint(paint.Yellow, s.Running+" delayed") + ", " + r.Delayed.Verb + " is tried again"
	default:
		text := "this was so before the journal began"
		if lasted, known := p.lasted(); known {
			text = "this has lasted for " + paint.Clock(lasted)
		}
		return s.Paint(paint.Yellow, s.Running+" slow") + " in phase " + string(r.Current) + " " + r.Current.Title() + ": " + text
	}
	state := r.State
	if state != phase.Blocked {
		state = phase.Failed
	}
	text := s.State(state, s.Glyph(state, false)+" "+string(state)) + " in phase " + string(r.Current) + " " + r.Current.Title()
	if r.Start != phase.NotYet {
		text += ", after " + paint.Clock(spent(r, p.now))
	}
	return text
}

func (p *objectsPage) causeOf() string {
	r := p.verdict.row
	switch {
	case r.Refused != nil:
		return r.Refused.Verb + " was refused: " + joined(r.Refused)
	case r.Delayed != nil:
		return joined(r.Delayed)
	case r.Blocked != nil:
		return cmp.Or(r.Blocked.Cause, phase.Cause(p.verdict.chain))
	}
	return phase.Cause(p.verdict.chain)
}

// say adds a text on as many lines as it needs, at most those given.
func (p *objectsPage) say(s *scene, room *int, name, text, color string, most int) {
	if text == "" || *room <= 0 {
		return
	}
	if name == "" {
		p.cause = append(p.cause, s.Cut(text, s.width))
		*room--
		return
	}
	lines := paint.Wrap(paint.Clean(text), s.width-6)
	if most = min(most, *room); len(lines) > most {
		lines[most-1] = s.Cut(strings.Join(lines[most-1:], " "), s.width-6)
		lines = lines[:most]
	}
	for i, line := range lines {
		label := ""
		if i == 0 {
			label = name
		}
		p.cause = append(p.cause, s.Faint(paint.Pad(label, 6))+s.Paint(color, line))
		*room--
	}
}

// path is the chain from the Cluster down to the cause: a line for each object where
// there is room, else their kinds on one.
func (p *objectsPage) path(s *scene, room int) {
	chain := p.verdict.chain
	switch {
	case len(chain) < 2 || room < 1:
		return
	case room < len(chain):
		kinds := make([]string, len(chain))
		for i, l := range chain {
			kinds[i] = paint.Clean(l.Kind)
		}
		line := strings.Join(kinds, s.pick(" › ", " > "))
		p.cause = append(p.cause, s.Faint(paint.Pad("chain", 6))+s.CutLeft(line, s.width-6))
		return
	}
	for i, l := range chain {
		label, branch := "", ""
		if i == 0 {
			label = "chain"
		} else {
			branch = strings.Repeat("  ", i-1) + s.Branch + " "
		}
		head := s.Faint(paint.Pad(label, 6)+branch) + paint.Clean(l.Kind) + " " + s.Bold("", paint.Clean(l.Name))
		says := paint.Clean(strings.TrimSpace(l.Condition + " " + l.Reason))
		if free := s.width - ansi.StringWidth(head) - 2; free > 8 {
			head += "  " + s.Paint(paint.Yellow, s.Cut(says, free))
		}
		p.cause = append(p.cause, s.Cut(head, s.width))
	}
}
