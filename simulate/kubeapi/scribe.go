package kubeapi

import "sync"

// scribeLimit is how many objects a scribe remembers. It starts anew when there are
// more.
const scribeLimit = 1 << 12

// A scribe encodes the versions of objects. What a version shares in memory with the
// one that was encoded before it, which is most of it, is copied from the text of
// that. The zero scribe is ready.
type scribe struct {
	mu   sync.Mutex // guards last
	last map[sheet]*writing
}

// sheet is an object in one of the versions of its kind.
type sheet struct{ uid, version string }

// A writing is the text of an object.
type writing struct {
	content map[string]any // keeps the addresses of the parts from being used anew
	text    []byte
	parts   []part // by where they end
}

// encode returns the text of an object, which must not be written to.
func (s *scribe) encode(at sheet, content map[string]any) []byte {
	s.mu.Lock()
	before := s.last[at]
	s.mu.Unlock()
	p := pen{text: make([]byte, 0, usualObject)}
	if before != nil {
		p = pen{text: make([]byte, 0, len(before.text)+usualObject/8), parts: make([]part, 0, len(before.parts)+1), before: before}
	}
	p.write(content, 0)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || len(s.last) >= scribeLimit {
		s.last = map[sheet]*writing{}
	}
	s.last[at] = &writing{content, p.text, p.parts}
	return p.text
}

// forget drops what is remembered of an object.
func (s *scribe) forget(at sheet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, at)
}
