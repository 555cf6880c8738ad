package kubeapi

import "sync"

// scribeLimit is how many objects a scribe remembers. It starts anew when there are
// more.
const scribeLimit = 1 << 12

// A scribe encodes the versions of objects. What a version shares in memory with the
// one that was encoded before it, which is most of it, is copied from the text of
// that. The zero scribe is ready.
type scribe struct {
	mu    sync.Mutex // guards what is below
	last  map[sheet]*writing
	parts []part // of what was encoded last, for the next to be noted in
}

// sheet is an object in one of the versions of its kind.
type sheet struct{ uid, version string }

// A writing is the text of an object.
type writing struct {
	content map[string]any // keeps the addresses of the parts from being used anew
	text    []byte
	parts   []part // by where they end
	header  header
}

// encode appends the text of an object, with its resourceVersion.
func (s *scribe) encode(buf []byte, at sheet, content map[string]any, version string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.writing(at)
	p := pen{version: version, text: buf, start: len(buf), parts: s.parts[:0], before: last}
	p.write(content, 0)
	last.content, last.header = content, p.header
	last.text = append(last.text[:0], p.text[p.start:]...)
	last.parts = append(last.parts[:0], p.parts...)
	s.parts = p.parts
	return p.text
}

// writing is what is remembered of an object, nothing at first.
func (s *scribe) writing(at sheet) *writing {
	if last := s.last[at]; last != nil {
		return last
	}
	if s.last == nil || len(s.last) >= scribeLimit {
		s.last = map[sheet]*writing{}
	}
	s.last[at] = &writing{}
	return s.last[at]
}

// forget drops what is remembered of an object.
func (s *scribe) forget(at sheet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, at)
}
