package schema

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// What parent and child say to each other: frames of a kind, a length and a
// message. The child opens no file itself; it asks the parent, which reads for it
// and so knows what a result depends on.
//
//	parent               child
//	hello: limits   ->
//	                <-   hello: build
//	unit            ->
//	                <-   read or list: path    any number of times
//	content or
//	entries, error  ->
//	                <-   result
const (
	frameHello   byte = 'h'
	frameUnit    byte = 'u'
	frameRead    byte = 'r'
	frameList    byte = 'l'
	frameContent byte = 'c'
	frameEntries byte = 'e'
	frameError   byte = 'x'
	frameResult  byte = 'd'
)

// frame is one message.
type frame struct {
	kind byte
	data []byte
}

// writeFrame sends a message in one piece.
func writeFrame(w io.Writer, kind byte, data []byte) error {
	message := make([]byte, 0, 5+len(data))
	message = append(message, kind)
	message = binary.BigEndian.AppendUint32(message, uint32(len(data)))
	_, err := w.Write(append(message, data...))
	return err
}

// readFrame reads a message of at most limit bytes. It allocates what has come,
// not what was announced.
func readFrame(r *bufio.Reader, limit int) (frame, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > int64(limit) {
		return frame{}, fmt.Errorf("a message of %d bytes, more than %d", size, limit)
	}
	const atOnce = 64 << 10
	if size <= atOnce {
		data := make([]byte, size)
		_, err := io.ReadFull(r, data)
		return frame{head[0], data}, noEOF(err)
	}
	data, err := io.ReadAll(io.LimitReader(r, size))
	if err == nil && int64(len(data)) < size {
		err = io.ErrUnexpectedEOF
	}
	return frame{head[0], data}, err
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// limits are what the child restricts itself to.
type limits struct{ memoryBytes int }

func (l limits) encode() []byte {
	var e encoder
	e.text(buildHash())
	e.int(l.memoryBytes >> 10)
	return e.data
}

func decodeLimits(data []byte) (limits, error) {
	d := decoder{data: data}
	build := d.text()
	l := limits{memoryBytes: d.int() << 10}
	if err := d.end(); err != nil {
		return limits{}, err
	}
	return l, sameBuild(build)
}

// sameBuild: results of other definitions must not be taken for those of this.
func sameBuild(build string) error {
	if build != buildHash() {
		return errors.New("the process that evaluates manifests is of another build of vksync: the program was replaced while it runs; restart it")
	}
	return nil
}

// encodeUnit sends the content of the unit's own file along, where it has one.
func encodeUnit(u unit, content []byte, has bool) []byte {
	var e encoder
	e.text(u.file)
	e.text(u.dir)
	e.text(u.pkg)
	e.flag(has)
	e.text(string(content))
	return e.data
}

func decodeUnit(data []byte) (u unit, content []byte, has bool, err error) {
	d := decoder{data: data}
	u = unit{file: d.text(), dir: d.text(), pkg: d.text()}
	has = d.flag()
	content = d.bytes()
	return u, content, has, d.end()
}

// entry is one name in a directory.
type entry struct {
	name  string
	isDir bool
}

func encodeEntries(entries []entry) []byte {
	var e encoder
	e.int(len(entries))
	for _, one := range entries {
		e.text(one.name)
		e.flag(one.isDir)
	}
	return e.data
}

func decodeEntries(data []byte) ([]entry, error) {
	d := decoder{data: data}
	var entries []entry
	for range d.count() {
		entries = append(entries, entry{name: d.text(), isDir: d.flag()})
		if d.err != nil {
			return nil, d.err
		}
	}
	return entries, d.end()
}

// decodePath reads what a child asks for. It may be anything, so it is not
// repeated in an error.
func decodePath(data []byte) (string, error) {
	name := string(data)
	if len(name) > maxPathBytes || !fs.ValidPath(name) {
		return "", errors.New("a path that is none")
	}
	return name, nil
}
