package gitsource_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/vksync/vksync/gitsource"
)

// The mirror of a remote: what is on disk, and what becomes of it.

func TestTheLastGoodRevisionOutlivesARestartWithoutTheRemote(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	first := w.pushed(3)
	s := follow(t, c)
	untilServes(t, s, first)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.intercept(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
	got := untilSays(t, follow(t, c), "cannot be reached")
	if got.Commit.Hash != first || read(t, got.Tree.FS, "clusters/prod.yaml") != "replicas: 3\n" {
		t.Errorf("after a restart %q is served", got.Commit.Hash)
	}
}

func TestADamagedMirrorIsClonedAnew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, mirror string)
	}{
		{"a truncated pack", func(t *testing.T, mirror string) {
			for _, p := range glob(t, filepath.Join(mirror, "objects/pack/*.pack")) {
				truncate(t, p, 20)
			}
		}},
		{"a truncated index", func(t *testing.T, mirror string) {
			for _, p := range glob(t, filepath.Join(mirror, "objects/pack/*.idx")) {
				truncate(t, p, 100)
			}
		}},
		{"rubbish in the pack", func(t *testing.T, mirror string) {
			for _, p := range glob(t, filepath.Join(mirror, "objects/pack/*.pack")) {
				text, err := os.ReadFile(p)
				if err != nil {
					t.Fatal(err)
				}
				for i := 12; i < len(text); i++ {
					text[i] = 0x5a
				}
				if err := os.Chmod(p, 0o600); err != nil {
					t.Fatal(err)
				}
				write(t, p, string(text))
			}
		}},
		{"no packs", func(t *testing.T, mirror string) {
			if err := os.RemoveAll(filepath.Join(mirror, "objects")); err != nil {
				t.Fatal(err)
			}
		}},
		{"no HEAD", func(t *testing.T, mirror string) {
			if err := os.Remove(filepath.Join(mirror, "HEAD")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a spoilt configuration", func(t *testing.T, mirror string) { write(t, filepath.Join(mirror, "config"), "[[[") }},
		{"nothing in it", func(t *testing.T, mirror string) {
			if err := os.RemoveAll(mirror); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(mirror, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, _, c := overHTTPS(t)
			first := w.pushed(3)
			s := follow(t, c)
			untilServes(t, s, first)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			tt.damage(t, filepath.Join(c.Dir, "mirror.git"))
			again := follow(t, c)
			got := untilServes(t, again, first)
			if text := read(t, got.Tree.FS, "clusters/prod.yaml"); text != "replicas: 3\n" {
				t.Errorf("the new mirror has %q", text)
			}
			second := w.pushed(4)
			again.Look()
			untilServes(t, again, second)
			gitIn(t, filepath.Join(c.Dir, "mirror.git"), "fsck", "--full")
		})
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherURLIsAnotherMirror(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	s := follow(t, c)
	untilSays(t, s, "has no commits yet")
	untilServesAfter := w.pushed(3)
	s.Look()
	untilServes(t, s, untilServesAfter)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other, f, _ := overHTTPS(t)
	head := other.pushed(8)
	c.URL, c.Auth.CAFile = f.URL+"/fleet.git", f.ca
	untilServes(t, follow(t, c), head)
}

func TestAMirrorBelongsToOneSource(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	c.Name = "one"
	untilServes(t, follow(t, c), first)
	c.Name = "two"
	if _, err := gitsource.Follow(t.Context(), c); err == nil || !strings.Contains(err.Error(), "is used by another source") {
		t.Errorf("a second source on the same directory: %v", err)
	}
}

func TestAMirrorIsBounded(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	c.Limits = gitsource.Limits{MirrorBytes: 200_000, ObjectBytes: 100_000}
	s := follow(t, c)
	untilServes(t, s, first)
	noise := make([]byte, 90_000)
	for i, seed := 0, uint32(1); i < len(noise); i++ {
		seed = seed*1664525 + 1013904223
		noise[i] = byte(seed >> 24)
	}
	w.commit(map[string]string{"a.bin": string(noise)})
	for i := range noise {
		noise[i] ^= byte(i)
	}
	w.commit(map[string]string{"b.bin": string(noise)})
	for i := range noise {
		noise[i] ^= byte(i >> 3)
	}
	w.commit(map[string]string{"c.bin": string(noise)})
	w.push()
	s.Look()
	if got := untilSays(t, s, "larger than the 200000 bytes that its mirror may have"); got.Commit.Hash != first {
		t.Errorf("%s is served", got.Commit.Hash)
	}
}

func TestAnObjectThatUnpacksToAGiantIsRefused(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	c.Limits = gitsource.Limits{ObjectBytes: 1 << 20}
	s := follow(t, c)
	untilServes(t, s, first)
	w.commit(map[string]string{"zeros.bin": strings.Repeat("\x00", 2<<20)}) // a few KiB in the pack
	w.push()
	s.Look()
	if got := untilSays(t, s, "has an object of 2097152 bytes, more than the 1048576"); got.Commit.Hash != first {
		t.Errorf("%s is served", got.Commit.Hash)
	}
}

func TestAMirrorOfManyPacksIsClonedAnew(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	s := follow(t, c)
	untilServes(t, s, first)
	packs := filepath.Join(c.Dir, "mirror.git", "objects", "pack")
	for i := range 200 {
		write(t, filepath.Join(packs, "junk-"+strconv.Itoa(i)+".pack"), "")
	}
	second := w.pushed(4)
	s.Look()
	untilServes(t, s, second)
	if left := glob(t, filepath.Join(packs, "*.pack")); len(left) != 1 {
		t.Errorf("the mirror has %d packs, want one", len(left))
	}
	third := w.pushed(5)
	s.Look()
	untilServes(t, s, third)
}

func TestAnInterruptedExchangeIsFinished(t *testing.T) {
	t.Parallel()
	w, f, c := overHTTPS(t)
	first := w.pushed(3)
	s := follow(t, c)
	untilServes(t, s, first)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// As a process leaves it that is killed between its two renames.
	if err := os.Rename(filepath.Join(c.Dir, "mirror.git"), filepath.Join(c.Dir, "mirror.old")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.Dir, "mirror.next", "HEAD"), "half")
	write(t, filepath.Join(c.Dir, "incoming-123"), "half")
	f.intercept(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
	if got := untilSays(t, follow(t, c), "cannot be reached"); got.Commit.Hash != first {
		t.Errorf("%q is served, want the old mirror's", got.Commit.Hash)
	}
	if left := glob(t, filepath.Join(c.Dir, "*")); len(left) != 2 {
		t.Errorf("the directory has %q, want the lock and the mirror", left)
	}
}
