package web

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/vksync/vksync/reconcile/journal"
)

// A sentEvent is one server-sent event.
type sentEvent struct {
	name, id string
	data     []byte
}

// An eventReader reads server-sent events
// (html.spec.whatwg.org/multipage/server-sent-events.html). What it holds is
// bounded by the caps on the lines of a journal.
type eventReader struct{ r *bufio.Reader }

// firstEvent is how the first event of a journal begins, which may be longer than
// the others.
var firstEvent = []byte(`data: {"seq":0,`)

// framing is what a line may hold beside an event, in bytes.
const framing = 1 << 10

// next is the next event that has data. The stream ends with io.EOF; an event
// that was not sent whole is none.
func (e eventReader) next() (sentEvent, error) {
	var out sentEvent
	for {
		line, err := e.line()
		if err != nil {
			return sentEvent{}, err
		}
		if len(line) == 0 {
			if out.data != nil {
				return out, nil
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			out.name = string(value)
		case "id":
			out.id = string(value)
		case "data":
			if out.data != nil {
				return sentEvent{}, errors.New("an event of several lines, which a daemon does not send")
			}
			out.data = append(make([]byte, 0, len(value)), value...)
		}
	}
}

// line is the next line without its end.
func (e eventReader) line() ([]byte, error) {
	var long []byte
	limit := journal.LineCap + framing
	for {
		part, err := e.r.ReadSlice('\n')
		if long == nil && bytes.HasPrefix(part, firstEvent) {
			limit = journal.BeginCap + framing
		}
		switch {
		case len(long)+len(part) > limit:
			return nil, fmt.Errorf("a line of more than %d MiB", limit>>20)
		case err == nil && long == nil:
			return bytes.TrimRight(part, "\r\n"), nil
		case err == nil:
			return bytes.TrimRight(append(long, part...), "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
		case errors.Is(err, io.EOF) && len(long)+len(part) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}
