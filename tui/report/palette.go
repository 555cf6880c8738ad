package report

import "fmt"

// A colour is that of a cell: none for the terminal's own, one of 256 by index, or
// one by its parts.
type colour int32

const (
	none colour = 0
	rgb  colour = 1 << 24 // the flag of those by parts
)

func indexed(n int) colour            { return colour(n + 1) }
func direct(r, g, b int) colour       { return rgb | colour(r<<16|g<<8|b) }
func (c colour) isIndex() bool        { return c != none && c&rgb == 0 }
func (c colour) index() int           { return int(c) - 1 }
func hex(r, g, b int) string          { return fmt.Sprintf("#%02x%02x%02x", r, g, b) }
func (c colour) parts() (r, g, b int) { return int(c >> 16 & 0xff), int(c >> 8 & 0xff), int(c & 0xff) }

// A palette gives the terminal's own colours their values. All sixteen but the
// background's own can be read on it: 4.5:1 and more (WCAG 2.2, 1.4.3).
type palette struct {
	back, text, bar, edge string
	sixteen               [16]string
}

// Those of 0 and 15 that equal the background on most terminals are left as they
// are there: whoever draws with them wants them so.
var (
	darkPalette = palette{
		back: "#12161c", text: "#d8dee6", bar: "#1d232c", edge: "#38414d",
		sixteen: [16]string{
			"#12161c", "#f0716b", "#5cb870", "#d9a441", "#6ea8f5", "#bd93f0", "#45bcc4", "#d8dee6",
			"#8b96a5", "#ff8a80", "#7fd491", "#f0c465", "#93c0ff", "#d3b3fa", "#6fd6dd", "#ffffff",
		},
	}
	lightPalette = palette{
		back: "#ffffff", text: "#1f2630", bar: "#eef1f5", edge: "#cdd4dd",
		sixteen: [16]string{
			"#1f2630", "#b3261e", "#1a7434", "#855d00", "#1a5fc4", "#7a3fc0", "#0f7078", "#4a5563",
			"#5d6875", "#c4231b", "#16692d", "#7a5500", "#1553b0", "#6a2fb0", "#0a6067", "#ffffff",
		},
	}
)

func paletteOf(dark bool) palette {
	if dark {
		return darkPalette
	}
	return lightPalette
}

// value is a colour as CSS has it. The 240 colours behind the sixteen are a cube
// of six steps a side and a ramp of grays, the same on every terminal.
func (p palette) value(c colour) string {
	if !c.isIndex() {
		r, g, b := c.parts()
		return hex(r, g, b)
	}
	switch n := c.index(); {
	case n < 16:
		return p.sixteen[n]
	case n < 232:
		n -= 16
		return hex(cube(n/36), cube(n/6%6), cube(n%6))
	default:
		gray := 8 + 10*(n-232)
		return hex(gray, gray, gray)
	}
}

// cube is a step of a side of the cube.
func cube(step int) int {
	if step == 0 {
		return 0
	}
	return 55 + 40*step
}
