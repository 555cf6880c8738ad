//go:build !linux

package schema

import "syscall"

// restrictSystem: the kernels without RLIMIT_AS that works leave the memory to
// Go's own limit and to the deadline.
func restrictSystem(limits) error { return lower(syscall.RLIMIT_CORE, 0) }
