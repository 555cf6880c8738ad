package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// describe puts all of the selected object in words, if they are to be seen.
func (p *objectsPage) describe(s *scene) {
	p.about = nil
	r, some := p.selected()
	f := p.frame
	if !some || f.detail.width == 0 {
		return
	}
	d := description{scene: s, now: p.now, width: f.detail.width}
	if r.group != nil {
		d.members(r)
	} else {
		d.object(r.branch, p.all)
		d.events(r.branch, p.history)
	}
	p.about = d.lines
	p.detail.height = max(1, f.detail.height)
	p.detail.n = len(d.lines)
	p.detail.to(p.detail.cursor)
}

// A description is made line by line.
type description struct {
	*scene
	now   time.Duration
	width int
	lines []string
}

func (d *description) add(line string) { d.lines = append(d.lines, d.Cut(line, d.width)) }

// title begins a part.
func (d *description) title(text string) {
	if len(d.lines) > 0 {
		d.add("")
	}
	d.add(d.Bold("", text))
}

const factWidth = 11

// fact is a name and what it is, on as many lines as that needs.
func (d *description) fact(name, text string) {
	if text = paint.Clean(text); text == "" {
		return
	}
	for i, part := range paint.Wrap(text, d.width-factWidth) {
		if i > 0 {
			name = ""
		}
		d.add(d.Faint(paint.Pad(name, factWidth)) + part)
	}
}

func (d *description) ago(then time.Duration) string {
	if then == phase.NotYet {
		return "before the journal"
	}
	return paint.Clock(max(0, d.now-then)) + " ago"
}

// object has all that is known of one.
func (d *description) object(b *branch, all bool) {
	d.add(d.State(b.state, d.Glyph(b.state, false)) + " " + paint.Clean(b.Kind) + " " + d.Bold("", paint.Clean(b.Name)))
	d.fact("namespace", b.Namespace)
	d.fact("api", b.APIVersion)
	if b.Owner.Name != "" {
		d.fact("owner", b.Owner.Kind+" "+b.Owner.Name)
	}
	d.fact("phase", b.Status)
	if r := b.Replicas; r != nil {
		d.fact("replicas", fmt.Sprintf("%d of %d, %d ready, %d available, %d up to date", r.Current, r.Desired, r.Ready, r.Available, r.UpToDate))
	}
	if b.Deleting {
		d.fact("deleting", "asked for "+d.ago(b.Marked))
		d.fact("finalizers", strings.Join(b.Finalizers, ", "))
	}
	d.fact("created", d.ago(b.Came))
	d.fact("changed", d.ago(b.Changed))
	if b.VM != nil {
		d.vm(b.VM)
	}
	if b.Said != nil {
		d.fact("warning", b.Said.Reason+": "+b.Said.Message+" ("+d.ago(b.Said.At)+")")
	}
	d.conditions(b, all)
}

// vm has what vCenter told.
func (d *description) vm(vm *journal.VMState) {
	d.fact("power", vm.Power)
	d.fact("address", vm.IP)
	d.fact("host", vm.Host)
	d.fact("datastore", vm.Datastore)
	d.fact("zone", vm.Zone)
	if len(vm.Tasks) == 0 {
		return
	}
	d.title("Tasks")
	for _, t := range slices.Backward(vm.Tasks) {
		state := phase.Done
		if t.Error != "" {
			state = phase.Failed
		}
		d.stated(state, strings.TrimSpace(t.Op+" "+t.ID), d.ago(t.At))
		d.quote(t.Error)
	}
}

// stated is a line with a sign in front and a time at its end.
func (d *description) stated(state phase.State, text, when string) {
	text = d.Cut(paint.Clean(text), d.width-4-ansi.StringWidth(when))
	line := d.State(state, d.Glyph(state, false)) + " " + text
	d.add(paint.Pad(line, d.width-ansi.StringWidth(when)) + d.Faint(when))
}

// quote is what somebody said, set in. Controllers make lists of what is below them.
func (d *description) quote(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		deep := min(8, len(line)-len(strings.TrimLeft(line, " ")))
		if line = paint.Clean(line); line == "" {
			continue
		}
		for _, part := range paint.Wrap(line, d.width-4-deep) {
			d.add(strings.Repeat(" ", 4+deep) + part)
		}
	}
}

// conditions come those that are wrong first, then by type.
func (d *description) conditions(b *branch, all bool) {
	list := b.Conditions()
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(x, y journal.Condition) int {
		return cmp.Compare(gravity(standing(y)), gravity(standing(x)))
	})
	d.title("Conditions")
	hidden := 0
	for _, c := range list {
		if !all && b.echoes(c) {
			hidden++
			continue
		}
		text := c.Type + " " + c.Status
		if c.Reason != "" && c.Reason != c.Type && c.Reason != c.Status {
			text += " " + c.Reason
		}
		when := since(d.now, c.Since)
		d.stated(standing(c), text, when)
		if c.Wrong {
			d.quote(c.Message)
		}
	}
	if hidden > 0 {
		d.add(d.Faint(fmt.Sprintf("  %d more only repeat what others say; a shows them", hidden)))
	}
}

func standing(c journal.Condition) phase.State {
	if c.Wrong {
		return phase.Running
	}
	return phase.Done
}

// events are what happened to the object, the last first.
func (d *description) events(b *branch, history []journal.Moment) {
	begun := false
	for _, m := range slices.Backward(history) {
		if m.Kind != b.Kind || m.Name != b.Name {
			continue
		}
		if !begun {
			d.title("Events")
			begun = true
		}
		what := m.What
		if m.Times > 1 {
			what += fmt.Sprintf(" (%d times)", m.Times)
		}
		when := paint.Clock(max(0, d.now-m.At)) + " ago"
		for i, line := range paint.Wrap(paint.Clean(what), d.width-12) {
			if i > 0 {
				when = ""
			}
			d.add(d.Faint(paint.Pad(when, 12)) + line)
		}
	}
}

// members lists the objects of a group.
func (d *description) members(r objectRow) {
	title, _ := r.title()
	d.add(d.State(r.worst(), d.Glyph(r.worst(), false)) + " " + d.Bold("", paint.Clean(title)))
	d.fact("", r.word())
	d.add("")
	const most = 50 // the tree has them all
	for _, b := range r.group[:min(most, len(r.group))] {
		d.stated(b.worst(), b.Name, since(d.now, b.Came))
	}
	if left := len(r.group) - most; left > 0 {
		d.add(d.Faint(d.More + " " + paint.Count(left) + " more"))
	}
}
