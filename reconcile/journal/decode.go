package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The caps on the length of a line, in bytes. The first one holds the whole
// plan and grows with the fleet; the others are of one object each.
const (
	LineCap  = 4 << 20
	BeginCap = 256 << 20
)

// A Decoder reads a journal.
type Decoder struct {
	r    *bufio.Reader
	next int // the Seq of the next event
	// buf is a line that is longer than the reader's buffer, or of which there is only
	// the beginning as yet; partial says that it is the latter.
	buf     []byte
	partial bool
	offset  int64
	err     error // the error that ended it
}

// NewDecoder reads from r. It reads ahead.
func NewDecoder(r io.Reader) *Decoder { return ResumeDecoder(r, 0) }

// ResumeDecoder reads from r what follows in a journal from the event numbered seq
// on.
func ResumeDecoder(r io.Reader, seq int) *Decoder {
	return &Decoder{r: bufio.NewReaderSize(r, 64<<10), next: seq}
}

// A LineError is what is wrong with a line of a journal.
type LineError struct {
	Line int // counted from 1
	Err  error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("journal line %d: %v", e.Line, e.Err) }

// Unwrap is what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Decode returns the next event. It fails with a LineError on a journal of another
// version, on a line that is too long or not an event, and on a gap in Seq, and
// then only repeats the error.
//
// After the last event it returns io.EOF, or io.ErrUnexpectedEOF in a LineError
// when there is the beginning of another one: the journal was cut off, or is still
// being written. Where the reader has more later, Decode goes on with it.
func (d *Decoder) Decode() (Event, error) {
	if d.err != nil {
		return Event{}, d.err
	}
	e, err := d.decode()
	switch {
	case err == io.EOF:
		return Event{}, err
	case err != nil:
		failed := &LineError{d.next + 1, err}
		if err != io.ErrUnexpectedEOF {
			d.err = failed
		}
		return Event{}, failed
	}
	d.next++
	return e, nil
}

// Offset is how many bytes the events took that were decoded.
func (d *Decoder) Offset() int64 { return d.offset }

func (d *Decoder) decode() (Event, error) {
	line, err := d.line()
	if err != nil {
		return Event{}, err
	}
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("not an event: %w", err)
	}
	return e, d.check(e)
}

// check holds what every reader relies on.
func (d *Decoder) check(e Event) error {
	switch n := e.bodies(); {
	case n == 0:
		return errors.New("an event without content; it was written by a newer vksync, or is not a journal")
	case n > 1:
		return errors.New("an event with more than one content")
	case e.Seq != d.next:
		return fmt.Errorf("seq is %d, want %d: events are missing or out of order", e.Seq, d.next)
	case d.next == 0 && e.Begin == nil:
		return errors.New("a journal begins with a begin event")
	case d.next > 0 && e.Begin != nil:
		return errors.New("a second begin event")
	case e.Begin != nil && e.Begin.Version != Version:
		return fmt.Errorf("the journal is of version %d; this vksync reads version %d", e.Begin.Version, Version)
	case e.T < 0:
		return fmt.Errorf("t_ms is %d, want 0 or more", e.T)
	}
	return nil
}

func (e Event) bodies() int {
	n := 0
	for _, set := range []bool{e.Begin != nil, e.Action != nil, e.Object != nil, e.VM != nil, e.Warning != nil, e.Blocked != nil, e.Goal != nil, e.Usage != nil, e.End != nil} {
		if set {
			n++
		}
	}
	return n
}

// line returns the next line without its end. The bytes are good until the next call.
func (d *Decoder) line() ([]byte, error) {
	limit := LineCap
	if d.next == 0 {
		limit = BeginCap
	}
	if !d.partial {
		d.buf = d.buf[:0]
	}
	d.partial = false
	for {
		chunk, err := d.r.ReadSlice('\n')
		if len(d.buf)+len(chunk) > limit {
			return nil, fmt.Errorf("longer than %d MiB", limit>>20)
		}
		switch {
		case err == nil && len(d.buf) == 0:
			return d.whole(chunk), nil
		case err == nil:
			d.buf = append(d.buf, chunk...)
			return d.whole(d.buf), nil
		case err == bufio.ErrBufferFull:
			d.buf = append(d.buf, chunk...)
		case err == io.EOF && len(d.buf)+len(chunk) == 0:
			return nil, io.EOF
		case err == io.EOF:
			d.buf, d.partial = append(d.buf, chunk...), true
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

func (d *Decoder) whole(line []byte) []byte {
	d.offset += int64(len(line))
	return bytes.TrimSuffix(line, []byte("\n"))
}
