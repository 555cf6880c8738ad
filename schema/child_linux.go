package schema

import (
	"os/exec"
	"syscall"
)

// detach puts the child into a process group of its own, so that Ctrl-C is this
// process's to handle, and has the kernel kill it when this process dies.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// residentBytes is the peak of a process, which Linux counts in KiB.
func residentBytes(usage *syscall.Rusage) int64 { return usage.Maxrss << 10 }
