package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// An input is a journal that is being read. Reading ends when the command is
// interrupted, also while nothing comes.
type input struct {
	name string
	file *os.File // nil for standard input
	from io.Reader
	ctx  context.Context // of the command, which an input does not outlive
	err  error           // why it could not be read on; nil at its end
}

// open opens the journal.
func (o *reportOptions) open(ctx context.Context, stdin io.Reader) (*input, error) {
	if o.journal == "-" {
		return &input{name: "standard input", from: stdin, ctx: ctx}, nil
	}
	f, err := os.Open(o.journal)
	if err != nil {
		return nil, fmt.Errorf("no journal: %w", err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s is a directory, and not a journal: name the file that --journal wrote", o.journal), f.Close())
	}
	return &input{name: o.journal, file: f, from: f, ctx: ctx}, nil
}

// Read reads on, unless the command is interrupted before anything comes. Then the
// program ends, and with it the read that still waits.
func (i *input) Read(p []byte) (int, error) {
	type read struct {
		n   int
		err error
	}
	done := make(chan read, 1)
	go func() {
		n, err := i.from.Read(p)
		done <- read{n, err}
	}()
	select {
	case <-i.ctx.Done():
		i.err = context.Canceled
		return 0, i.err
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			i.err = r.err
		}
		return r.n, r.err
	}
}

func (i *input) Close() error {
	if i.file == nil {
		return nil
	}
	return i.file.Close()
}

// An output is a file that comes to be whole or not at all. The nil output is
// standard output.
type output struct {
	path string
	file *os.File // beside it, until it is whole
}

// createOutput begins a file at path, which may replace a file but not the one
// that is read; an empty path makes none.
func createOutput(path string, reads *os.File) (*output, error) {
	if path == "" {
		return nil, nil
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays one
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, invalid(fmt.Errorf("--out: %w", err))
	case info.IsDir():
		return nil, invalid(fmt.Errorf("--out %s is a directory: name a file in it", path))
	case !info.Mode().IsRegular():
		return nil, invalid(fmt.Errorf("--out %s is not a file: leave --out away and let the shell write there", path))
	case reads != nil:
		if from, err := reads.Stat(); err == nil && os.SameFile(info, from) {
			return nil, invalid(fmt.Errorf("--out %s is the journal itself: name another file", path))
		}
	}
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".vksync-report-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less the umask: it is there to be passed on
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("--out %s: a file cannot be made in %s: %w", path, filepath.Dir(path), err)
	}
	return &output{path: path, file: f}, nil
}

// to is where to write.
func (o *output) to(stdout io.Writer) io.Writer {
	if o == nil {
		return stdout
	}
	return o.file
}

// keep puts the file in its place.
func (o *output) keep() error {
	if o == nil {
		return nil
	}
	err := errors.Join(o.file.Sync(), o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.path)
	}
	if err != nil {
		return fmt.Errorf("writing --out %s: %w", o.path, errors.Join(err, os.Remove(o.file.Name())))
	}
	return nil
}

// drop leaves what was at path as it was.
func (o *output) drop() error {
	if o == nil {
		return nil
	}
	return errors.Join(o.file.Close(), os.Remove(o.file.Name()))
}
