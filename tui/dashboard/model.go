package dashboard

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/tui/paint"
)

// lookEvery is the least time between two looks at the board: events between them
// cost no drawing.
const lookEvery = 80 * time.Millisecond

// Config is how a dashboard looks and what it may do.
type Config struct {
	// Look is the theme; Light is asked of the terminal.
	Look paint.Options
	// Title is the command: "vksync simulate".
	Title string
	// Speed is how many times faster than real a simulated world runs; 0 is as fast
	// as it can. It is only shown.
	Speed float64
	// Origin is what is connected to before there is any stream: the URL of a daemon.
	Origin string
	// Player is what a replay is steered by; nil where nothing is replayed.
	Player Player
	// Exports is the directory that e writes pages to; empty is the current one.
	Exports string
	// Clock is the real time; nil is time.Now.
	Clock func() time.Time
	// Interrupt asks for the end of what is shown when the user presses Ctrl-C; the
	// program then goes on until it is told to end, or Ctrl-C is pressed again. Nil
	// ends it at once.
	Interrupt func()
	// Approve passes on that the proposed plan of a stream is to be carried out, and
	// says why it cannot be. It may take its time. Nil where nobody can approve here.
	Approve func(stream, digest string) error
	// ApproveCommand is the command that approves what waits on a stream, for where
	// Approve is nil; it, or what it returns, may be empty when that is not known.
	ApproveCommand func(stream string) string
	// Asks says that the program was begun to have a plan approved: the Plan page is
	// shown first, and asks.
	Asks bool
}

// Model is the dashboard's one Bubble Tea model.
type Model struct {
	Config
	scene
	pages   []page
	shown   int
	visited []int // the pages that esc goes back to
	help    help
	notice  notice

	screen      struct{ width, height int }
	mouse       bool
	touched     bool // the user pressed a key
	interrupted bool
	over        bool // what was shown has come to its end
	content     string
	stale       bool // content is older than what it shows
}

// New makes a dashboard of a board. It draws nothing before it knows the size of the
// terminal.
func New(board *Board, c Config) *Model {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	m := &Model{Config: c, pages: pages(c), stale: true}
	if c.Asks {
		m.shown = slices.IndexFunc(m.pages, func(p page) bool { return p.title() == "Plan" })
	}
	m.scene = scene{Theme: paint.New(c.Look), board: board, clock: c.Clock(), speed: c.Speed}
	return m
}

// changed says that the board has changed, look that it is time to look at it.
type (
	changed struct{}
	look    struct{}
	second  struct{}
)

// Init begins to watch the board.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.await(), tick(), tea.RequestBackgroundColor)
}

func (m *Model) await() tea.Cmd {
	from := m.board.Changed()
	return func() tea.Msg { <-from; return changed{} }
}

// tick comes each second, for clocks that run although nothing happens.
func tick() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return second{} }) }

// Update routes messages, and has pages do what takes long.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	for _, p := range m.pages {
		if w, ok := p.(worker); ok {
			cmd = tea.Batch(cmd, w.work(&m.scene))
		}
	}
	return m, cmd
}

// A worker is a page for which something takes too long for a frame. Work is called
// after every message, without the lock; nil is nothing to do. What comes of it is a
// message, for receive.
type worker interface {
	work(s *scene) tea.Cmd
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case changed:
		return tea.Tick(lookEvery, func(time.Time) tea.Msg { return look{} })
	case look:
		m.take()
		return m.await()
	case second:
		if m.ticks() {
			m.take()
		}
		return tick()
	case tea.WindowSizeMsg:
		m.screen.width, m.screen.height = msg.Width, msg.Height
		m.take()
	case tea.BackgroundColorMsg:
		m.relight(!msg.IsDark())
	case tea.KeyPressMsg:
		return m.press(msg)
	case tea.MouseMsg:
		return m.point(msg)
	case show:
		m.visit(msg.title)
	case notice:
		m.notice, m.stale = msg, true
	case settled:
		m.touched = false
	case Over:
		return m.conclude()
	default:
		return m.deliver(msg)
	}
	return nil
}

// A receiver is a page that has messages of its own come back from its commands.
type receiver interface {
	receive(s *scene, msg tea.Msg) tea.Cmd
}

// deliver hands what is nobody else's to the pages.
func (m *Model) deliver(msg tea.Msg) tea.Cmd {
	var all []tea.Cmd
	for _, p := range m.pages {
		if r, ok := p.(receiver); ok {
			all = append(all, r.receive(&m.scene, msg))
		}
	}
	m.take()
	return tea.Batch(all...)
}

// Over says that what was shown has come to its end. The program ends then, unless
// the user has pressed a key: who did is looking at something, and leaves with q.
type Over struct{}

// settled is a message: what the user has pressed keys for is done with, so that
// they do not keep the program from ending.
type settled struct{}

func (m *Model) conclude() tea.Cmd {
	m.over = true
	m.take()
	if !m.touched || m.interrupted {
		return tea.Quit
	}
	return tell("the run has ended; q leaves", false)
}

// Size is that of the terminal, once it is known; else what is given.
func (m *Model) Size(width, height int) (int, int) {
	if m.screen.width == 0 {
		return width, height
	}
	return m.screen.width, m.screen.height
}

func (m *Model) relight(light bool) {
	if m.Look.Light != light {
		m.Look.Light = light
		m.Theme = paint.New(m.Look)
		m.stale = true
	}
}

// ticks says whether any time on the screen goes on by itself.
func (m *Model) ticks() (yes bool) {
	m.board.read(func() {
		yes = slices.ContainsFunc(m.board.streams, (*Stream).ticks)
	})
	return yes
}

// take has the page that is shown look at the board. The fleet is looked at first
// while nothing is selected: it chooses what the other pages are about.
func (m *Model) take() {
	m.clock = m.Clock()
	m.stale = true
	if m.screen.width == 0 {
		return
	}
	m.layout()
	m.board.read(func() {
		m.help.take(&m.scene, m)
		if m.subject == (subject{}) && m.shown != 0 {
			m.pages[0].take(&m.scene)
		}
		m.pages[m.shown].take(&m.scene)
	})
}

// View draws what was taken last.
func (m *Model) View() tea.View {
	if m.stale && m.screen.width > 0 {
		m.content, m.stale = m.draw(), false
	}
	v := tea.NewView(m.content)
	v.AltScreen = true
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// Screen is the frame as it was drawn last, with its colours.
func (m *Model) Screen() string { return m.View().Content }
