package gitsource

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// packOf makes a pack of raw entries with a right checksum.
func packOf(count uint32, entries ...[]byte) []byte {
	var b bytes.Buffer
	b.WriteString("PACK")
	_ = binary.Write(&b, binary.BigEndian, []uint32{2, count})
	for _, e := range entries {
		b.Write(e)
	}
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

// entryOf is an entry of a kind that claims a size; between is what a delta has
// there.
func entryOf(kind byte, size int, between, content []byte) []byte {
	var b bytes.Buffer
	first := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	b.WriteByte(first)
	b.Write(between)
	z := zlib.NewWriter(&b)
	_, _ = z.Write(content)
	_ = z.Close()
	return b.Bytes()
}

const (
	blobEntry, ofsDelta, refDelta = 3, 6, 7
)

func TestAHostilePackIsRefusedBeforeItIsIndexed(t *testing.T) {
	t.Parallel()
	blob := entryOf(blobEntry, 5, nil, []byte("hello"))
	delta := func(source, target uint64) []byte {
		text := binary.AppendUvarint(binary.AppendUvarint(nil, source), target)
		text = append(text, 0x90, 5) // copy five bytes
		return entryOf(ofsDelta, len(text), []byte{byte(len(blob))}, text)
	}
	for _, tt := range []struct {
		name string
		pack []byte
		says string // "" is accepted
	}{
		{"a blob", packOf(1, blob), ""},
		{"a delta", packOf(2, blob, delta(5, 5)), ""},
		{"a delta to a giant", packOf(2, blob, delta(5, 1<<40)), "an object of 1099511627776 bytes, more than the 1048576"},
		{"a delta to more than there are numbers", packOf(2, blob, delta(5, 1<<63)), "more than the 1048576"},
		{"a blob that says it is a giant", packOf(1, entryOf(blobEntry, 1<<30, nil, []byte("x"))), "an object of 1073741824 bytes"},
		{"a blob that is longer than it says", packOf(1, entryOf(blobEntry, 5, nil, make([]byte, 1<<20))), "the pack is damaged"},
		{"giants that are many", packOf(100, bytes.Repeat(entryOf(blobEntry, 1<<20, nil, make([]byte, 1<<20)), 100)), "unpacks to more than 64 times"},
		{"objects without end", packOf(1<<31, blob), "sends 2147483648 objects at once"},
		{"fewer objects than it says", packOf(2, blob), "the pack is damaged"},
		{"another version", append(append([]byte("PACK\x00\x00\x00\x09\x00\x00\x00\x01"), blob...), make([]byte, 20)...), "cut off or damaged"},
		{"a wrong checksum", append(packOf(1, blob)[:len(packOf(1, blob))-1], 0xff), "cut off or damaged on its way"},
		{"nothing", nil, "the pack was cut off"},
		{"more than there is room for", packOf(1, entryOf(blobEntry, 5, nil, noise(2<<20))), "larger than the 1048576 bytes that its mirror may have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, err := receive(t.Context(), bytes.NewReader(tt.pack), dir, 1<<20, Limits{MirrorBytes: 1 << 20, ObjectBytes: 1 << 20})
			if tt.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				defer in.discard()
				if err := in.install(dir); err != nil {
					t.Fatalf("install: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("receive: %v, want it to say %q", err, tt.says)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("the directory has %v, %v, want nothing", left, err)
			}
		})
	}
}

// noise does not compress.
func noise(n int) []byte {
	out, seed := make([]byte, n), uint32(1)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = byte(seed >> 24)
	}
	return out
}

func TestAPackWhoseBasesAreElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	text := []byte{5, 5, 0x90, 5}
	thin := packOf(1, entryOf(refDelta, len(text), bytes.Repeat([]byte{0xab}, 20), text))
	dir := t.TempDir()
	in, err := receive(t.Context(), bytes.NewReader(thin), dir, 1<<20, Limits{MirrorBytes: 1 << 20, ObjectBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer in.discard()
	if err := in.install(dir); err == nil || !strings.Contains(err.Error(), "indexing the objects") {
		t.Errorf("install: %v", err)
	}
}

func TestReceivingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := receive(ctx, bytes.NewReader(packOf(1, entryOf(blobEntry, 5, nil, []byte("hello")))), t.TempDir(), 1<<20, Limits{MirrorBytes: 1 << 20, ObjectBytes: 1 << 20})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("receive: %v", err)
	}
}

func FuzzPack(f *testing.F) {
	blob := entryOf(blobEntry, 5, nil, []byte("hello"))
	text := []byte{5, 5, 0x90, 5}
	f.Add(uint32(1), blob)
	f.Add(uint32(2), append(bytes.Clone(blob), entryOf(ofsDelta, len(text), []byte{byte(len(blob))}, text)...))
	f.Add(uint32(1), entryOf(refDelta, len(text), bytes.Repeat([]byte{0xab}, 20), text))
	f.Fuzz(func(t *testing.T, count uint32, entries []byte) {
		dir := t.TempDir()
		in, err := receive(t.Context(), bytes.NewReader(packOf(count, entries)), dir, 1<<20, Limits{MirrorBytes: 1 << 20, ObjectBytes: 1 << 16})
		if err != nil {
			return
		}
		defer in.discard()
		// What passes may still be no good, and must fail as an error.
		_ = guarded(func() error { return in.install(dir) })
	})
}

func TestPausesGrowAndStayBounded(t *testing.T) {
	t.Parallel()
	m := &mirror{config: Config{Poll: 30 * time.Second}}
	for failures, want := range map[int]time.Duration{0: 30 * time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 10: time.Minute, 1000: time.Minute} {
		for range 100 {
			if got := m.pause(failures); got < want*9/10 || got > want*11/10 {
				t.Fatalf("after %d failures the pause is %v, want %v give or take a tenth", failures, got, want)
			}
		}
	}
	m.after = time.Now().Add(time.Hour)
	if got := m.pause(1); got < 59*time.Minute {
		t.Errorf("a remote that is busy for an hour is asked after %v", got)
	}
	l := &local{watch: &watch{}}
	for failures, want := range map[int]time.Duration{0: 2 * time.Second, 1: time.Second, 3: 4 * time.Second, 100: 5 * time.Second} {
		if got := l.pause(failures); got != want {
			t.Errorf("without a watch and after %d failures the pause is %v, want %v", failures, got, want)
		}
	}
}
