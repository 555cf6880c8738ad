package schema

import (
	"runtime/debug"
	"syscall"
)

// How a process that evaluates is restricted.
const (
	// maxStackBytes: the default of Go is 1 GB, and a stack is grown by copying.
	maxStackBytes = 64 << 20
	// gcPercent: what is evaluated is short-lived.
	gcPercent = 400
)

// restrict bounds the memory of this process and keeps it from opening anything.
// The collector works harder near the limit; past it the process dies.
func restrict(l limits) error {
	debug.SetGCPercent(gcPercent)
	debug.SetMaxStack(maxStackBytes)
	if l.memoryBytes > 0 {
		debug.SetMemoryLimit(int64(l.memoryBytes) / 10 * 8)
	}
	return restrictSystem(l)
}

// lower sets a resource limit of the process, for good.
func lower(what int, most uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(what, &now); err != nil {
		return err
	}
	now.Cur, now.Max = min(now.Cur, most), min(now.Max, most)
	return syscall.Setrlimit(what, &now)
}
