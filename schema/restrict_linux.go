package schema

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// What RLIMIT_AS counts beside the memory that evaluation takes.
const (
	// heapArena: the heap grows by so much at a time, which counts whole.
	heapArena = 64 << 20
	// besideHeap is for threads that start later, of 8 MiB each with a C library,
	// and for the runtime's own tables. It is no arena.
	besideHeap = 48 << 20
)

// restrictSystem has the kernel enforce the limits. RLIMIT_AS counts address
// space, of which Go reserves a lot that it never uses before main runs: that is
// measured and comes on top, with the first arena, of which some is left or none.
// A process thus gets the memory it is promised, and less than an arena more.
func restrictSystem(l limits) error {
	if err := closeInherited(); err != nil {
		return err
	}
	if l.memoryBytes > 0 {
		reserved, err := addressSpace()
		if err != nil {
			return err
		}
		arenas := (uint64(l.memoryBytes) + heapArena - 1) / heapArena
		if err := lower(syscall.RLIMIT_AS, reserved+arenas*heapArena+besideHeap); err != nil {
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

// closeInherited closes what vksync itself was started with beside the standard
// streams, as sockets of a service manager. What Go opens is not inherited, and
// what the runtime of this process has open is no file.
func closeInherited() error {
	const open = "/proc/self/fd"
	fds, err := os.ReadDir(open)
	if err != nil {
		return err
	}
	for _, entry := range fds {
		fd, err := strconv.Atoi(entry.Name())
		to, gone := os.Readlink(open + "/" + entry.Name())
		if err != nil || gone != nil || fd <= 2 || strings.HasPrefix(to, "anon_inode:") {
			continue
		}
		if err := syscall.Close(fd); err != nil {
			return fmt.Errorf("closing what was inherited: %w", err)
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
