package replay

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// lines are a journal of n events, one each second, of which the last is the end
// unless n is negative: then there is none.
func lines(t testing.TB, n int) []string {
	t.Helper()
	var text strings.Builder
	e := journal.NewEncoder(&text)
	open := n < 0
	n = max(n, -n)
	for i := range n {
		event := journal.Event{Seq: i, T: int64(i) * 1000, Object: &journal.Object{Change: resource.Change{Kind: "Machine", Name: fmt.Sprint(i)}}}
		switch {
		case i == 0:
			event.Object, event.Begin = nil, &journal.Begin{Version: journal.Version}
		case i == n-1 && !open:
			event.Object, event.End = nil, &journal.End{Outcome: journal.Reached}
		}
		if err := e.Encode(event); err != nil {
			t.Fatal(err)
		}
	}
	all := strings.SplitAfter(text.String(), "\n")
	return all[:n]
}

func write(t testing.TB, text ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	joined := strings.Join(text, "")
	if err := os.WriteFile(path, []byte(joined), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// screen keeps what a sink has been told since the last Begin.
type screen struct {
	mu     sync.Mutex
	events []int
	begun  int
}

func (s *screen) Events(events []journal.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if e.Begin != nil {
			s.events = nil
			s.begun++
		}
		s.events = append(s.events, e.Seq)
	}
}

// check fails unless the events are those before n.
func (s *screen) check(t *testing.T, what string, n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) != n {
		t.Errorf("%s: %d events are shown, want %d", what, len(s.events), n)
	}
	for i, seq := range s.events {
		if i != seq {
			t.Fatalf("%s: event %d is shown as number %d", what, seq, i)
		}
	}
}

// played runs f beside a Player, in a bubble with a clock of its own.
func played(t *testing.T, o Options, f func(*Player, *screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { play(t, o, f) })
}

func play(t *testing.T, o Options, f func(*Player, *screen)) {
	t.Helper()
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &screen{}
	done := make(chan error)
	go func() { done <- p.Run(ctx, s) }()
	synctest.Wait()
	f(p, s)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// settle lets the Player do what it was asked for.
func settle(d time.Duration) {
	time.Sleep(d + time.Microsecond)
	synctest.Wait()
}

func TestAJournalIsPlayedAtItsSpeed(t *testing.T) {
	t.Parallel()
	played(t, Options{Path: write(t, lines(t, 101)...), Speed: 2}, func(p *Player, s *screen) {
		s.check(t, "at once", 1)
		if got := p.State(); got.Total != 100*time.Second || got.Events != 101 {
			t.Errorf("the extent is %+v", got)
		}
		settle(5 * time.Second)
		s.check(t, "after 5 s at x2", 11)
		p.Faster()
		settle(0)
		settle(2 * time.Second)
		s.check(t, "after 2 s at x4", 19)
		p.Toggle()
		settle(time.Hour)
		s.check(t, "after an hour of pause", 19)
		if got := p.State(); got.Playing || got.Speed != 4 {
			t.Errorf("paused it is %+v", got)
		}
		p.Toggle()
		p.Slower()
		p.Slower()
		p.Slower() // there is nothing slower than x1
		settle(0)
		settle(3 * time.Second)
		s.check(t, "after 3 s at x1", 22)
		settle(time.Hour)
		s.check(t, "after an hour", 101)
		if got := p.State(); got.Playing || got.At != 100*time.Second || got.Note != "" {
			t.Errorf("at the end it is %+v", got)
		}
		p.Toggle() // from the start
		settle(0)
		settle(2 * time.Second)
		s.check(t, "2 s into the second time", 3)
	})
}

func TestAJournalIsGoneThrough(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]int64{"kept": keep, "read again": 2000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			played(t, Options{Path: write(t, lines(t, 1000)...), Speed: 1}, func(p *Player, s *screen) {
				p.ask(func() { p.tape.bound = bound })
				for _, step := range []struct {
					name string
					do   func()
					want int
				}{
					{"pause", p.Toggle, 1},
					{"step", func() { p.Step(1) }, 2},
					{"steps", func() { p.Step(1); p.Step(1); p.Step(1) }, 5},
					{"step back", func() { p.Step(-1) }, 4},
					{"steps back past the start", func() { p.Step(-10) }, 1},
					{"10 s on", func() { p.Seek(10 * time.Second) }, 11},
					{"5 min on, in parts", func() {
						for range 5 {
							p.Seek(time.Minute)
						}
					}, 311},
					{"1 min back", func() { p.Seek(-time.Minute) }, 251},
					{"end", p.End, 1000},
					{"past the end", func() { p.Seek(time.Minute) }, 1000},
					{"back from the end", func() { p.Step(-1) }, 999},
					{"back from the end, at once", func() { p.Start(); p.End(); p.Step(-2) }, 998},
					{"start", p.Start, 1},
					{"before the start", func() { p.Seek(-time.Minute) }, 1},
					{"between two events", func() { p.Seek(1500 * time.Millisecond) }, 2},
					{"and on", func() { p.Seek(500 * time.Millisecond) }, 3},
				} {
					step.do()
					settle(0)
					s.check(t, step.name, step.want)
				}
			})
		})
	}
}

