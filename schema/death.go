package schema

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// kill ends the child and whatever it may have started.
func kill(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Process.Kill()
}

// death is how a child ended while it evaluated a unit.
type death struct {
	late  bool   // it was killed by the deadline
	spoke error  // why no result was read
	ended error  // the exit of the process
	said  string // the first of what it wrote to standard error
}

// The causes of a death.
type cause int

const (
	crashed cause = iota
	tookTooLong
	tookTooMuchMemory
	nestedTooDeep
	readTooMuch
	broke // the protocol
)

func (d *death) cause() cause {
	var exit *exec.ExitError
	killed := false
	if errors.As(d.ended, &exit) {
		status, is := exit.Sys().(syscall.WaitStatus)
		killed = is && status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	said := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(d.said, word) {
				return true
			}
		}
		return false
	}
	switch {
	case d.late:
		return tookTooLong
	case errors.Is(d.spoke, errAskedTooMuch):
		return readTooMuch
	case said("stack exceeds", "stack overflow"):
		return nestedTooDeep
	case said("out of memory", "cannot allocate memory", "failed to create new OS thread", "cannot map pages"):
		return tookTooMuchMemory
	case errors.Is(d.spoke, errWire):
		return broke
	case killed: // not by us, or it would have been late
		return tookTooMuchMemory
	}
	return crashed
}

// problem says what happened to the unit, what is allowed, and what to do.
func (d *death) problem(u unit, o EvaluatorOptions) Problem {
	p := Problem{Pos: resource.Position{File: u.name()}, Hint: "use fewer nested comprehensions and disjunctions, or split it"}
	switch d.cause() {
	case tookTooLong:
		p.Message = "evaluating it takes too long, and was ended"
		p.Allowed = fmt.Sprintf("at most %s", o.Timeout.Round(time.Millisecond))
	case tookTooMuchMemory:
		p.Message = "evaluating it takes too much memory, and was ended"
		p.Allowed = fmt.Sprintf("at most %d MiB", o.MemoryBytes>>20)
	case nestedTooDeep:
		p.Message = "evaluating it nests too deep, and was ended"
		p.Allowed = fmt.Sprintf("a stack of at most %d MiB", maxStackBytes>>20)
	case readTooMuch:
		p.Message = "evaluating it reads too many files, and was ended"
		p.Allowed = fmt.Sprintf("at most %d files and directories, of %d MiB", maxAsked, maxAskedBytes>>20)
		p.Hint = "import less, or move what it does not need out of its directory"
	default:
		p.Message = "cannot be evaluated: the process that evaluated it failed, and was ended"
		p.Hint = "simplify it; this is a fault of vksync that its authors want to know of"
	}
	return p
}
