package tui

import (
	"io"

	"github.com/vksync/vksync/reconcile/journal"
)

// lines writes the journal itself, for programs: each event is a line of JSON, in
// one Write, when it happens. The last one is the result.
type lines struct {
	encoder *journal.Encoder
	err     error // the first that happened; nothing is written after it
}

func newLines(out io.Writer) *lines { return &lines{encoder: journal.NewEncoder(out)} }

// Event writes an event.
func (l *lines) Event(e journal.Event) {
	if l.err == nil {
		l.err = l.encoder.Encode(e)
	}
}

// Close reports the first error of writing.
func (l *lines) Close() error { return l.err }
