package kubeapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

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

// atVersion copies u as far as needed to give it another resourceVersion.
func atVersion(u *unstructured.Unstructured, version uint64) *unstructured.Unstructured {
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	ownMetadata(u)["resourceVersion"] = formatVersion(version)
	return u
}

// appendJSON encodes what checkJSON passes, without reflection: every change of
// a watched kind goes through here.
func appendJSON(buf []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		return appendMap(buf, v)
	case []any:
		buf = append(buf, '[')
		for i, item := range v {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = appendJSON(buf, item)
		}
		return append(buf, ']')
	case string:
		return appendString(buf, v)
	case int64:
		return strconv.AppendInt(buf, v, 10)
	case bool:
		return strconv.AppendBool(buf, v)
	case nil:
		return append(buf, "null"...)
	}
	return appendOther(buf, v)
}

func appendMap(buf []byte, m map[string]any) []byte {
	var room [16]string
	keys := slices.AppendSeq(room[:0], maps.Keys(m))
	slices.Sort(keys)
	buf = append(buf, '{')
	for i, key := range keys {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(appendString(buf, key), ':')
		buf = appendJSON(buf, m[key])
	}
	return append(buf, '}')
}

func appendString(buf []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendOther(buf, s)
		}
	}
	buf = append(buf, '"')
	buf = append(buf, s...)
	return append(buf, '"')
}

// appendOther encodes what is rare: numbers with a fraction, strings with escapes.
func appendOther(buf []byte, v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil { // checkJSON let nothing in that cannot be encoded
		return append(buf, "null"...)
	}
	return append(buf, encoded...)
}
