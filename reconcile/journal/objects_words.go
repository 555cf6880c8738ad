package journal

import (
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// words keeps one copy of what every object repeats: kinds, namespaces, reasons,
// lists of finalizers. They come from controllers' fixed vocabularies. What comes
// after the bound is kept with the object that says it.
type words struct {
	texts  map[string]string
	claims map[claim]*claim
	lists  map[string][]string
}

const wordsCap = 8192

// A claim is a condition without its message.
type claim struct {
	Type, Status, Reason string
	wrong                bool
}

func (w *words) one(s string) string {
	if s == "" {
		return ""
	}
	if kept, known := w.texts[s]; known {
		return kept
	}
	s = strings.Clone(s)
	if w.texts == nil {
		w.texts = map[string]string{}
	}
	if len(w.texts) < wordsCap {
		w.texts[s] = s
	}
	return s
}

func (w *words) claim(kind string, c resource.Condition) *claim {
	return w.keep(claim{Type: c.Type, Status: c.Status, Reason: c.Reason, wrong: !phase.AsItShouldBe(kind, c)})
}

// plain is a claim of one word.
func (w *words) plain(word string) *claim { return w.keep(claim{Type: word}) }

func (w *words) keep(key claim) *claim {
	if kept := w.claims[key]; kept != nil {
		return kept
	}
	key.Type, key.Status, key.Reason = w.one(key.Type), w.one(key.Status), w.one(key.Reason)
	if w.claims == nil {
		w.claims = map[claim]*claim{}
	}
	if len(w.claims) < wordsCap {
		w.claims[key] = &key
	}
	return &key
}

func (w *words) list(items []string) []string {
	if len(items) == 0 {
		return nil
	}
	key := strings.Join(items, "\x00")
	if kept, known := w.lists[key]; known {
		return kept
	}
	out := slices.Clone(items)
	for i := range out {
		out[i] = w.one(out[i])
	}
	if w.lists == nil {
		w.lists = map[string][]string{}
	}
	if len(w.lists) < wordsCap {
		w.lists[key] = out
	}
	return out
}
