package schema

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/vksync/vksync/reconcile/resource"
)

// ServeEvaluator evaluates what the Evaluator that started this process sends on
// in, and answers on out, until in ends. It restricts the process for good: its
// memory, and that it opens nothing more. It returns an error where in is not
// from an Evaluator of the same build.
func ServeEvaluator(in io.Reader, out io.Writer) error { return serve(in, out, restrict) }

func serve(in io.Reader, out io.Writer, restrict func(limits) error) error {
	s := &server{out: out, frames: make(chan frame), answers: make(chan frame, 1), gone: make(chan struct{})}
	r := bufio.NewReader(in)
	hello, err := readFrame(r, maxFrameBytes)
	if err != nil || hello.kind != frameHello {
		return errors.New("this command is run by vksync itself: nothing that it understands came on standard input")
	}
	l, err := decodeLimits(hello.data)
	// The parent compares and says what is wrong.
	if sent := writeFrame(out, frameHello, limits{}.encode()); err != nil || sent != nil {
		return errors.Join(err, sent)
	}
	if err := restrict(l); err != nil {
		return fmt.Errorf("limiting the process: %w", err)
	}
	compiled()
	defer close(s.gone)
	go s.receive(r)
	for f := range s.frames {
		if err := s.unit(f); err != nil {
			return err
		}
	}
	return nil
}

// server is the child's side.
type server struct {
	out     io.Writer
	frames  chan frame    // units; closed when the parent is gone
	answers chan frame    // to what was asked; closed as well
	gone    chan struct{} // closed when the server is
}

// receive sorts what comes in. It reads all the time, so that the process ends
// with its parent also amid an evaluation that does not.
func (s *server) receive(r *bufio.Reader) {
	defer close(s.frames)
	defer close(s.answers)
	for {
		f, err := readFrame(r, maxFrameBytes)
		if err != nil {
			return
		}
		if f.kind != frameUnit {
			select {
			case s.answers <- f:
				continue
			default:
				return // an answer to nothing
			}
		}
		select {
		case s.frames <- f:
		case <-s.gone:
			return
		}
	}
}

// unit evaluates one unit and sends the result.
func (s *server) unit(f frame) error {
	u, content, has, err := decodeUnit(f.data)
	if err != nil {
		return err
	}
	done := make(chan []byte, 1)
	go func() {
		r := &repo{fsys: &asking{server: s, own: u.file, content: content, has: has}, patient: true}
		done <- encodeResult(u, r.load(u))
	}()
	select {
	case result := <-done:
		return writeFrame(s.out, frameResult, result)
	case _, more := <-s.frames:
		if more {
			return errors.New("a unit before the last was done")
		}
		return errors.New("the parent is gone")
	}
}

func encodeResult(u unit, result loaded) []byte {
	var e encoder
	if e.loaded(result); len(e.data) > maxFrameBytes {
		e.data = nil
		e.loaded(loaded{problems: Problems{{
			Pos: resource.Position{File: u.name()}, Message: fmt.Sprintf("the result has more than %d MiB", maxFrameBytes>>20), Hint: "split it into several files or packages",
		}}})
	}
	return e.data
}

// asking is the file system of a repo, served by the parent.
type asking struct {
	*server
	own     string // the unit's own file, whose content came with it
	content []byte
	has     bool
}

func (a *asking) ask(op, name string, kind byte) (frame, error) {
	fail := func(err error) (frame, error) { return frame{}, &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) || len(name) > maxPathBytes {
		return fail(fs.ErrInvalid)
	}
	if err := writeFrame(a.out, kind, []byte(name)); err != nil {
		return fail(err)
	}
	f, more := <-a.answers
	switch {
	case !more:
		return fail(io.ErrUnexpectedEOF)
	case f.kind == frameError:
		d := decoder{data: f.data}
		if problem := d.problem(); d.end() == nil {
			return fail(unreadable{problem})
		}
		return fail(d.err)
	}
	return f, nil
}

// unreadable is the reason that the parent gives for not reading something.
type unreadable struct{ problem Problem }

func (u unreadable) Error() string { return u.problem.Message }

// Open opens a file.
func (a *asking) Open(name string) (fs.File, error) {
	if name == a.own && a.has {
		return &openText{name: name, Reader: bytes.NewReader(a.content)}, nil
	}
	f, err := a.ask("open", name, frameRead)
	if err != nil {
		return nil, err
	}
	return &openText{name: name, Reader: bytes.NewReader(f.data)}, nil
}

// ReadDir lists what of a directory can matter.
func (a *asking) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := a.ask("readdir", name, frameList)
	if err != nil {
		return nil, err
	}
	entries, err := decodeEntries(f.data)
	if err != nil {
		return nil, err
	}
	listed := make([]fs.DirEntry, len(entries))
	for i, one := range entries {
		listed[i] = one
	}
	return listed, nil
}

func (e entry) Name() string { return e.name }
func (e entry) IsDir() bool  { return e.isDir }
func (e entry) Type() fs.FileMode {
	if e.isDir {
		return fs.ModeDir
	}
	return 0
}
func (e entry) Info() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
