package dashboard

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/tui/paint"
)

// A span is text in one look.
type span struct {
	hue  string // of paint; empty is the terminal's own
	text string
}

// spans draws spans.
func (s *scene) spans(list []span) string {
	var b strings.Builder
	for _, p := range list {
		if p.hue == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(s.Paint(p.hue, p.text))
		}
	}
	return b.String()
}

// exact is a value of somebody's manifest for the terminal: every character is seen
// as one, also several blanks. Signs that would control the terminal, or the
// direction of what follows, are replaced.
func exact(v string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, v)
}

// valueLines is how many lines one value has at most.
const valueLines = 4

// wrapValue breaks a value into lines of a width, behind commas where there are
// some. Of a long one the beginning is shown, and that there is more.
func wrapValue(more, v string, width int) []string {
	width = max(width, 8)
	// What cannot be seen anyway is not measured.
	if keep := (valueLines + 1) * width; len(v) > 4*keep {
		v = string([]rune(v[:4*keep]))
	}
	lines := strings.Split(ansi.Wrap(exact(v), width, ","), "\n")
	if len(lines) > valueLines {
		lines = lines[:valueLines]
		lines[valueLines-1] = ansi.Truncate(lines[valueLines-1], width-1, "") + more
	}
	return lines
}

// effectHue is the colour of an effect.
func effectHue(e plan.Effect) string {
	switch e {
	case plan.Forbidden:
		return paint.Red
	case plan.Rolling, plan.Scale:
		return paint.Yellow
	}
	return paint.Gray
}

// changeLines are the lines of a field that changes: what it was and what it will
// be, on one line where that fits, else below each other.
func changeLines(more, indent, path string, c plan.Change, width int) [][]span {
	sign, hue := "~", paint.Yellow
	switch {
	case c.Old == nil:
		sign, hue = "+", paint.Green
	case c.New == nil:
		sign, hue = "-", paint.Red
	}
	head := []span{{"", indent}, {hue, sign}, {"", " " + exact(path)}}
	was, is := plan.Shown(c.Old), plan.Shown(c.New)
	one := append(head[:len(head):len(head)], span{"", "  "})
	switch {
	case c.Old == nil:
		one = append(one, span{paint.Green, exact(is)})
	case c.New == nil:
		one = append(one, span{paint.Red, exact(was)})
	default:
		one = append(one, span{paint.Red, exact(was)}, span{"", " -> "}, span{paint.Green, exact(is)})
	}
	why := effectSpan(c)
	if len(was)+len(is) <= width && cells(one)+cells(why) <= width {
		return [][]span{append(one, why...)}
	}
	lines := [][]span{head}
	if cells(head)+cells(why) <= width {
		lines[0] = append(head, why...)
	} else if len(why) > 0 {
		lines = append(lines, []span{{"", indent + " "}, why[0]})
	}
	for _, side := range []struct {
		value     any
		sign, hue string
		text      string
	}{{c.Old, "-", paint.Red, was}, {c.New, "+", paint.Green, is}} {
		if side.value == nil {
			continue
		}
		mark := side.sign
		for _, part := range wrapValue(more, side.text, width-len(indent)-4) {
			lines = append(lines, []span{{"", indent + "  "}, {side.hue, mark + " " + part}})
			mark = " "
		}
	}
	return lines
}

// effectSpan says what a change does to machines that run, where it does anything.
func effectSpan(c plan.Change) []span {
	if c.Effect == "" || c.Effect == plan.InPlace {
		return nil
	}
	text := string(c.Effect)
	if c.Affects != "" {
		text += ": " + c.Affects
	}
	return []span{{effectHue(c.Effect), "  # " + paint.Clean(text)}}
}

func cells(list []span) int {
	n := 0
	for _, p := range list {
		n += ansi.StringWidth(p.text)
	}
	return n
}
