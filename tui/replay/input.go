package replay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// An input is an open journal: a file, or what comes out of a pipe, which goes
// to a file without a name, so that it can be gone back in.
type input struct {
	name   string // for people
	path   string // empty for standard input
	follow bool
	file   *os.File

	mu      sync.Mutex // guards what is below
	flowing bool       // the pipe has not ended
	broken  error      // why it has
}

// openInput opens the journal at path; "-" is stdin.
func openInput(path string, stdin io.Reader, follow bool) (*input, error) {
	if path == "-" {
		in := &input{name: "standard input"}
		return in, in.catch(stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	in := &input{name: path, path: path, follow: follow, file: f}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		err = fmt.Errorf("%s is a directory: want the file of --journal", path)
	case err == nil && !info.Mode().IsRegular():
		in.path = ""
		return in, in.catch(f)
	}
	if err != nil {
		_ = f.Close()
	}
	return in, err
}

// catch has what comes out of a pipe written to a file. It goes on as long as the
// pipe does: nothing ends the reading of one.
func (in *input) catch(pipe io.Reader) error {
	f, err := os.CreateTemp("", "vksync-journal-*")
	if err != nil {
		return fmt.Errorf("keeping the journal that comes from %s: %w", in.name, err)
	}
	// Where a file that is open can be removed it goes with the process, however that ends.
	_ = os.Remove(f.Name())
	in.file, in.flowing = f, true
	go func() {
		_, err := io.Copy(f, pipe)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.flowing = false
		if err != nil && !errors.Is(err, os.ErrClosed) {
			in.broken = fmt.Errorf("reading %s: %w", in.name, err)
		}
	}()
	return nil
}

// grows says whether there may be more at a later time, and why not when that is
// because of an error.
func (in *input) grows() (bool, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.follow || in.flowing, in.broken
}

// replaced says whether another journal has taken the place of one that is
// followed: the file was cut to less than what was read, or another one has its name.
func (in *input) replaced(read int64) bool {
	if !in.follow || in.path == "" {
		return false
	}
	now, err := os.Stat(in.path)
	if err != nil {
		return false // it may come back
	}
	was, err := in.file.Stat()
	return err == nil && (!os.SameFile(was, now) || now.Size() < read)
}

// reopen takes the file that has the name now.
func (in *input) reopen() error {
	f, err := os.Open(in.path)
	if err != nil {
		return fmt.Errorf("opening the journal again: %w", err)
	}
	_ = in.file.Close()
	in.file = f
	return nil
}

// extent is how long the journal is as far as it is there.
func (in *input) extent() extent {
	info, err := in.file.Stat()
	if err != nil {
		return extent{}
	}
	return extentOf(in.file, info.Size())
}

func (in *input) close() error { return in.file.Close() }
