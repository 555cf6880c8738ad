//go:build unix

package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile"
)

// A leader that is frozen in the middle of a rollout, as a virtual machine that is
// paused, does nothing any more when it wakes up.
func TestALeaderThatWasFrozenHasLostTheLease(t *testing.T) {
	t.Parallel()
	leader, other, _, repo := handOver(t, time.Minute, func(leader *replica) {
		if err := leader.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	})
	done := len(leader.register.of(leader.name))
	revision := repo.Push(t, teams(8, 3))
	if err := leader.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old leader stands by", func() bool { return leader.loop(t).State == reconcile.Standby })
	other.synced(t, revision)
	if got := leader.register.of(leader.name); len(got) != done {
		t.Errorf("the old leader did %v without the Lease", got[done:])
	}
	leader.stop(t)
	other.stop(t)
}
