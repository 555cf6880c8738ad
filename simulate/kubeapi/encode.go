package kubeapi

import (
	"encoding/json"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What a client may want objects as.
const (
	asMetadata = "PartialObjectMetadata"
	asTable    = "Table"
)

// form is how a client wants to see objects.
type form struct {
	version     string // of the kind
	as          string // asMetadata, asTable, or "" for the whole
	metaVersion string // apiVersion of that
	include     metav1.IncludeObjectPolicy
}

// encode appends u, which is of t, as JSON in the form f, in the order of its keys.
func (s *Store) encode(buf []byte, t *table, u *unstructured.Unstructured, f form) []byte {
	switch f.as {
	case asMetadata:
		return appendJSON(buf, partial(u.Object, f))
	case asTable:
		return appendJSON(buf, s.tableOfOne(t, u, f, true))
	}
	return appendJSON(buf, s.convert(u, f.version).Object)
}

// encodeVersion encodes the whole of one of the versions of an object as it is stored,
// all of which are the same for the most part, or of the last, with its resourceVersion.
func (s *Store) encodeVersion(buf []byte, u *unstructured.Unstructured, version string, number uint64, last bool) []byte {
	at := sheet{uidOf(u), version}
	buf = s.scribe.encode(buf, at, s.convert(u, version).Object, formatVersion(number))
	if last {
		s.scribe.forget(at)
	}
	return buf
}

// atVersion copies u, of the store, as far as needed to give it its resourceVersion.
func atVersion(u *unstructured.Unstructured, version uint64) *unstructured.Unstructured {
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	ownMetadata(u)["resourceVersion"] = formatVersion(version)
	return u
}

// appendJSON encodes what checkJSON passes.
func appendJSON(buf []byte, v any) []byte {
	p := pen{text: buf}
	p.write(v, sharedDepth+1)
	return p.text
}

// appendString quotes what nearly every string is: plain text, in lines.
func appendString(buf []byte, s string) []byte {
	start, done := len(buf), 0
	buf = append(buf, '"')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
		case c == '\n':
			c = 'n'
		case c < ' ' || c > '~':
			return appendOther(buf[:start], s)
		default:
			continue
		}
		buf = append(append(buf, s[done:i]...), '\\', c)
		done = i + 1
	}
	return append(append(buf, s[done:]...), '"')
}

// appendOther encodes what is rare: numbers with a fraction, strings with other escapes.
func appendOther(buf []byte, v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil { // checkJSON let nothing in that cannot be encoded
		return append(buf, "null"...)
	}
	return append(buf, encoded...)
}
