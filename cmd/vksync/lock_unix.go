//go:build unix

package main

import (
	"os"
	"syscall"
)

// lockFile locks f until it is closed, or fails at once when another process has it.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
