package paint

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

func TestStretches(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := map[string]struct {
		spans []phase.Span
		want  []stretch
	}{
		"spans snap to cells": {
			[]phase.Span{{ID: "1", Start: 0, End: 20 * s}, {ID: "2", Start: 20 * s, End: 50 * s}, {ID: "4", Start: 50 * s, End: 100 * s}},
			[]stretch{{"1", 0, 2}, {"2", 2, 5}, {"4", 5, 10}},
		},
		"a first stay gets a cell however short": {
			[]phase.Span{{ID: "0", Start: 0, End: 1}, {ID: "1", Start: 1, End: 2}, {ID: "2", Start: 2, End: 100 * s}},
			[]stretch{{"0", 0, 1}, {"1", 1, 2}, {"2", 2, 10}},
		},
		"a later stay shorter than a cell is left out": {
			[]phase.Span{{ID: "3c", Start: 0, End: 40 * s}, {ID: "4", Start: 40 * s, End: 70 * s}, {ID: "3c", Start: 70 * s, End: 70*s + 1}, {ID: "4", Start: 70*s + 1, End: 100 * s}},
			[]stretch{{"3c", 0, 4}, {"4", 4, 10}},
		},
		"a span that lasts ends now": {
			[]phase.Span{{ID: "1", Start: 0, End: phase.NotYet}},
			[]stretch{{"1", 0, 10}},
		},
		"a gap stays a gap": {
			[]phase.Span{{ID: "1", Start: 0, End: 20 * s}, {ID: "4", Start: 60 * s, End: 100 * s}},
			[]stretch{{"1", 0, 2}, {"4", 6, 10}},
		},
		"nothing is drawn behind the axis": {
			[]phase.Span{{ID: "1", Start: 0, End: 100 * s}, {ID: "2", Start: 100 * s, End: 100 * s}},
			[]stretch{{"1", 0, 10}},
		},
	}
	a := Axis{Total: 100 * s, Width: 11}
	for name, tt := range tests {
		if diff := cmp.Diff(tt.want, a.stretches(tt.spans, 100*s), cmp.AllowUnexported(stretch{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAxisEndsSoonAfterTheLastMove(t *testing.T) {
	t.Parallel()
	done := journal.Row{Progress: phase.Progress{End: 8 * time.Minute}}
	stuck := journal.Row{Progress: phase.Progress{End: phase.NotYet, Spans: []phase.Span{{ID: phase.Workers, Start: 3 * time.Minute, End: phase.NotYet}}}}
	tests := map[string]struct {
		rows    []journal.Row
		elapsed time.Duration
		want    time.Duration
	}{
		"all is reached":              {[]journal.Row{done}, 8 * time.Minute, 8 * time.Minute},
		"one stood still for long":    {[]journal.Row{done, stuck}, 30 * time.Minute, 10 * time.Minute},
		"one stood still for a while": {[]journal.Row{done, stuck}, 11 * time.Minute, 11 * time.Minute},
		"nothing ever moved":          {nil, 30 * time.Minute, 30 * time.Minute},
	}
	for name, tt := range tests {
		if got := AxisOf(tt.rows, tt.elapsed, 40).Total; got != tt.want {
			t.Errorf("%s: the axis ends at %v, want %v", name, got, tt.want)
		}
	}
}

func TestAxisLabelsNeverTouch(t *testing.T) {
	t.Parallel()
	for _, total := range []time.Duration{0, time.Second, 42 * time.Second, 7 * time.Minute, 3 * time.Hour, 40 * 24 * time.Hour} {
		for _, width := range []int{8, 30, 55, 120} {
			labels, rule := Axis{Total: total, Width: width}.Draw(New(Options{ASCII: true}))
			if len(labels) != width || len(rule) != width {
				t.Errorf("%v on %d: %d and %d cells", total, width, len(labels), len(rule))
			}
		}
	}
}

func TestCleanLeavesNothingThatControlsTheTerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\x1b[2Jb\x07c":          "ab c",
		"two  blanks\r\nand\ttab": "two blanks and tab",
		"c1\u009b31m":             "c1 31m",
		"right\u202etfel":         "right tfel",
		"チーム/prod":                "チーム/prod",
	} {
		if got := Clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWrapKeepsNamesWhole(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
	}{
		"names with hyphens are words":     {"VM prod-np-2bjd5 waits", []string{"VM", "prod-np-2bjd5", "waits"}},
		"words are gathered":               {"a b c d e f g h", []string{"a b c d e f g", "h"}},
		"what is too long alone is broken": {"x 0123456789abcdef y", []string{"x", "0123456789abcd", "ef y"}},
	}
	for name, tt := range tests {
		if got := Wrap(tt.text, 14); strings.Join(got, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestWideNamesKeepTheirEnd(t *testing.T) {
	t.Parallel()
	th := New(Options{})
	got := th.CutLeft("チーム/production", 10)
	if ansi.StringWidth(got) > 10 || !strings.HasSuffix(got, "duction") || !strings.HasPrefix(got, "…") {
		t.Errorf("got %q", got)
	}
}
