package vcenter

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatAKilledProcessLeftIsSweptAndWhatLivesIsKept(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	alive, err := newScratch(parent)
	if err != nil {
		t.Fatal(err)
	}
	killed, err := newScratch(parent)
	if err != nil {
		t.Fatal(err)
	}
	// The kernel lets go of a dead process's locks.
	if err := killed.lock.Close(); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(parent, "vksync-vcenter-foreign")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	next, err := newScratch(parent)
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{alive.dir: true, killed.dir: false, foreign: true, next.dir: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: there %t, want %t", filepath.Base(dir), err == nil, want)
		}
	}
	for _, s := range []*scratch{alive, next} {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(parent, "vksync-*")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v, want the foreign folder only", left, err)
	}
}
