package gitsource

import (
	"context"
	"crypto/sha1" //nolint:gosec // Git's own checksum of a pack
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

const (
	// maxObjects bounds the objects of one pack, which cost some 200 bytes of
	// memory each while it is indexed.
	maxObjects = 2_000_000
	// inflation is how many times the limit of a mirror a pack may unpack to.
	inflation = 64
	// packHead and packTail are the bytes around the objects of a pack.
	packHead, packTail = 12, sha1.Size
	// serverSays is what go-git puts before a message on the error channel.
	serverSays = "unexpected error: "
)

// incoming receives a pack beside the repository, and hands it over only when it
// is whole and harmless.
type incoming struct {
	ctx    context.Context
	file   *os.File
	limits Limits
}

// receive writes a pack to a file in dir, at most room bytes. The caller discards
// what it gets.
func receive(ctx context.Context, from io.Reader, dir string, room int64, limits Limits) (*incoming, error) {
	file, err := os.CreateTemp(dir, "incoming-")
	if err != nil {
		return nil, err
	}
	in := &incoming{ctx: ctx, file: file, limits: limits}
	if _, err = io.Copy(file, &limited{r: from, left: room, of: "repository"}); err == nil {
		err = in.check()
	}
	var much tooMuch
	switch {
	case errors.As(err, &much):
		err = refused("the repository is larger than the %d bytes that its mirror may have: raise the source's limit, or follow a smaller repository", limits.MirrorBytes)
	case err != nil && strings.HasPrefix(err.Error(), serverSays):
		err = fmt.Errorf("the server says: %s", printable(strings.TrimPrefix(err.Error(), serverSays), 200))
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("receiving its objects: the connection ended before all were there")
	case err != nil && !isRefusal(err):
		err = fmt.Errorf("receiving its objects: %w", err)
	}
	if err != nil {
		in.discard()
		return nil, err
	}
	return in, nil
}

func (in *incoming) discard() {
	in.file.Close()
	os.Remove(in.file.Name())
}

// Read and Seek make the file one that ends with the context.
func (in *incoming) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	return in.file.Read(p)
}

// Seek is that of the file.
func (in *incoming) Seek(offset int64, whence int) (int64, error) {
	return in.file.Seek(offset, whence)
}

// check reads the pack once without keeping anything of it: the checksum, then
// the sizes that its objects say they have, which indexing would allocate.
func (in *incoming) check() error {
	if err := in.whole(); err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	scan := packfile.NewScanner(in)
	_, count, err := scan.Header()
	if err != nil {
		return fmt.Errorf("the pack is not one: %w", err)
	}
	if count > maxObjects {
		return refused("the repository sends %d objects at once, more than %d: follow a smaller repository", count, maxObjects)
	}
	unpacked := int64(0)
	for range count {
		size, err := in.object(scan)
		if err != nil {
			return err
		}
		if unpacked += size; unpacked > inflation*in.limits.MirrorBytes {
			return refused("the repository unpacks to more than %d times the limit of its mirror", inflation)
		}
	}
	return nil
}

// object reads one object and says how large it is unpacked.
func (in *incoming) object(scan *packfile.Scanner) (int64, error) {
	h, err := scan.NextObjectHeader()
	if err != nil {
		return 0, fmt.Errorf("the pack is damaged: %w", err)
	}
	size := h.Length
	if size <= in.limits.ObjectBytes {
		var start prefix
		if _, _, err := scan.NextObject(&start); err != nil {
			return 0, fmt.Errorf("the pack is damaged: %w", err)
		}
		if h.Type.IsDelta() {
			size = max(size, start.target())
		}
	}
	if size > in.limits.ObjectBytes || size < 0 {
		return 0, refused("the history has an object of %d bytes, more than the %d that one may have: remove it from the history, or raise the source's limit", size, in.limits.ObjectBytes)
	}
	return size, nil
}

// whole compares the pack with the checksum at its end.
func (in *incoming) whole() error {
	info, err := in.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < packHead+packTail {
		return errors.New("the pack was cut off")
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := sha1.New() //nolint:gosec // see above
	if _, err := io.CopyN(sum, in, info.Size()-packTail); err != nil {
		return err
	}
	want := make([]byte, packTail)
	if _, err := io.ReadFull(in, want); err != nil {
		return err
	}
	if string(want) != string(sum.Sum(nil)) {
		return errors.New("the pack was cut off or damaged on its way")
	}
	return nil
}

// prefix keeps the first bytes of what is written to it.
type prefix struct {
	bytes [2 * binary.MaxVarintLen64]byte
	n     int
}

func (p *prefix) Write(b []byte) (int, error) {
	p.n += copy(p.bytes[p.n:], b)
	return len(b), nil
}

// target is the size of what a delta makes: the second of two numbers in front.
func (p *prefix) target() int64 {
	_, n := binary.Uvarint(p.bytes[:p.n])
	if n <= 0 {
		return -1
	}
	target, m := binary.Uvarint(p.bytes[n:p.n])
	if m <= 0 || target > 1<<62 {
		return 1 << 62
	}
	return int64(target)
}

// install indexes the pack and puts both among the repository's own.
func (in *incoming) install(gitDir string) error {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	index := new(idxfile.Writer)
	parser, err := packfile.NewParser(packfile.NewScanner(in), index)
	if err != nil {
		return err
	}
	sum, err := parser.Parse()
	if err != nil {
		return fmt.Errorf("indexing the objects: %w", err)
	}
	dir := filepath.Join(gitDir, "objects", "pack")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeIndex(index, filepath.Join(dir, "pack-"+sum.String()+".idx")); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	return os.Rename(in.file.Name(), filepath.Join(dir, "pack-"+sum.String()+".pack"))
}

func writeIndex(index *idxfile.Writer, path string) error {
	memory, err := index.Index()
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := idxfile.NewEncoder(file).Encode(memory); err != nil {
		return err
	}
	return file.Close()
}

// packs counts the packs of a repository and their bytes.
func packs(gitDir string) (count int, bytes int64) {
	entries, err := os.ReadDir(filepath.Join(gitDir, "objects", "pack"))
	if err != nil {
		return 0, 0 // there are none yet
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
		if filepath.Ext(e.Name()) == ".pack" {
			count++
		}
	}
	return count, bytes
}
