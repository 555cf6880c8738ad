// Package report makes of a run what leaves the terminal: an HTML page that is
// whole in itself, and pictures of what a terminal shows. It hides templates,
// markup and colours, and reads nothing but events of a journal.
//
// A page fetches nothing and runs nothing but its own script, which only filters
// and sorts; its Content-Security-Policy holds it to that.
package report

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
)

// Options say what a page says beside its journal. The zero Options are fine.
type Options struct {
	// Title is what the run is called; empty calls it by its world.
	Title string
	// Rows caps the goals that are shown; 0 is 2000. Those that are blocked or
	// failed come first, then those that go on, then the slowest, and the page
	// says how many are left out.
	Rows int
}

func (o Options) rows() int { return cmp.Or(o.Rows, 2000) }

//go:embed page
var files embed.FS

// pages are the templates; page.html is the whole page.
var pages = template.Must(template.ParseFS(files, "page/*.html"))

// HTML writes the page of a run. It is the same for the same journal.
func HTML(w io.Writer, r *Run, o Options) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if err := pages.ExecuteTemplate(out, "page.html", newPage(r, o)); err != nil {
		return err
	}
	return out.Flush()
}

// The only style and the only script of a page, and what they are known by.
var (
	styleSheet = text("page/page.css")
	script     = text("page/page.js")
	policy     = "default-src 'none'; style-src " + hash(styleSheet) + "; script-src " + hash(script) + "; base-uri 'none'; form-action 'none'"
)

// text is a file that is in the binary.
func text(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the binary was built without it
	}
	return string(b)
}

// hash is a source of a Content-Security-Policy that allows only this text
// (CSP 3, 2.3.1).
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
