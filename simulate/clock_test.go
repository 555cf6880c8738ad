package simulate

import (
	"slices"
	"testing"
	"time"
)

func TestTheClockCallsInOrderOfTimeAndThenOfAsking(t *testing.T) {
	t.Parallel()
	c := clock{now: Epoch}
	var got []string
	note := func(s string) func() { return func() { got = append(got, s+" at "+c.Now().Sub(Epoch).String()) } }
	c.AfterFunc(2*time.Second, note("late"))
	c.AfterFunc(time.Second, func() {
		note("first")()
		c.AfterFunc(0, note("asked for at the same instant"))
	})
	c.AfterFunc(time.Second, note("second"))
	c.AfterFunc(-time.Hour, note("in the past"))
	for at, any := c.next(); any; at, any = c.next() {
		c.advance(at)
	}
	want := []string{"in the past at 0s", "first at 1s", "second at 1s", "asked for at the same instant at 1s", "late at 2s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