func TestWhereAJournalEnds(t *testing.T) {
	t.Parallel()
	whole := lines(t, 10)
	for _, test := range []struct {
		name, text, note string
		shown            int
	}{
		{"whole", strings.Join(whole, ""), "", 10},
		{"in the middle of a line", strings.Join(whole[:6], "") + whole[6][:20], "the journal ends in the middle of event 7: ", 6},
		{"without its last line feed", strings.TrimSuffix(strings.Join(whole, ""), "\n"), "the journal ends in the middle of event 10: ", 9},
		{"between two lines", strings.Join(whole[:6], ""), "the journal ends after event 6 and not with an end: ", 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			played(t, Options{Path: write(t, test.text), Speed: 1000}, func(p *Player, s *screen) {
				settle(time.Minute)
				s.check(t, test.name, test.shown)
				if got := p.State(); !strings.HasPrefix(got.Note, test.note) || (got.Note == "") != (test.note == "") || got.Playing || got.Err != nil {
					t.Errorf("the state is %+v, want the note %q", got, test.note)
				}
			})
		})
	}
}

func TestWhatIsNoJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, test := range map[string]struct{ path, want string }{
		"no file":      {filepath.Join(dir, "none"), "no such file"},
		"a directory":  {dir, "is a directory: want the file of --journal"},
		"nothing":      {write(t), "run.jsonl is empty"},
		"text":         {write(t, "hello\n"), "run.jsonl:1: not an event"},
		"half a line":  {write(t, lines(t, 2)[0][:9]), "run.jsonl:1: the journal ends in the middle of its first event"},
		"half a story": {write(t, lines(t, 3)[1:]...), "run.jsonl:1: seq is 1, want 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Open(Options{Path: test.path}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// A line that is no event stops the replay there, and not the way back from it.
func TestALineInTheMiddleThatIsNoEvent(t *testing.T) {
	t.Parallel()
	all := lines(t, 20)
	all[12] = "{\n"
	o := Options{Path: write(t, all...), Speed: 1000}
	synctest.Test(t, func(t *testing.T) {
		p, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s := &screen{}
		done := make(chan error)
		go func() { done <- p.Run(ctx, s) }()
		settle(time.Minute)
		s.check(t, "before it", 12)
		if got := p.State(); got.Err == nil || !strings.Contains(got.Err.Error(), "run.jsonl:13: not an event") {
			t.Errorf("the state is %+v", got)
		}
		p.Step(-1)
		settle(0)
		s.check(t, "back", 11)
		cancel()
		if err := <-done; err == nil || !strings.Contains(err.Error(), "run.jsonl:13: not an event") {
			t.Errorf("it ended with %v", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAJournalIsFollowedAsItGrows(t *testing.T) {
	t.Parallel()
	all := lines(t, 100)
	path := write(t, all[:50]...)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	add := func(text string) {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	played(t, Options{Path: path, Speed: 100, Follow: true}, func(p *Player, s *screen) {
		s.check(t, "at its end", 50)
		if got := p.State(); !got.Waiting || !got.Playing || got.Note != "waiting for what comes after event 50" {
			t.Errorf("at its end it is %+v", got)
		}
		add(all[50] + all[51][:7])
		settle(time.Second)
		s.check(t, "with half an event", 51)
		add(all[51][7:])
		settle(time.Second)
		s.check(t, "with the other half", 52)
		p.Step(-2)
		settle(0)
		add(strings.Join(all[52:], ""))
		settle(time.Second)
		s.check(t, "paused", 50)
		p.Toggle()
		settle(time.Minute)
		s.check(t, "to the end", 100)
		if got := p.State(); got.Note != "" || got.Events != 100 {
			t.Errorf("at the end it is %+v", got)
		}
	})
}

// Who runs again with the same --journal makes another file of the same name.
func TestAFollowedJournalIsReplaced(t *testing.T) {
	t.Parallel()
	path := write(t, lines(t, 50)...)
	played(t, Options{Path: path, Speed: 1000, Follow: true}, func(p *Player, s *screen) {
		s.check(t, "the first", 50)
		if err := os.WriteFile(path, []byte(strings.Join(lines(t, -20), "")), 0o600); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Second)
		s.check(t, "the second, shorter, in its place", 20)
		other := write(t, lines(t, 30)...)
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Second)
		s.check(t, "the third, another file", 30)
	})
}

// Once plays what there is and ends, as far as it can.
func TestAJournalIsPlayedOnce(t *testing.T) {
	t.Parallel()
	all := lines(t, 3000)
	bad := append(append([]string{}, all[:7]...), "{}\n")
	for name, test := range map[string]struct {
		o     Options
		shown int
		err   string
	}{
		"a file":              {Options{Path: write(t, all...)}, 3000, ""},
		"a file at a speed":   {Options{Path: write(t, lines(t, 5)...), Speed: 1000}, 5, ""},
		"a file that is cut":  {Options{Path: write(t, all[:9]...)}, 9, ""},
		"one that is wrong":   {Options{Path: write(t, bad...)}, 7, "run.jsonl:8: an event without content"},
		"a pipe":              {Options{Path: "-", Stdin: strings.NewReader(strings.Join(all, ""))}, 3000, ""},
		"a run that is ended": {Options{Path: write(t, all...), Follow: true}, 3000, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.o.Once = true
			p, err := Open(test.o)
			if err != nil {
				t.Fatal(err)
			}
			s := &screen{}
			err = p.Run(t.Context(), s)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("it ended with %v, want %q", err, test.err)
			}
			s.check(t, name, test.shown)
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// slowPipe gives a line at a time, and says when it is asked for the next one.
type slowPipe struct {
	lines []string
	next  chan struct{}
}

func (p *slowPipe) Read(b []byte) (int, error) {
	<-p.next
	if len(p.lines) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.lines[0])
	p.lines = p.lines[1:]
	return n, nil
}

func TestAPipeIsPlayedAsItComes(t *testing.T) {
	t.Parallel()
	all := lines(t, 5)
	synctest.Test(t, func(t *testing.T) {
		pipe := &slowPipe{lines: all, next: make(chan struct{})}
		play(t, Options{Path: "-", Stdin: pipe, Speed: 1000}, func(p *Player, s *screen) {
			s.check(t, "before the first", 0)
			for n := range 5 {
				pipe.next <- struct{}{}
				settle(time.Second)
				s.check(t, "one more", n+1)
			}
			p.Step(-3)
			settle(0)
			s.check(t, "and back", 2)
			close(pipe.next)
		})
	})
}

func TestTheLengthOfAJournalIsReadFromItsEnd(t *testing.T) {
	t.Parallel()
	all := strings.Join(lines(t, 2000), "")
	for name, test := range map[string]struct {
		text string
		want extent
	}{
		"whole":            {all, extent{2000, 1999_000}},
		"cut":              {all[:len(all)-5], extent{1999, 1998_000}},
		"a long last line": {all + `{"seq":2000,"t_ms":7,"x":"` + strings.Repeat("x", 1<<20) + "\"}\n", extent{2001, 7}},
		"one line":         {lines(t, 2)[0], extent{1, 0}},
		"no line":          {"xx", extent{}},
		"no event":         {"xx\n", extent{}},
		"nothing":          {"", extent{}},
	} {
		if got := extentOf(strings.NewReader(test.text), int64(len(test.text))); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// Whatever is in a file is played or refused, and gone back in.
func FuzzPlay(f *testing.F) {
	all := strings.Join(lines(f, 5), "")
	for _, text := range []string{all, all[:len(all)-4], "", "{}\n", all + "{", strings.Replace(all, `"seq":4`, `"seq":999999999`, 1), strings.Replace(all, `"t_ms":4000`, `"t_ms":9223372036854775807`, 1)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Open(Options{Path: write(t, string(text)), Once: true})
		if err != nil {
			return
		}
		s := &screen{}
		err = p.Run(t.Context(), s)
		first := len(s.events)
		p.End()
		p.Step(-1)
		p.Seek(time.Hour)
		p.Start()
		p.End()
		again := p.Run(t.Context(), s)
		if (err == nil) != (again == nil) || err == nil && len(s.events) != first { // what is wrong ends it at once
			t.Errorf("at first %d events and %v, then %d and %v", first, err, len(s.events), again)
		}
		if state := p.State(); state.Seeking > 1 {
			t.Errorf("the state is %+v", state)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}
