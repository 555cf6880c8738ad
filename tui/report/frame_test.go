package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/tui/paint"
)

// framed draws and fails on an error.
func framed(t testing.TB, content string, width, height int, dark bool, title string) string {
	t.Helper()
	var out bytes.Buffer
	if err := Frame(&out, content, width, height, dark, title); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// chart is the example fleet as displays draw it, with all that they use.
func chart(t *testing.T, light bool) string {
	t.Helper()
	timeline := timelineOf(t, "fleet")
	theme := paint.New(paint.Options{Color: true, Light: light})
	axis := paint.AxisOf(timeline.Rows(), timeline.Elapsed(), 60)
	labels, rule := axis.Draw(theme)
	lines := []string{theme.Bold("", "vksync <simulate>") + "  " + theme.Marker(), "", paint.Pad("", 32) + theme.Faint(labels), paint.Pad("", 32) + theme.Faint(rule)}
	for _, r := range timeline.Rows() {
		lines = append(lines, paint.Pad(paint.NameOf(r.Addr), 30)+"  "+axis.Bar(theme, r.Progress, timeline.Elapsed())+"  "+theme.State(r.State, paint.StateWord(r)))
	}
	return strings.Join(lines, "\n")
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for _, dark := range []bool{true, false} {
		golden(t, fmt.Sprintf("frame-dark-%t.svg", dark), framed(t, chart(t, !dark), 105, 16, dark, "vksync <fleet>"))
	}
}

// drawn is what an SVG says: each character with the place it is put at.
type drawn struct {
	text  string
	cells map[int]map[int]string // by y and x
	rects int
}

func read(t testing.TB, svg string) drawn {
	t.Helper()
	d := drawn{cells: map[int]map[int]string{}}
	y := 0
	var at []string
	for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			at = nil
			for _, a := range e.Attr {
				switch {
				case a.Name.Local == "y" && e.Name.Local == "text":
					y, _ = strconv.Atoi(a.Value)
				case a.Name.Local == "x" && e.Name.Local == "tspan":
					at = strings.Fields(a.Value)
				case strings.Contains(a.Name.Local, "href"), strings.Contains(a.Value, "url("), strings.HasPrefix(a.Name.Local, "on"):
					t.Errorf("%s %s=%q refers to something", e.Name.Local, a.Name.Local, a.Value)
				}
			}
			if e.Name.Local == "rect" {
				d.rects++
			}
		case xml.EndElement:
			at = nil
		case xml.CharData:
			text := string(e)
			if len(at) == 0 {
				continue
			}
			clusters := []string{text}
			if len(at) > 1 {
				clusters = strings.Split(text, "")
			}
			if len(clusters) != len(at) {
				t.Errorf("%d places for %q", len(at), text)
			}
			for i, c := range clusters[:min(len(clusters), len(at))] {
				x, err := strconv.Atoi(at[i])
				if err != nil {
					t.Fatal(err)
				}
				if d.cells[y] == nil {
					d.cells[y] = map[int]string{}
				}
				d.cells[y][(x-margin)/cellWidth] = c
			}
			d.text += text
		}
	}
}

func TestEveryCharacterHasItsColumn(t *testing.T) {
	t.Parallel()
	d := read(t, framed(t, "ab  \x1b[1;91mé漢\x1b[m 👩‍💻!\tx\x1b]0;title\x07 end\x1b[2Jz", 40, 2, true, ""))
	want := map[int]string{0: "a", 1: "b", 2: "  ", 4: "é", 5: "漢", 8: "👩‍💻", 10: "!", 11: "x", 13: "e", 14: "n", 15: "d", 16: "z"}
	for y, got := range d.cells {
		for at, c := range got {
			if strings.TrimSpace(c) == "" {
				delete(got, at) // blanks show nothing
			}
		}
		delete(want, 2)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("line at %d (-want +got):\n%s", y, diff)
		}
	}
	if len(d.cells) != 1 {
		t.Errorf("%d lines, want 1", len(d.cells))
	}
}

func TestLooks(t *testing.T) {
	t.Parallel()
	p := paletteOf(true)
	tests := map[string]struct{ code, want string }{
		"own":         {"", `<tspan x="14">x</tspan>`},
		"bold":        {"1", `<tspan x="14" font-weight="bold">x</tspan>`},
		"red":         {"31", `fill="` + p.sixteen[1] + `"`},
		"bright":      {"97", `fill="` + p.sixteen[15] + `"`},
		"by index":    {"38;5;208", `fill="#ff8700"`},
		"gray":        {"38;5;244", `fill="#808080"`},
		"by parts":    {"38;2;1;2;3", `fill="#010203"`},
		"with colons": {"38:5:208", `fill="#ff8700"`},
		"background":  {"42", `height="19" fill="` + p.sixteen[2] + `"`},
		"inverted":    {"7;33", `height="19" fill="` + p.sixteen[3] + `"`},
		"inverted bw": {"7", `fill="` + p.back + `">x`},
		"faint":       {"2", `fill-opacity="0.7"`},
		"all off":     {"1;3;4;7;31;42;0", `<tspan x="14">x</tspan>`},
		"each off":    {"1;2;3;4;7;31;42;22;23;24;27;39;49", `<tspan x="14">x</tspan>`},
		"unknown":     {"38;9;1", `<tspan x="14">x</tspan>`},
	}
	for name, test := range tests {
		if svg := framed(t, "\x1b["+test.code+"mx", 5, 1, true, ""); !strings.Contains(svg, test.want) {
			t.Errorf("%s: no %s in\n%s", name, test.want, svg)
		}
	}
}

// What is drawn in any of the colours can be read on the background.
func TestColoursCanBeRead(t *testing.T) {
	t.Parallel()
	for _, dark := range []bool{true, false} {
		p := paletteOf(dark)
		for i, c := range append(p.sixteen[:], p.text) {
			if i == 15 && !dark || i == 0 && dark {
				continue // the background's own
			}
			if ratio := contrast(t, c, p.back); ratio < 4.5 {
				t.Errorf("dark %t: colour %d, %s on %s, has %.1f:1, want 4.5:1", dark, i, c, p.back, ratio)
			}
		}
	}
}

// contrast is that of WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(c string) float64 {
		var parts [3]float64
		for i := range parts {
			n, err := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			if v := float64(n) / 255; v <= 0.04045 {
				parts[i] = v / 12.92
			} else {
				parts[i] = math.Pow((v+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*parts[0] + 0.7152*parts[1] + 0.0722*parts[2]
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func FuzzFrame(f *testing.F) {
	f.Add("a\x1b[31mb\n\x1b[0mc", 3, 2)
	f.Add("\x1b[38;5;300m漢\xff\x00<&\"]]>\ufffe\u202e", 2, 1)
	f.Fuzz(func(t *testing.T, content string, width, height int) {
		width, height = max(0, width%300), max(0, height%100)
		d := read(t, framed(t, content, width, height, true, content))
		if len(d.cells) > height {
			t.Errorf("%d lines, want at most %d", len(d.cells), height)
		}
		for y, line := range d.cells {
			for x, c := range line {
				if x+ansi.StringWidth(c) > width {
					t.Errorf("%q at %d in line %d is beyond %d", c, x, y, width)
				}
			}
		}
	})
}
