package dashboard

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// An objectsFrame is where things are: what is wrong on top, below it the tree, and
// the details beside it, under it, or in its place.
type objectsFrame struct {
	top    int  // lines above the tree
	tree   int  // lines of the tree
	width  int  // cells of the tree
	beside bool // the details are on its right
	wholly bool // the details have its place
	detail struct{ width, height int }
}

const (
	besideWidth  = 110 // from which on there is room for both side by side
	underHeight  = 16  // the same for one under the other
	detailMost   = 80
	detailLeast  = 48
	treeLeast    = 5
	separatorGap = 3
)

// arrange divides the page. Where not all lines of the tree fit there is one above it
// that says which are seen.
func (p *objectsPage) arrange(s *scene) {
	p.divide(s)
	spaced := len(p.cause) > 0 && p.cause[len(p.cause)-1] == ""
	if len(p.thicket.rows) > p.frame.tree && !spaced && s.height >= 8 {
		p.cause = append(p.cause, "")
		p.divide(s)
	}
}

func (p *objectsPage) divide(s *scene) {
	f := objectsFrame{top: len(p.cause), width: s.width}
	left := max(1, s.height-f.top)
	switch {
	case s.width >= besideWidth:
		f.beside, f.tree = true, left
		f.detail.width = min(detailMost, max(detailLeast, s.width*2/5))
		f.width = s.width - f.detail.width - separatorGap
		f.detail.height = left
	case !p.reading:
		f.tree = left
	case left >= underHeight:
		f.tree = max(treeLeast, left*2/5)
		f.detail.width, f.detail.height = s.width, left-f.tree-1
	default:
		f.wholly, f.top, f.tree = true, 0, s.height
		f.detail.width, f.detail.height = s.width, s.height
	}
	p.frame = f
}

func (p *objectsPage) draw(s *scene) []string {
	if p.empty != nil {
		return append(append([]string{}, p.cause...), p.empty...)
	}
	from, to := p.detail.window()
	about := p.about[min(from, len(p.about)):min(to, len(p.about))]
	if p.frame.wholly {
		return about
	}
	lines := append([]string{}, p.cause...)
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines[n-1] = p.position(s)
	}
	tree := p.tree(s)
	if p.frame.beside {
		bar := " " + s.Faint(s.pick("│", "|")) + " "
		for i := range p.frame.tree {
			line := ""
			if i < len(tree) {
				line = tree[i]
			}
			line = paint.Pad(line, p.frame.width) + bar
			if i < len(about) {
				line += about[i]
			}
			lines = append(lines, line)
		}
		return lines
	}
	lines = append(lines, tree...)
	if !p.reading {
		return lines
	}
	for len(lines) < p.frame.top+min(p.frame.tree, p.n) {
		lines = append(lines, "")
	}
	return append(append(lines, s.Faint(strings.Repeat(s.Rule, s.width))), about...)
}

// position says which lines of the tree are seen, unless all are.
func (p *objectsPage) position(s *scene) string {
	from, to := p.window()
	if to-from >= p.n {
		return ""
	}
	text := paint.Count(from+1) + "-" + paint.Count(to) + " of " + paint.Count(p.n)
	return s.Faint(paint.PadLeft(s.Cut(text, p.frame.width), p.frame.width))
}

// pick is a sign of both sets of glyphs.
func (s *scene) pick(unicode, ascii string) string {
	if s.ASCII {
		return ascii
	}
	return unicode
}

// measures are the widths of the parts of a tree's line. Where it is narrow depth
// costs one cell, and the ages are left out.
type measures struct{ step, age, column, free int }

const narrow = 50

func (p *objectsPage) measure() measures {
	m := measures{step: 2, age: 8}
	if p.frame.width < narrow {
		m = measures{step: 1}
	}
	m.free = max(1, p.frame.width-m.age)
	for _, r := range p.lines {
		m.column = max(m.column, m.indent(r)+ansi.StringWidth(labelOf(r)))
	}
	m.column = min(m.column, max(m.free*3/5, m.free-40))
	if p.frame.width < narrow {
		m.column = max(m.column, m.free-10)
	}
	return m
}

// indent is where the name of a line's kind begins.
func (m measures) indent(r objectRow) int { return 1 + m.step*r.depth + 2 + 2 }

// tree draws the lines of the window. What is said of objects begins in one column.
func (p *objectsPage) tree(s *scene) []string {
	m := p.measure()
	lines := make([]string, len(p.lines))
	for i, r := range p.lines {
		lines[i] = p.line(s, r, m)
	}
	return lines
}

func labelOf(r objectRow) string {
	kind, name := r.title()
	return strings.TrimSpace(paint.Clean(kind) + " " + paint.Clean(name))
}

func (p *objectsPage) line(s *scene, r objectRow, m measures) string {
	chosen := r.key == p.chosen
	mark, fold := " ", " "
	if chosen {
		mark = s.Bold(paint.Cyan, ">")
	}
	if r.folds {
		fold = s.Faint(s.pick("▸", ">"))
		if r.open {
			fold = s.Faint(s.pick("▾", "v"))
		}
	}
	state := r.state()
	head := mark + strings.Repeat(" ", m.step*r.depth) + fold + " " + s.State(state, s.Glyph(state, false)) + " "
	head += s.named(r, m.column-m.indent(r), chosen)
	line := paint.Pad(head, m.column)
	if word := paint.Clean(r.word()); word != "" && m.free-m.column > 4 {
		word = s.Cut(word, m.free-m.column-2)
		switch state {
		case phase.Done:
			word = s.Faint(word)
		case phase.Blocked, phase.Failed:
			word = s.Paint(paint.Yellow, word)
		}
		line += "  " + word
	}
	line = s.Cut(line, m.free)
	if m.age == 0 {
		return line
	}
	return paint.Pad(line, m.free) + s.Faint(paint.PadLeft(p.age(r), m.age))
}

// named is the kind and the name of a line in so many cells. Of a name the end stays,
// which tells it apart.
func (s *scene) named(r objectRow, width int, chosen bool) string {
	kind, name := r.title()
	kind, name = paint.Clean(kind), paint.Clean(name)
	if name == "" {
		text := s.Cut(kind, width)
		if chosen {
			return s.Reverse(text)
		}
		return text
	}
	if ansi.StringWidth(kind)+1+ansi.StringWidth(name) > width {
		kind = s.Cut(brief(kind), max(4, width-8))
		name = s.CutLeft(name, max(4, width-1-ansi.StringWidth(kind)))
	}
	if chosen {
		return kind + " " + s.Reverse(name)
	}
	return s.Faint(kind) + " " + name
}

// brief is what those who work with clusters call a kind.
func brief(kind string) string {
	switch kind {
	case "KubeadmControlPlane":
		return "KCP"
	case "MachineDeployment":
		return "MD"
	case "MachineSet":
		return "MS"
	case "VirtualMachine":
		return "VM"
	case "VirtualMachineService":
		return "VMService"
	case "VirtualMachineSetResourcePolicy":
		return "VMPolicy"
	case "VSphereMachineTemplate", "KubeadmConfigTemplate":
		return "Template"
	}
	return kind
}

// age is how long an object has been there; of a group nothing.
func (p *objectsPage) age(r objectRow) string {
	if r.group != nil {
		return ""
	}
	return since(p.now, r.Came)
}

// since is how long ago a time was, empty when it was before the run.
func since(now, then time.Duration) string {
	if then == phase.NotYet {
		return ""
	}
	return paint.Clock(max(0, now-then))
}
