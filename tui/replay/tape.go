package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/vksync/vksync/reconcile/journal"
)

// A tape gives the events of a journal one after the other, and can go back to
// the first one. It keeps events until their lines have come to a bound; what is
// behind that is read again.
type tape struct {
	name  string // for people
	file  io.ReaderAt
	bound int64

	kept    []journal.Event
	keptEnd int64 // where in the file what is kept ends

	decoder *journal.Decoder
	base    int64 // where in the file the decoder began
	read    int   // the number of the event that the decoder gives next
	pos     int   // the number of the event that next gives
	ended   bool  // an End was read
}

// keep is how many bytes of a journal are kept as events, which take about four
// times as much memory. At 400 bytes an event it is 160,000 of them.
const keep = 64 << 20

func newTape(name string, file io.ReaderAt, bound int64) *tape {
	t := &tape{name: name, file: file, bound: bound}
	t.decodeFrom(0, 0)
	return t
}

func (t *tape) decodeFrom(offset int64, seq int) {
	t.decoder = journal.ResumeDecoder(io.NewSectionReader(t.file, offset, math.MaxInt64-offset), seq)
	t.base, t.read = offset, seq
}

// next is the next event. It is io.EOF after the last one, and io.ErrUnexpectedEOF
// where the journal stops in the middle of one; when the file has grown by then,
// the next call gives more. Any other error names file and line, and lasts.
func (t *tape) next() (journal.Event, error) {
	if t.pos < len(t.kept) {
		e := t.kept[t.pos]
		t.pos++
		return e, nil
	}
	e, err := t.decoder.Decode()
	switch line := new(journal.LineError); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return e, io.ErrUnexpectedEOF
	case errors.As(err, &line):
		return e, fmt.Errorf("%s:%d: %w", t.name, line.Line, line.Err)
	case errors.Is(err, io.EOF):
		return e, io.EOF
	case err != nil:
		return e, fmt.Errorf("%s: %w", t.name, err)
	}
	t.ended = t.ended || e.End != nil
	t.read++
	if end := t.base + t.decoder.Offset(); t.pos == len(t.kept) && end <= t.bound {
		t.kept, t.keptEnd = append(t.kept, e), end
	}
	t.pos++
	return e, nil
}

// rewind goes back to the first event.
func (t *tape) rewind() {
	t.pos = 0
	if t.read > len(t.kept) {
		t.decodeFrom(t.keptEnd, len(t.kept))
	}
}

// offset is where in the file the next event that is decoded begins.
func (t *tape) offset() int64 { return t.base + t.decoder.Offset() }

// An extent is how long a journal is.
type extent struct {
	events int
	t      int64 // of the last event, in milliseconds
}

// extentOf finds the last whole line of a file, without reading what is before
// it. It is the zero extent when there is none, or it is no event.
func extentOf(file io.ReaderAt, size int64) extent {
	for window := int64(64 << 10); ; window *= 4 {
		from := max(0, size-window)
		text := make([]byte, size-from)
		if _, err := file.ReadAt(text, from); err != nil && !errors.Is(err, io.EOF) {
			return extent{}
		}
		if line, whole := lastLine(text, from == 0); whole {
			return extentOfLine(line)
		}
		if from == 0 || window > 2*journal.LineCap {
			return extent{}
		}
	}
}

// lastLine is the last line of text that is whole; false when there is none. At
// the start of a file a line needs no line before it.
func lastLine(text []byte, start bool) ([]byte, bool) {
	end := bytes.LastIndexByte(text, '\n')
	if end < 0 {
		return nil, false
	}
	begin := bytes.LastIndexByte(text[:end], '\n')
	return text[begin+1 : end], begin >= 0 || start
}

func extentOfLine(line []byte) extent {
	var e struct {
		Seq int   `json:"seq"`
		T   int64 `json:"t_ms"`
	}
	if json.Unmarshal(line, &e) != nil || e.Seq < 0 || e.T < 0 {
		return extent{}
	}
	return extent{e.Seq + 1, e.T}
}
