package schema

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// restrictSystem has the kernel enforce the limits. RLIMIT_AS counts address
// space, of which Go reserves a lot that it never uses before main runs: that is
// measured and comes on top. From there on the heap grows by arenas of 64 MiB,
// each of which counts whole.
func restrictSystem(l limits) error {
	if l.memoryBytes > 0 {
		reserved, err := addressSpace()
		if err != nil {
			return err
		}
		if err := lower(syscall.RLIMIT_AS, reserved+uint64(l.memoryBytes)); err != nil {
			return fmt.Errorf("RLIMIT_AS: %w", err)
		}
	}
	for _, limit := range []struct {
		name string
		what int
		most uint64
	}{
		{"RLIMIT_NOFILE", syscall.RLIMIT_NOFILE, 3}, // standard input, output and error: no file, no socket
		{"RLIMIT_FSIZE", syscall.RLIMIT_FSIZE, 0},
		{"RLIMIT_CORE", syscall.RLIMIT_CORE, 0},
	} {
		if err := lower(limit.what, limit.most); err != nil {
			return fmt.Errorf("%s: %w", limit.name, err)
		}
	}
	return nil
}

// addressSpace is what the process has reserved, in bytes.
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	pages, _, _ := bytes.Cut(text, []byte(" "))
	n, err := strconv.ParseUint(string(pages), 10, 64)
	return n * uint64(os.Getpagesize()), err
}
