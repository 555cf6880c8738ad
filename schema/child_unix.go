//go:build unix && !linux

package schema

import (
	"os/exec"
	"syscall"
)

// detach puts the child into a process group of its own, so that Ctrl-C is this
// process's to handle. It ends when its standard input does.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// residentBytes is the peak of a process. The systems do not agree on its unit.
func residentBytes(*syscall.Rusage) int64 { return 0 }
