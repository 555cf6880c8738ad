package tui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// stuckCap is how many goals that were not reached are explained in full.
const stuckCap = 12

// stuck explains every goal that is blocked or failed. What was still going on
// when a run was interrupted needs no excuse.
func (s *sheet) stuck() {
	shown, left := 0, 0
	for _, r := range s.rows {
		if r.State != phase.Blocked && r.State != phase.Failed {
			continue
		}
		if shown == stuckCap {
			left++
			continue
		}
		shown++
		s.line("")
		s.explain(r)
	}
	if left > 0 {
		s.line("")
		s.line(fmt.Sprintf("%s %s more are blocked or failed", s.More, paint.Count(left)))
	}
}

// explain prints one goal: what stands still, in which phase, the reason, the
// cause in words, what to do about it, and the chain from the goal down to the cause.
func (s *sheet) explain(r journal.Row) {
	chain := s.timeline.Why(r.Addr)
	word := s.State(r.State, s.Glyph(r.State, false)+" "+s.Bold("", paint.NameOf(r.Addr))) + " " + s.State(r.State, string(r.State))
	s.line(fmt.Sprintf("%s in phase %s %s, after %s", word, r.Current, r.Current.Title(), paint.Clock(s.stayed(r))))
	if a := r.Refused; a != nil {
		s.field("action", a.Verb+" "+a.Addr.String()+" was refused")
		s.field("reason", a.Reason)
		s.field("cause", a.Message)
	}
	if len(chain) > 0 {
		last := chain[len(chain)-1]
		if last.Reason != "NotReady" { // which says no more than that it stands still
			s.field("reason", cmp.Or(last.Reason, last.Condition))
		}
		cause := phase.Cause(chain)
		if r.Blocked != nil {
			cause = cmp.Or(r.Blocked.Cause, cause)
		}
		s.field("cause", cause)
	}
	advice, _ := paint.Fix(r, chain)
	s.field("fix", advice)
	s.tree(chain)
}

// stayed is how long the goal had been in the works.
func (s *sheet) stayed(r journal.Row) time.Duration {
	if r.Start == phase.NotYet {
		return 0
	}
	return s.timeline.Elapsed() - r.Start
}

// field prints a name and a text beside it, on as many lines as it needs.
func (s *sheet) field(name, text string) {
	if text = paint.Clean(text); text == "" {
		return
	}
	for i, part := range paint.Wrap(text, s.edge()-10) {
		label := ""
		if i == 0 {
			label = name
		}
		s.line("  " + s.Faint(paint.Pad(label, 8)) + part)
	}
}

// tree prints a causal chain, each object below the one that waits for it.
func (s *sheet) tree(chain []phase.Link) {
	for i, link := range chain {
		indent := ""
		if i > 0 {
			indent = strings.Repeat("  ", i-1) + s.Branch + " "
		}
		label := ""
		if i == 0 {
			label = "chain"
		}
		name := link.Name
		if link.Namespace != "" && i == 0 {
			name = link.Namespace + "/" + name
		}
		head := "  " + s.Faint(paint.Pad(label, 8)) + s.Faint(indent) + paint.Clean(link.Kind) + " " + s.Bold("", paint.Clean(name))
		says := s.Paint(paint.Yellow, paint.Clean(strings.TrimSpace(link.Condition+" "+link.Reason)))
		if ansi.StringWidth(head)+2+ansi.StringWidth(says) <= s.width() {
			s.line(head + "  " + says)
			continue
		}
		s.line(head)
		s.line(strings.Repeat(" ", 12+ansi.StringWidth(indent)) + says)
	}
}
