package supervisor

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// The events of watches are what a run reads most of. apimachinery scans an event
// three times, for its end, its kind and its content, and then five times more the
// object in it. Here an event is a line, and its object is scanned twice.

// quickStream is how a watch in JSON is read.
func quickStream(s *runtime.StreamSerializerInfo) *runtime.StreamSerializerInfo {
	return &runtime.StreamSerializerInfo{
		EncodesAsText: s.EncodesAsText,
		Serializer:    envelopes{s.Serializer},
		Framer:        lineFramer{s.Framer},
	}
}

type lineFramer struct{ runtime.Framer }

// NewFrameReader is called by client-go with the body of a watch.
func (lineFramer) NewFrameReader(body io.ReadCloser) io.ReadCloser {
	return &lines{body: body, text: bufio.NewReader(body)}
}

// lines hands over one line at a time: API servers end each event with a newline,
// and write none into it.
type lines struct {
	body io.ReadCloser
	text *bufio.Reader
	line []byte // what it has
	left []byte // what is still to be handed over of it
}

// spaces are those of JSON.
const spaces = " \t\r\n"

// Read fills data from a line. It returns io.ErrShortBuffer while more of it is left.
func (l *lines) Read(data []byte) (int, error) {
	for len(l.left) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
		l.left = bytes.Trim(l.line, spaces)
	}
	n := copy(data, l.left)
	if l.left = l.left[n:]; len(l.left) > 0 {
		return n, io.ErrShortBuffer
	}
	return n, nil
}

// next reads a line. What is cut off by the end of the stream is no line.
func (l *lines) next() error {
	l.line = l.line[:0]
	for {
		part, err := l.text.ReadSlice('\n')
		l.line = append(l.line, part...)
		switch {
		case err == nil:
			return nil
		case err == io.EOF && len(bytes.Trim(l.line, spaces)) > 0:
			return io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return err
		}
	}
}

// Close ends the watch.
func (l *lines) Close() error { return l.body.Close() }

// envelopes reads events as far as to what happened and where its object is.
type envelopes struct{ runtime.Serializer }

// Decode reads an event. What is none is for apimachinery to judge.
func (e envelopes) Decode(text []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	if event, ok := into.(*metav1.WatchEvent); ok {
		if kind, object, ok := envelope(text); ok {
			event.Type, event.Object.Raw = kind, object
			return event, defaults, nil
		}
	}
	return e.Serializer.Decode(text, defaults, into)
}

// kinds are the events that there are.
var kinds = []watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Bookmark, watch.Error}

// envelope reads an event as API servers write it, as far as to what happened and
// where its object is.
func envelope(text []byte) (kind string, object []byte, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"type":"`))
	written, object, found := bytes.Cut(rest, []byte(`","object":`))
	object, whole := bytes.CutSuffix(object, []byte("}"))
	i := slices.IndexFunc(kinds, func(kind watch.EventType) bool { return string(kind) == string(written) })
	if !ok || !found || !whole || i < 0 {
		return "", nil, false
	}
	return string(kinds[i]), object, true
}
