package dashboard

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/tui/paint"
)

func TestFleetFrames(t *testing.T) {
	t.Parallel()
	frames(t, "fleet")
}

// names are the rows of the fleet in order, heads of groups in brackets.
func names(m *Model) string {
	var out []string
	for _, l := range m.pages[0].(*fleetPage).lines {
		name := l.subject.addr.Name
		if l.head != "" {
			name = "[" + l.head + "]"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func TestFleetIsSortedAndGrouped(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		keys []string
		want string
	}{
		"problems first":  {nil, "shop-us-east kafka payments web data-platform prod staging shop-eu-west preview spark-batch-workers"},
		"only problems":   {[]string{"!"}, "shop-us-east kafka"},
		"by name":         {[]string{"s"}, "data-platform kafka spark-batch-workers payments prod staging web preview shop-eu-west shop-us-east"},
		"by name, back":   {[]string{"s", "S"}, "shop-us-east shop-eu-west preview web staging prod payments spark-batch-workers kafka data-platform"},
		"by phase":        {[]string{"s", "s"}, "payments web data-platform shop-us-east kafka prod staging shop-eu-west preview spark-batch-workers"},
		"by time":         {[]string{"s", "s", "s"}, "shop-us-east kafka shop-eu-west prod spark-batch-workers staging preview payments web data-platform"},
		"by namespace":    {[]string{"b"}, "[data-platform] kafka data-platform spark-batch-workers [payments] payments prod staging [web] shop-us-east web shop-eu-west preview"},
		"by Supervisor":   {[]string{"b", "b"}, "[run] shop-us-east kafka payments web data-platform prod staging shop-eu-west preview spark-batch-workers"},
		"by column":       {[]string{"/", "n", "s", ":", "w", "e", "b", "enter"}, "shop-us-east web shop-eu-west preview"},
		"by what it says": {[]string{"/", "a", "d", "d", "r", "e", "s", "s", "enter"}, "shop-us-east kafka"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := opened(t, paint.Options{}, 120, 30, example(t, "fleet", 0))
			press(t, m, tt.keys...)
			if got := names(m); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The cursor passes over heads of groups, in both directions, and stops at the ends.
func TestCursorPassesOverHeads(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 120, 30, example(t, "fleet", 0))
	press(t, m, "b", "g")
	want := []string{"kafka", "data-platform", "spark-batch-workers", "payments", "prod", "staging", "shop-us-east", "web", "shop-eu-west", "preview", "preview"}
	for i, w := range want {
		if got := m.subject.addr.Name; got != w {
			t.Errorf("after %d times down %s is selected, want %s", i, got, w)
		}
		press(t, m, "down")
	}
	for i := len(want) - 3; i >= 0; i-- {
		press(t, m, "up")
		if got := m.subject.addr.Name; got != want[i] {
			t.Errorf("on the way up %s is selected, want %s", got, want[i])
		}
	}
}

func TestClicksSelectRowsAndPages(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 120, 30, example(t, "fleet", 0))
	m.Update(tea.MouseClickMsg{X: 10, Y: headLines + 1 + 4})
	if got := m.subject.addr.Name; got != "data-platform" {
		t.Errorf("a click on the fifth row selects %q", got)
	}
	m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if got := m.subject.addr.Name; got != "prod" {
		t.Errorf("the wheel selects %q", got)
	}
	for i, p := range m.pages {
		x := 1
		for _, tab := range m.tabs()[:i] {
			x += ansi.StringWidth(tab) + 2
		}
		m.Update(tea.MouseClickMsg{X: x, Y: 1})
		if m.shown != i {
			t.Errorf("a click on %q shows page %d", p.title(), m.shown)
		}
	}
}

// What can be copied is shown as well: not every terminal has a clipboard.
func TestCopyingShowsWhatIsCopied(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 120, 30, example(t, "fleet", 0))
	press(t, m, "y")
	if want := "copied: web/shop-us-east"; !strings.Contains(m.Screen(), want) {
		t.Errorf("the frame lacks %q:\n%s", want, m.Screen())
	}
	press(t, m, "Y")
	if want := "copied: kubectl -n web get clusters.cluster.x-k8s.io shop-us-east -o yaml"; !strings.Contains(m.Screen(), want) {
		t.Errorf("the frame lacks %q:\n%s", want, m.Screen())
	}
}
