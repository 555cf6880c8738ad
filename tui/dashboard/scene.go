package dashboard

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// A page is one of the dashboard's views. Its cursor and scrolling live in it.
type page interface {
	title() string
	// take is called with the board's lock held, after a change, a key, or a new
	// size. It copies what draw needs, and no more than fits.
	take(s *scene)
	// draw is pure: at most s.height lines of at most s.width cells.
	draw(s *scene) []string
	// keys are those that work now, for the help bar and the list of all keys.
	keys() []key.Binding
	// press handles a key; false is none of the page's own. Take follows it.
	press(s *scene, k tea.KeyPressMsg) (tea.Cmd, bool)
	// copies are what y and Y put on the clipboard: the name of what is selected,
	// and a kubectl or govc command for it. Empty is nothing.
	copies(s *scene) (name, command string)
}

// A prompter is a page that needs the last line of the screen for a question or
// for what is being typed.
type prompter interface {
	prompt(s *scene) (line string, shown bool)
}

// An asker is a page that has the user decide something while there is nothing else
// to say on the last line of the screen.
type asker interface {
	asks(s *scene) (line string, asks bool)
}

// A clicker is a page on which something can be clicked: y is a line of draw's.
type clicker interface {
	click(s *scene, x, y int)
}

// A scene is what a page may look at, and what pages tell each other.
type scene struct {
	paint.Theme
	width, height int // of the page
	board         *Board
	clock         time.Time // the real time of the last look
	// speed is how many times faster than real a simulated world runs; 0 is as fast
	// as it can.
	speed float64

	// findings counts what the checks of each stream's plan found, once it is read.
	findings map[string]int
	// subject is the goal that all pages are about.
	subject subject
	// object is what Objects is to select; the zero Addr is what it likes.
	object resource.Addr
}

// A subject is one goal of one stream.
type subject struct {
	stream string
	addr   resource.Addr
}

// stream is that of the subject; nil where there is none. The board's lock is held.
func (s *scene) stream() *Stream { return s.board.stream(s.subject.stream) }

// show is a message: another page is to be shown.
type show struct{ title string }

// showPage goes to the page of a title.
func showPage(title string) tea.Cmd { return func() tea.Msg { return show{title} } }

// notice is a message: a line for the user, until the next key.
type notice struct {
	text string
	bad  bool
}

// tell shows a line at the bottom until the next key.
func tell(text string, bad bool) tea.Cmd { return func() tea.Msg { return notice{text, bad} } }
