package report

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// A style is how a stretch of a terminal's line looks.
type style struct {
	fg, bg                                 colour
	bold, faint, italic, underline, invert bool
}

// A stretch is a piece of a line in one style. Each cluster is what a terminal
// puts into one place of one or two cells.
type stretch struct {
	style
	clusters []cluster
}

type cluster struct {
	text string
	col  int // the first of its cells
}

// width is how many cells a stretch has from its first one on.
func (s stretch) width() int {
	last := s.clusters[len(s.clusters)-1]
	return last.col + ansi.StringWidth(last.text) - s.clusters[0].col
}

// stretches reads one line as a terminal does: SGR codes change the style, other
// codes are dropped, and what lies beyond width cells is cut off. It returns the
// style in which the next line begins. Trailing blanks that show nothing are left
// out.
func stretches(line string, at style, width int) ([]stretch, style) {
	var out []stretch
	parser := ansi.NewParser()
	col := 0
	for state := byte(0); line != ""; {
		text, cells, n, next := ansi.DecodeSequence(line, state, parser)
		line, state = line[n:], next
		switch {
		case cells == 0 && ansi.Cmd(parser.Command()).Final() == 'm' && strings.HasPrefix(text, "\x1b["):
			at = at.after(parser.Params())
		case cells == 0 || text[0] < ' ' || text[0] == 0x7f || !utf8.ValidString(text):
			continue
		case col+cells > width:
			col = width // a wide one that does not fit ends the line, as the ones behind it
		default:
			if len(out) == 0 || out[len(out)-1].style != at {
				out = append(out, stretch{style: at})
			}
			last := &out[len(out)-1]
			last.clusters = append(last.clusters, cluster{text, col})
			col += cells
		}
	}
	return trimmed(out), at
}

// trimmed drops blanks at the end of a line that nobody can see.
func trimmed(line []stretch) []stretch {
	for len(line) > 0 {
		last := &line[len(line)-1]
		if last.bg != none || last.invert || last.underline {
			break
		}
		for n := len(last.clusters); n > 0 && last.clusters[n-1].text == " "; n-- {
			last.clusters = last.clusters[:n-1]
		}
		if len(last.clusters) > 0 {
			break
		}
		line = line[:len(line)-1]
	}
	return line
}

// after is the style after an SGR code (ECMA-48 8.3.117, and xterm's 90-107).
func (s style) after(params ansi.Params) style {
	if len(params) == 0 {
		return style{}
	}
	for i := 0; i < len(params); i++ {
		switch n := params[i].Param(0); {
		case n == 0:
			s = style{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.faint = true
		case n == 3:
			s.italic = true
		case n == 4:
			s.underline = true
		case n == 7:
			s.invert = true
		case n == 22:
			s.bold, s.faint = false, false
		case n == 23:
			s.italic = false
		case n == 24:
			s.underline = false
		case n == 27:
			s.invert = false
		case n >= 30 && n <= 37:
			s.fg = indexed(n - 30)
		case n >= 90 && n <= 97:
			s.fg = indexed(n - 90 + 8)
		case n == 39:
			s.fg = none
		case n >= 40 && n <= 47:
			s.bg = indexed(n - 40)
		case n >= 100 && n <= 107:
			s.bg = indexed(n - 100 + 8)
		case n == 49:
			s.bg = none
		case n == 38 || n == 48:
			c, used := extended(params[i+1:])
			if i += used; n == 38 {
				s.fg = c
			} else {
				s.bg = c
			}
		}
	}
	return s
}

// extended reads the colour behind 38 or 48 (ITU-T T.416): 5 and an index, or 2
// and three parts; none for what is neither.
func extended(params ansi.Params) (colour, int) {
	part := func(i int) int { return min(255, max(0, params[i].Param(0))) }
	switch {
	case len(params) >= 2 && params[0].Param(0) == 5:
		return indexed(part(1)), 2
	case len(params) >= 4 && params[0].Param(0) == 2:
		return direct(part(1), part(2), part(3)), 4
	}
	return none, len(params)
}
