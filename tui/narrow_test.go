package tui

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
)

// Whatever the width, a line that is too long is cut and shows it; a terminal
// never has to wrap.
func TestNarrowTerminalsCutAndNeverWrap(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		timeline := upTo(t, name, 0)
		for _, width := range []int{1, 10, 20, 30, 39} {
			o := Options{Width: width, Height: 12, Title: "vksync simulate", Speed: 60}
			frame := take(timeline, o.Height).draw(o)
			var summary, forecast bytes.Buffer
			if err := Summary(&summary, timeline, o); err != nil {
				t.Fatal(err)
			}
			if err := Forecast(&forecast, timeline, o); err != nil {
				t.Fatal(err)
			}
			fits(t, frame, width)
			fits(t, summary.String(), width)
			fits(t, forecast.String(), width)
			if width < 39 && !strings.Contains(frame, "…") {
				t.Errorf("%s on %d: nothing shows that lines are cut:\n%s", name, width, frame)
			}
		}
	}
}

// Rows that move while they are read cannot be read.
func TestColumnsStayWhereTheyAreWhileARunGoesOn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fleet", "many", "reached"} {
		all := events(t, name)
		for _, size := range sizes {
			o := Options{Width: size.width, Height: size.height}
			want, timeline, next := "", journal.NewTimeline(), time.Second
			for _, e := range all {
				timeline.Apply(e)
				if e.At() < next {
					continue
				}
				next = e.At() + 20*time.Second
				heads := take(timeline, o.Height).lines(o)[2]
				if want == "" {
					want = heads
				}
				if heads != want {
					t.Errorf("%s on %d at %v: the columns moved:\n%s\n%s", name, size.width, e.At(), want, heads)
				}
			}
		}
	}
}

func TestHeadingKeepsWhatMattersOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	p := take(upTo(t, "fleet", 6*time.Minute), 24)
	p.interrupted = true
	for _, width := range []int{76, 100} {
		got := p.heading(Options{}.theme(), Options{Width: width, Title: "clusters/of/a/team/in/a/deep/directory", Speed: 600})
		for _, want := range []string{"SIMULATED", "t+05:58", "interrupting", "3/7 Available", "1 stuck", "…", "irectory"} {
			if !strings.Contains(got, want) {
				t.Errorf("on %d %q is missing: %s", width, want, got)
			}
		}
		if w := ansi.StringWidth(got); w > width {
			t.Errorf("%d cells on a terminal of %d: %s", w, width, got)
		}
	}
}

// A run that is over at once would only flash the other screen.
func TestALiveDisplayThatIsOverAtOnceShowsOnlyTheSummary(t *testing.T) {
	t.Parallel()
	var out, summary bytes.Buffer
	o := Options{Title: "vksync simulate"}
	d := Start(context.Background(), Live, nil, &out, o, nil)
	for _, e := range events(t, "reached")[:40] {
		d.Event(e)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Summary(&summary, d.(*live).timeline, o); err != nil {
		t.Fatal(err)
	}
	if out.String() != summary.String() {
		t.Errorf("got %q, want only the summary", out.String())
	}
}

func TestLiveLeavesTheShellsScreenAlone(t *testing.T) {
	t.Parallel()
	m := &model{source: still{upTo(t, "fleet", time.Minute)}}
	m.look()
	if !m.View().AltScreen {
		t.Error("rows are drawn into the shell's own screen, where a change of its width tears them")
	}
	if a, b := m.View().Content, m.View().Content; a != b {
		t.Errorf("two views of one picture differ:\n%s\n%s", a, b)
	}
}

func TestAskingForALiveDisplayWithoutATerminalNamesOtherChoices(t *testing.T) {
	t.Parallel()
	_, err := Choose(Terminal{}, Live)
	if err == nil || !strings.Contains(err.Error(), "use plain or auto") {
		t.Errorf("got %v", err)
	}
}
