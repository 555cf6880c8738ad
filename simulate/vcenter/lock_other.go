//go:build !unix

package vcenter

import (
	"errors"
	"os"
)

// lockFile always succeeds for who makes a folder and never for who would sweep
// one: without locks nobody can tell whose it is.
func lockFile(f *os.File) error {
	if info, err := f.Stat(); err == nil && info.Name() == lockName {
		return errors.ErrUnsupported
	}
	return nil
}
