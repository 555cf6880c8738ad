package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
	"github.com/vksync/vksync/tui/dashboard"
)

// A printer is the outlet where there is no terminal: lines that are only added.
type printer struct {
	ctx     context.Context // of the displays, which draw nothing
	mode    tui.Mode
	out     io.Writer
	errs    io.Writer
	options tui.Options
	// named says that there may be several streams, so that lines say which is theirs.
	named bool

	mu      sync.Mutex // guards what is below, and the lines
	streams map[string]*printed
	order   []*printed
	failed  error
}

// print prints an origin until it ends or the user ends it.
func (o *dashboardOptions) print(ctx context.Context, io streams, from origin) error {
	_, named := from.(*followedDaemon)
	p := &printer{
		ctx: ctx, mode: o.mode, out: io.out, errs: io.errs, named: named, streams: map[string]*printed{},
		options: tui.Detect(io.out, os.Environ()).Options(),
	}
	p.options.Title, p.options.Left = "vksync dashboard", true
	err := errors.Join(from.run(ctx, p), p.close())
	if err == nil && ctx.Err() != nil {
		return outcome{code: exitInterrupted}
	}
	return err
}

func (p *printer) stream(name string) channel {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.streams[name]
	if s == nil {
		s = &printed{printer: p, name: name}
		p.streams[name], p.order = s, append(p.order, s)
	}
	return s
}

// close ends what has not ended, with its summary.
func (p *printer) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.order {
		s.end()
	}
	return p.failed
}

// printed is a stream of a printer.
type printed struct {
	*printer
	name    string
	display tui.Display // of the journal that has begun; nil when there is none
	link    dashboard.ConnectionState
}

// Events prints events. Each journal has a display of its own.
func (s *printed) Events(events []journal.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if e.Begin != nil {
			s.end()
			s.begin()
		}
		if s.display == nil {
			continue
		}
		s.display.Event(e)
		if e.End != nil {
			s.end()
		}
	}
}

func (s *printed) begin() {
	o := s.options
	if s.named {
		o.Title += " " + s.name
		o.Name = s.name
	}
	if s.named && s.mode == tui.JSON {
		s.display = &tagged{out: s.out, name: s.name}
		return
	}
	s.display = tui.Start(s.ctx, s.mode, nil, s.out, o, nil)
}

func (s *printed) end() {
	if s.display != nil {
		s.failed = errors.Join(s.failed, s.display.Close())
		s.display = nil
	}
}

// Connect says when a source is lost, and when it is there again.
func (s *printed) Connect(c dashboard.Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.link
	s.link = c.State
	switch {
	case c.State == was, c.State == dashboard.Connecting:
		if was == dashboard.Lost {
			s.link = dashboard.Lost // it is, until it is followed again
		}
		return
	case c.State == dashboard.Lost:
		s.say("lost: " + c.Detail)
	case c.State == dashboard.Ended:
		s.say(c.Detail)
	case was == dashboard.Lost:
		s.say("there again")
	}
}

// say tells it on stderr, where there is nobody else to tell when that fails.
func (s *printed) say(text string) {
	_, _ = fmt.Fprintf(s.errs, "vksync: %s: %s\n", s.name, shown(text))
}

// tagged writes the journals of several streams: lines of JSON that say of which.
type tagged struct {
	out    io.Writer
	name   string
	buffer bytes.Buffer
	err    error // the first that happened
}

// Event writes an event with the name of its stream before the rest.
func (t *tagged) Event(e journal.Event) {
	if t.err != nil {
		return
	}
	t.buffer.Reset()
	name, err := json.Marshal(t.name)
	if err == nil {
		err = journal.NewEncoder(&t.buffer).Encode(e)
	}
	if err == nil {
		_, err = fmt.Fprintf(t.out, `{"stream":%s,%s`, name, t.buffer.Bytes()[1:])
	}
	t.err = err
}

// Close reports the first error of writing.
func (t *tagged) Close() error { return t.err }
