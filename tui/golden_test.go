package tui

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/tuitest"
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	tuitest.Golden(t, name, got)
}

// names are the example journals.
func names(t *testing.T) []string { return tuitest.Examples(t) }

func events(t *testing.T, name string) []journal.Event {
	t.Helper()
	return tuitest.Example(t, name, 0)
}

// upTo is the timeline of a journal at a time; 0 is its end.
func upTo(t *testing.T, name string, at time.Duration) *journal.Timeline {
	t.Helper()
	timeline := journal.NewTimeline()
	for _, e := range events(t, name) {
		if at > 0 && e.At() > at {
			break
		}
		timeline.Apply(e)
	}
	return timeline
}

// fits fails for every line wider than width.
func fits(t *testing.T, text string, width int) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("a line has %d cells, want at most %d:\n%s", w, width, line)
		}
	}
}

var looks = map[string]Options{"plain": {}, "color": {Color: true}, "ascii": {ASCII: true}}

func TestSummaries(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		for look, o := range looks {
			t.Run(name+" "+look, func(t *testing.T) {
				t.Parallel()
				var all bytes.Buffer
				timeline := upTo(t, name, 0)
				for _, width := range []int{60, 80, 140} {
					o.Width, o.Title = width, "vksync simulate"
					fmt.Fprintf(&all, "== %d\n", width)
					var one bytes.Buffer
					if err := Summary(&one, timeline, o); err != nil {
						t.Fatal(err)
					}
					fits(t, one.String(), width)
					all.Write(one.Bytes())
				}
				if look == "ascii" && !isASCII(all.String()) {
					t.Error("it is not ASCII")
				}
				golden(t, "summary-"+name+"-"+look, all.String())
			})
		}
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

func TestForecasts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fleet", "reached"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := Forecast(&out, upTo(t, name, 0), Options{}); err != nil {
				t.Fatal(err)
			}
			fits(t, out.String(), 80)
			golden(t, "forecast-"+name, out.String())
		})
	}
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			d := newPlain(&out, Options{Color: true})
			for _, e := range events(t, name) {
				d.Event(e)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Error("there are control codes")
			}
			golden(t, "plain-"+name, out.String())
		})
	}
}

// A fleet of many clusters must not scroll for each object: a phase of a cluster
// has a line when it begins and one when it ends.
func TestPlainLinesGrowWithPhasesNotWithEvents(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := newPlain(&out, Options{})
	all := events(t, "many")
	for _, e := range all {
		d.Event(e)
	}
	goals := len(all[0].Begin.Goals)
	if lines := strings.Count(out.String(), "\n"); lines > goals*18 {
		t.Errorf("%d lines for %d goals, want at most 18 for each", lines, goals)
	}
}
