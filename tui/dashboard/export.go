package dashboard

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/tui/report"
)

// export writes what is on the screen as a text and as an SVG picture into files of
// their own, and tells where they are, or why they are not.
func (m *Model) export() tea.Cmd {
	e := export{
		dir: m.Exports, page: m.pages[m.shown].title(), at: m.clock, content: m.draw(),
		width: m.screen.width, height: m.screen.height, light: m.Look.Light,
	}
	return func() tea.Msg { return e.write() }
}

// An export is a frame on its way to files.
type export struct {
	dir, page     string
	at            time.Time
	content       string
	width, height int
	light         bool
}

// exportTries is how many names are tried where files are there already.
const exportTries = 20

func (e export) write() notice {
	var picture bytes.Buffer
	if err := report.Frame(&picture, e.content, e.width, e.height, !e.light, "vksync "+e.page); err != nil {
		return notice{"not exported: " + err.Error(), true}
	}
	base := fmt.Sprintf("vksync-%s-%s", strings.ToLower(e.page), e.at.Format("20060102-150405"))
	name := base
	for n := 2; ; n++ {
		err := e.both(name, ansi.Strip(e.content)+"\n", picture.Bytes())
		switch {
		case err == nil:
			return notice{fmt.Sprintf("wrote %s.txt and .svg", filepath.Join(e.dir, name)), false}
		case !errors.Is(err, fs.ErrExist) || n > exportTries:
			return notice{"not exported: " + err.Error(), true}
		}
		name = fmt.Sprintf("%s-%d", base, n)
	}
}

// both writes two files, or none. What is there already is left as it is.
func (e export) both(name, text string, picture []byte) error {
	path := filepath.Join(e.dir, name)
	if err := create(path+".txt", []byte(text)); err != nil {
		return err
	}
	if err := create(path+".svg", picture); err != nil {
		return errors.Join(err, os.Remove(path+".txt"))
	}
	return nil
}

// create writes a file that was not there before, whole or not at all.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less the umask: it is there to be passed on
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
