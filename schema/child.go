package schema

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// child is a process that evaluates one unit after the other.
type child struct {
	in     io.WriteCloser
	out    *bufio.Reader
	stop   func()       // ends the process; any number of times
	wait   func() error // for its end, after stop or of its own
	usage  func() any   // what it took, after wait; nil where nobody knows
	stderr *head
	pid    int // 0 within this process
	units  int // evaluated so far
	names  map[string]string
}

// maxStart bounds the time until a child answers.
const maxStart = 30 * time.Second

// startChild runs command, or evaluates in this process where there is none.
func startChild(ctx context.Context, command []string, l limits) (*child, error) {
	c := &child{stderr: &head{}, names: map[string]string{}}
	if len(command) == 0 {
		c.within()
	} else if err := c.process(command); err != nil {
		return nil, fmt.Errorf("starting the process that evaluates manifests: %w", err)
	}
	late := time.AfterFunc(maxStart, c.stop)
	defer late.Stop()
	defer context.AfterFunc(ctx, c.stop)()
	err := writeFrame(c.in, frameHello, l.encode())
	if err == nil {
		err = c.hello()
	}
	if err != nil {
		c.stop()
		ended := c.wait()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("starting the process that evaluates manifests: %w (%v) %s", err, ended, c.stderr)
	}
	return c, nil
}

func (c *child) hello() error {
	f, err := readFrame(c.out, maxFrameBytes)
	if err != nil {
		return err
	}
	if f.kind != frameHello {
		return errors.New("it is no evaluator")
	}
	_, err = decodeLimits(f.data)
	return err
}

// process starts command with nothing of this process but the three streams: no
// environment, no working directory that matters, no terminal signals.
func (c *child) process(command []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Args[0] = "vksync" // whatever the file is called
	// With GOMAXPROCS the runtime keeps no files open to ask the system for it. With
	// one arena the C library takes no 64 MiB of the address space for each thread.
	cmd.Env = []string{"GOTRACEBACK=none", fmt.Sprintf("GOMAXPROCS=%d", runtime.GOMAXPROCS(0)), "MALLOC_ARENA_MAX=1"}
	cmd.Dir = "/"
	cmd.Stderr = c.stderr
	cmd.WaitDelay = time.Second
	detach(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.pid = cmd.Process.Pid
	c.in, c.out = in, bufio.NewReaderSize(out, 64<<10)
	c.stop = sync.OnceFunc(func() { kill(cmd) })
	c.wait = sync.OnceValue(cmd.Wait)
	c.usage = func() any { return cmd.ProcessState.SysUsage() }
	return nil
}

// within evaluates in this process. What does not end is left behind.
func (c *child) within() {
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := serve(inRead, outWrite, func(limits) error { return nil })
		outWrite.CloseWithError(io.EOF)
		ended <- err
	}()
	c.in, c.out = inWrite, bufio.NewReader(outRead)
	c.usage = func() any { return nil }
	c.stop = sync.OnceFunc(func() {
		inWrite.CloseWithError(io.EOF)
		outRead.CloseWithError(io.ErrClosedPipe)
	})
	c.wait = sync.OnceValue(func() error { return <-ended })
}

// close ends a child that has nothing to do.
func (c *child) close() {
	c.in.Close()
	c.stop()
	_ = c.wait()
}

// reader is what a child may read.
type reader interface {
	content(name string) ([]byte, *Problem)
	list(name string) ([]entry, *Problem)
}

// evaluate has the child evaluate u. A nil death means that the result is good;
// otherwise the child is gone.
func (c *child) evaluate(ctx context.Context, u unit, content []byte, has bool, files reader, timeout time.Duration) (loaded, *death) {
	c.units++
	var late sync.Once
	wasLate := false
	timer := time.AfterFunc(timeout, func() {
		late.Do(func() { wasLate = true })
		c.stop()
	})
	defer context.AfterFunc(ctx, c.stop)()
	result, err := c.converse(u, content, has, files)
	timer.Stop()
	if err == nil {
		return result, nil
	}
	c.stop()
	ended := c.wait()
	late.Do(func() {}) // a timer that fires only now says nothing
	return loaded{}, &death{late: wasLate, spoke: err, ended: ended, said: c.stderr.String()}
}

// converse sends u and answers what the child asks, until it has the result.
func (c *child) converse(u unit, content []byte, has bool, files reader) (loaded, error) {
	if err := writeFrame(c.in, frameUnit, encodeUnit(u, content, has)); err != nil {
		return loaded{}, err
	}
	asked, sent := 0, 0
	for {
		f, err := readFrame(c.out, maxFrameBytes)
		if err != nil {
			return loaded{}, err
		}
		if f.kind == frameResult {
			d := decoder{data: f.data, names: c.names}
			result := d.loaded()
			return result, d.end()
		}
		if asked++; asked > maxAsked || sent > maxAskedBytes {
			return loaded{}, errAskedTooMuch
		}
		kind, answer := answered(f, files)
		if sent += len(answer); kind == 0 {
			return loaded{}, errWire
		}
		if err := writeFrame(c.in, kind, answer); err != nil {
			return loaded{}, err
		}
	}
}

var errAskedTooMuch = errors.New("it reads too much")

// answered is the answer to what a child asks; the kind is 0 where it asks for
// nothing that there is.
func answered(f frame, files reader) (kind byte, answer []byte) {
	name, err := decodePath(f.data)
	if err != nil {
		return 0, nil
	}
	var problem *Problem
	switch f.kind {
	case frameRead:
		if answer, problem = files.content(name); problem == nil {
			return frameContent, answer
		}
	case frameList:
		var entries []entry
		if entries, problem = files.list(name); problem == nil {
			return frameEntries, encodeEntries(entries)
		}
	default:
		return 0, nil
	}
	var e encoder
	e.problem(*problem)
	return frameError, e.data
}

// head keeps the first bytes of what a process says before it dies.
type head struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *head) Write(p []byte) (int, error) {
	const most = 4 << 10
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(p[:min(len(p), most-h.text.Len())])
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.TrimSpace(h.text.String())
}
