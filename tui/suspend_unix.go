//go:build unix

package tui

import (
	"os"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
)

// wakeAfter is how long a process that was to stop may go on running before it is
// clear that it does not stop.
const wakeAfter = 300 * time.Millisecond

// wakeful sees to it that a program comes back from being suspended. The signal
// that stops it is ignored where there is no shell that could go on with it (the
// process is its session's first: in a container, over ssh, in tmux), and the program
// then waits for one that would never come. To one that was stopped and goes on it
// means nothing.
func wakeful(_ tea.Model, msg tea.Msg) tea.Msg {
	if _, suspends := msg.(tea.SuspendMsg); suspends {
		time.AfterFunc(wakeAfter, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGCONT) })
	}
	return msg
}
