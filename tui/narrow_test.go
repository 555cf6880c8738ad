package tui

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// Whatever the width, a line that is too long is cut and shows it; a terminal
// never has to wrap.
func TestNarrowTerminalsCutAndNeverWrap(t *testing.T) {
	t.Parallel()
	for _, name := range names(t) {
		timeline := upTo(t, name, 0)
		for _, width := range []int{1, 10, 20, 30, 39} {
			o := Options{Width: width, Height: 12, Title: "vksync simulate", Speed: 60}
			var summary, forecast bytes.Buffer
			if err := Summary(&summary, timeline, o); err != nil {
				t.Fatal(err)
			}
			if err := Forecast(&forecast, timeline, o); err != nil {
				t.Fatal(err)
			}
			fits(t, summary.String(), width)
			fits(t, forecast.String(), width)
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

func TestAskingForALiveDisplayWithoutATerminalNamesOtherChoices(t *testing.T) {
	t.Parallel()
	_, err := Choose(Terminal{}, Live)
	if err == nil || !strings.Contains(err.Error(), "use plain or auto") {
		t.Errorf("got %v", err)
	}
}
