package dashboard

import (
	"fmt"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// explain says of the selected row when it was, how that stands to the forecast, and
// which objects it is about, with the lock held.
func (p *clusterPage) explain(s *scene) []string {
	room, r := p.detailLines(s), p.row()
	if room == 0 || r == nil {
		return nil
	}
	title := r.label
	if r.depth == 0 && r.key != "3" {
		title = string(r.id) + " " + r.id.Title()
	}
	lines := []string{
		s.Faint(strings.Repeat(s.Rule, s.width)),
		s.fitting([]string{
			s.Bold("", title) + r.counts(), s.State(r.state, s.Glyph(r.state, r.removing)+" "+r.word()), r.times(p.gantt.now), s.Faint(r.compared()),
		}, s.width),
	}
	for _, n := range p.parts(r) {
		lines = append(lines, s.objectLine(n))
	}
	if len(lines) > room {
		more := len(lines) - room + 1
		lines = append(lines[:room-1], s.Faint(fmt.Sprintf("%s %s more", s.More, paint.Plural(more, "object"))))
	}
	return lines
}

// word is the state of a row in a word.
func (r ganttRow) word() string {
	switch {
	case r.removing && r.state == phase.Running:
		return "removing"
	case r.removing && r.state == phase.Done:
		return "gone"
	case r.inherited:
		return "from before"
	case r.state == phase.Running && r.busy != nil && len(r.busy) == 0:
		return "awaited"
	}
	return string(r.state)
}

// times are when a row began and ended.
func (r ganttRow) times(now time.Duration) string {
	switch {
	case r.start == phase.NotYet && r.state == phase.Done:
		return ""
	case r.start == phase.NotYet && r.expected[0] != phase.NotYet:
		return fmt.Sprintf("expected ~%s to ~%s", paint.Clock(r.expected[0]), paint.Clock(r.expected[1]))
	case r.start == phase.NotYet:
		return "not begun"
	case r.end == phase.NotYet:
		text := fmt.Sprintf("since %s, for %s", paint.Clock(r.start), paint.Clock(now-r.start))
		if r.expected[1] != phase.NotYet {
			text += ", until ~" + paint.Clock(r.expected[1])
		}
		return text
	}
	return fmt.Sprintf("%s to %s", paint.Clock(r.start), paint.Clock(r.end))
}

// compared is the forecast of a row, and the difference.
func (r ganttRow) compared() string {
	late, known := r.late()
	if !known {
		return ""
	}
	return fmt.Sprintf("forecast %s to %s, %s", paint.Clock(r.forecast[0]), paint.Clock(r.forecast[1]), lateness(late, false))
}

// parts are the objects that a row is about: of a machine all that it owns, of a
// phase the object itself and what is below it that is of the phase.
func (p *clusterPage) parts(r *ganttRow) []*journal.Node {
	var found *journal.Node
	visit(p.counted.tree, func(n *journal.Node) {
		if found == nil && n.Kind == r.object.Kind && n.Name == r.object.Name {
			found = n
		}
	})
	if found == nil {
		return nil
	}
	out := []*journal.Node{found}
	if strings.HasPrefix(r.key, "m/") {
		visit(found.Children, func(n *journal.Node) { out = append(out, n) })
		return out
	}
	for _, n := range found.Children {
		if detailed(r.object.Kind, n.Kind) {
			out = append(out, n)
		}
	}
	return out
}

// detailed says whether an object explains its owner; Secrets and templates do not.
func detailed(owner, kind string) bool {
	switch kind {
	case "Secret", "ConfigMap", "ProviderServiceAccount", "VSphereMachineTemplate", "KubeadmConfigTemplate", "MachineHealthCheck":
		return false
	case "KubeadmControlPlane", "MachineDeployment", "VSphereCluster":
		return owner == resource.KindCluster
	}
	return true
}

// objectLine is an object, when it came, and what it says of itself.
func (s *scene) objectLine(n *journal.Node) string {
	state, word := phase.Done, "sound"
	switch {
	case n.Deleting:
		state, word = phase.Running, "deleting"
	case !n.Sound():
		state, word = phase.Running, "not ready"
		for _, c := range n.Wrong() {
			if c.Reason != "" || c.Message != "" {
				word = strings.TrimSuffix(c.Type+" "+c.Reason+": "+c.Message, ": ")
				break
			}
		}
		if n.VM != nil && n.VM.Fault() != nil {
			state, word = phase.Failed, n.VM.Fault().Op+": "+n.VM.Fault().Error
		}
	case n.VM != nil && n.VM.Host != "":
		word = strings.TrimSuffix("on "+n.VM.Host+", "+n.VM.IP, ", ")
	}
	came := "before"
	if n.Came != phase.NotYet {
		came = paint.Clock(n.Came)
	}
	line := s.State(state, s.Glyph(state, false)) + " " + s.Faint(paint.PadLeft(came, 7)) + "  " + paint.Clean(n.Kind) + " " + s.Bold("", paint.Clean(n.Name)) + "  "
	return s.Cut(line+paint.Clean(word), s.width)
}
