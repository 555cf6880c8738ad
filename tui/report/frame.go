package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// The size of a cell of a picture in pixels, and what is around the cells. A cell
// is as wide as most monospaced fonts are at that size.
const (
	cellWidth  = 9
	cellHeight = 19
	fontSize   = 15
	margin     = 14
	barHeight  = 34
)

// Frame draws what a terminal of width x height cells shows as an SVG picture.
// Content is text with SGR codes; what does not fit is cut off, and so are all
// other control codes. Dark chooses the terminal's colours; a title makes a window
// of it. The picture needs nothing but itself: every character is put at its own
// column, so that columns line up in any font, and the text can be selected.
func Frame(w io.Writer, content string, width, height int, dark bool, title string) error {
	out := bufio.NewWriter(w)
	f := frame{Writer: out, palette: paletteOf(dark), width: width, height: height}
	f.open(title)
	lines := strings.Split(content, "\n")
	at := style{}
	for i := range min(len(lines), height) {
		var line []stretch
		line, at = stretches(lines[i], at, width)
		f.line(i, line)
	}
	f.print("</g>\n</svg>\n")
	return out.Flush() // which repeats the first error of any write
}

// A frame is a picture being written.
type frame struct {
	*bufio.Writer
	palette
	width, height int
	top           int // where the first line begins
}

// print writes markup. The Writer keeps the first error.
func (f *frame) print(format string, values ...any) { _, _ = fmt.Fprintf(f.Writer, format, values...) }

func (f *frame) open(title string) {
	f.top = margin
	if title != "" {
		f.top += barHeight
	}
	w, h := f.width*cellWidth+2*margin, f.height*cellHeight+f.top+margin
	f.print(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n", w, h, w, h)
	if title != "" {
		f.print("<title>%s</title>\n", escaped(title))
	}
	f.print(`<rect x="0.5" y="0.5" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>`+"\n", w-1, h-1, f.back, f.edge)
	if title != "" {
		f.print(`<path d="M1 %dV9a8 8 0 0 1 8-8h%da8 8 0 0 1 8 8v%dz" fill="%s"/>`+"\n", barHeight, w-18, barHeight-9, f.bar)
	}
	f.print(`<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace" font-size="%d" fill="%s" xml:space="preserve" style="white-space:pre">`+"\n", fontSize, f.text)
	if title != "" {
		f.print(`<text x="%d" y="22" text-anchor="middle" fill="%s">%s</text>`+"\n", w/2, f.sixteen[8], escaped(title))
	}
}

// line writes the backgrounds of a line, and then its text over them.
func (f *frame) line(row int, line []stretch) {
	if len(line) == 0 {
		return
	}
	y := f.top + row*cellHeight
	for _, s := range line {
		if fill := f.behind(s.style); fill != "" {
			f.print(`<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", f.x(s.clusters[0].col), y, s.width()*cellWidth, cellHeight, fill)
		}
	}
	f.print(`<text y="%d">`, y+fontSize-1)
	for _, s := range line {
		f.stretch(s)
	}
	f.print("</text>\n")
}

func (f *frame) x(col int) int { return margin + col*cellWidth }

// stretch writes text in one style, in pieces of which each begins at its own
// place. Positions belong to UTF-16 code units (SVG 11.1), so a cluster of more
// than one is a piece of its own. So are blanks, but for one between two words:
// where a reader of SVG runs them together, no word moves.
func (f *frame) stretch(s stretch) {
	all := s.clusters
	for len(all) > 0 {
		n := 1
		for n < len(all) && kindOf(all, n) == kindOf(all, 0) {
			n++
		}
		if kindOf(all, 0) == wide {
			n = 1
		}
		f.piece(s.style, all[:n])
		all = all[n:]
	}
}

// The kinds of clusters that pieces keep apart.
const (
	word = iota
	blank
	wide // of more than one code unit
)

func kindOf(all []cluster, i int) int {
	between := i > 0 && i+1 < len(all) && all[i-1].text != " " && all[i+1].text != " "
	switch {
	case all[i].text == " " && !between:
		return blank
	case units(all[i]) > 1:
		return wide
	}
	return word
}

func units(c cluster) int { return len(utf16.Encode([]rune(c.text))) }

func (f *frame) piece(s style, clusters []cluster) {
	var at, text strings.Builder
	for i, c := range clusters {
		if i > 0 {
			at.WriteByte(' ')
		}
		fmt.Fprint(&at, f.x(c.col))
		text.WriteString(c.text)
	}
	f.print(`<tspan x="%s"%s>%s</tspan>`, at.String(), f.look(s), escaped(text.String()))
}

// behind is the colour of the background, empty for the terminal's own.
func (f *frame) behind(s style) string {
	switch {
	case s.invert && s.fg == none:
		return f.text
	case s.invert:
		return f.value(s.fg)
	case s.bg == none:
		return ""
	}
	return f.value(s.bg)
}

// look are the attributes of a style.
func (f *frame) look(s style) string {
	var b strings.Builder
	switch {
	case s.invert && s.bg == none:
		b.WriteString(` fill="` + f.back + `"`)
	case s.invert:
		b.WriteString(` fill="` + f.value(s.bg) + `"`)
	case s.fg != none:
		b.WriteString(` fill="` + f.value(s.fg) + `"`)
	}
	for _, a := range []struct {
		is   bool
		text string
	}{
		{s.bold, ` font-weight="bold"`}, {s.faint, ` fill-opacity="0.7"`},
		{s.italic, ` font-style="italic"`}, {s.underline, ` text-decoration="underline"`},
	} {
		if a.is {
			b.WriteString(a.text)
		}
	}
	return b.String()
}

// escaped is text as XML has it; what XML has no form for becomes U+FFFD.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
