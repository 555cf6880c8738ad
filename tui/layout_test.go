package tui

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/tui/paint"
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
		got := [3]string{paint.Clock(tt.d), paint.Stamp(tt.d), seconds(tt.d)}
		if want := [3]string{tt.clock, tt.stamp, tt.seconds}; got != want {
			t.Errorf("%v: got %v, want %v", tt.d, got, want)
		}
	}
}
