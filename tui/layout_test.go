package tui

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	tty, file := Terminal{TTY: true}, Terminal{}
	tests := map[string]struct {
		on    Terminal
		asked Mode
		want  Mode
		fails bool
	}{
		"a terminal gets the live display":   {on: tty, asked: Auto, want: Live},
		"a file gets lines":                  {on: file, asked: Auto, want: Plain},
		"nothing asked is auto":              {on: file, want: Plain},
		"lines on a terminal":                {on: tty, asked: Plain, want: Plain},
		"quiet anywhere":                     {on: file, asked: Quiet, want: Quiet},
		"live is refused where it cannot be": {on: file, asked: Live, fails: true},
		"what is not known is refused":       {on: tty, asked: "fancy", fails: true},
	}
	for name, tt := range tests {
		got, err := Choose(tt.on, tt.asked)
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestDetectReadsTheEnvironment(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tests := map[string]struct {
		env  []string
		want Terminal
	}{
		"no locale":                  {nil, Terminal{ASCII: true}},
		"a locale of UTF-8":          {[]string{"LANG=en_US.UTF-8"}, Terminal{}},
		"LC_ALL goes before LANG":    {[]string{"LANG=en_US.UTF-8", "LC_ALL=C"}, Terminal{ASCII: true}},
		"an empty LC_ALL is not set": {[]string{"LANG=C.utf8", "LC_ALL="}, Terminal{}},
	}
	for name, tt := range tests {
		if diff := cmp.Diff(tt.want, Detect(f, append(tt.env, "TERM=xterm"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	tests := []struct {
		d                     time.Duration
		clock, stamp, seconds string
	}{
		{0, "0:00", "+00:00.000", "0.0s"},
		{134500 * time.Millisecond, "2:15", "+02:14.500", "2m14.5s"},
		{59 * time.Second, "0:59", "+00:59.000", "59.0s"},
		{hour + 2*time.Minute + 3*time.Second, "1:02:03", "+1:02:03.000", "62m03.0s"},
	}
	for _, tt := range tests {
		got := [3]string{clock(tt.d), stamp(tt.d), seconds(tt.d)}
		if want := [3]string{tt.clock, tt.stamp, tt.seconds}; got != want {
			t.Errorf("%v: got %v, want %v", tt.d, got, want)
		}
	}
}

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
	a := axis{total: 100 * s, width: 11}
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
		if got := axisOf(tt.rows, tt.elapsed, 40).total; got != tt.want {
			t.Errorf("%s: the axis ends at %v, want %v", name, got, tt.want)
		}
	}
}

func TestAxisLabelsNeverTouch(t *testing.T) {
	t.Parallel()
	for _, total := range []time.Duration{0, time.Second, 42 * time.Second, 7 * time.Minute, 3 * time.Hour, 40 * 24 * time.Hour} {
		for _, width := range []int{8, 30, 55, 120} {
			labels, rule := axis{total: total, width: width}.draw(newTheme(Options{ASCII: true}))
			if len(labels) != width || len(rule) != width {
				t.Errorf("%v on %d: %d and %d cells", total, width, len(labels), len(rule))
			}
		}
	}
}
