package vcenter

import (
	"errors"
	"os"
	"path/filepath"
)

// A scratch is the folder that holds the datastores' folders. A file in it is
// locked as long as its process lives, so that a later one can tell, and sweep
// away, what a killed process has left behind.
type scratch struct {
	dir  string
	lock *os.File
}

const (
	scratchPattern = "vksync-vcenter-*"
	lockName       = "lock"
	// memory is where Linux keeps files in memory, which halves the cost of a VM.
	memory = "/dev/shm"
)

// newScratch makes a folder in parent, or in memory where the system has that.
func newScratch(parent string) (*scratch, error) {
	if parent != "" {
		return makeScratch(parent)
	}
	if s, err := makeScratch(filepath.FromSlash(memory)); err == nil {
		return s, nil
	}
	return makeScratch(os.TempDir())
}

func makeScratch(parent string) (*scratch, error) {
	sweep(parent)
	// The file is locked before it is where others look for it.
	lock, err := os.CreateTemp(parent, "vksync-lock-*")
	if err != nil {
		return nil, err
	}
	s := &scratch{lock: lock}
	if err := lockFile(lock); err != nil {
		return nil, errors.Join(err, os.Remove(lock.Name()), lock.Close())
	}
	if s.dir, err = os.MkdirTemp(parent, scratchPattern); err == nil {
		err = os.Rename(lock.Name(), filepath.Join(s.dir, lockName))
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(lock.Name()), s.remove())
	}
	return s, nil
}

// sweep removes the folders whose process is gone. What cannot be removed is
// left to the next one.
func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, scratchPattern))
	if err != nil {
		return // the pattern is a constant
	}
	for _, dir := range left {
		lock, err := os.Open(filepath.Join(dir, lockName))
		if err != nil {
			continue
		}
		if lockFile(lock) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}

// remove removes the folder and lets go of the lock.
func (s *scratch) remove() error {
	var err error
	if s.dir != "" {
		err = os.RemoveAll(s.dir)
	}
	return errors.Join(err, s.lock.Close())
}
