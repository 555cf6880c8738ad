package journal_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
)

// A growing reader has an end wherever a piece ends, and later more.
type growing struct{ pieces [][]byte }

func (g *growing) Read(p []byte) (int, error) {
	if len(g.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.pieces[0])
	if g.pieces[0] = g.pieces[0][n:]; len(g.pieces[0]) == 0 {
		g.pieces = g.pieces[1:]
		return n, io.EOF
	}
	return n, nil
}

func TestAJournalIsReadWhileItGrows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "journals", "reached.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var want []journal.Event
	var offsets []int64
	for d := journal.NewDecoder(bytes.NewReader(text)); ; {
		e, err := d.Decode()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		want, offsets = append(want, e), append(offsets, d.Offset())
	}
	for _, size := range []int{1000, 70_000} {
		g := &growing{}
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			g.pieces, rest = append(g.pieces, bytes.Clone(rest[:n])), rest[n:]
		}
		var got []journal.Event
		cut := 0
		d := journal.NewDecoder(g)
		for len(got) < len(want) {
			e, err := d.Decode()
			switch {
			case errors.Is(err, io.ErrUnexpectedEOF):
				cut++
			case errors.Is(err, io.EOF):
			case err != nil:
				t.Fatal(err)
			default:
				got = append(got, e)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pieces of %d bytes (-want +got):\n%s", size, diff)
		}
		if cut == 0 {
			t.Errorf("pieces of %d bytes end in no line", size)
		}
	}
	d := journal.ResumeDecoder(bytes.NewReader(text[offsets[99]:]), 100)
	if e, err := d.Decode(); err != nil || !cmp.Equal(e, want[100]) {
		t.Errorf("resumed at event 100: %v, %v", e, err)
	}
}
