package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// sharedLimit is how many conditions and how many words are remembered; the memory of
// either starts anew when it is full.
const sharedLimit = 1 << 11

// sharedConditions has conditions that are equal be one. Conditions are most of what a
// fleet's objects are made of, and machines that reach a state at the same time say
// the same: such a condition is neither made nor kept a second time. Nil shares
// nothing.
type sharedConditions struct {
	known map[said]*conditionEntry
	words map[string]any // types, statuses, reasons and times, as entries hold them
	types *typeList      // has no types
	now   time.Time      // of which the stamp is
	stamp string
}

func newSharedConditions() *sharedConditions {
	return &sharedConditions{known: map[said]*conditionEntry{}, words: map[string]any{}, types: &typeList{}}
}

// condition is the one that says c.
func (s *sharedConditions) condition(c resource.Condition, since string) *conditionEntry {
	if s == nil {
		return s.entry(said{c, since})
	}
	known := s.known[said{c, since}]
	if known == nil {
		if len(s.known) >= sharedLimit {
			clear(s.known)
		}
		known = s.entry(said{c, since})
		s.known[known.said] = known
	}
	return known
}

func (s *sharedConditions) entry(c said) *conditionEntry {
	return &conditionEntry{c, map[string]any{
		"type": s.word(c.Type), "status": s.word(c.Status), "reason": s.word(c.Reason),
		"message": c.Message, "lastTransitionTime": s.word(c.since),
	}}
}

// word is a text that many conditions have.
func (s *sharedConditions) word(text string) any {
	if s == nil {
		return text
	}
	known := s.words[text]
	if known == nil {
		if len(s.words) >= sharedLimit {
			clear(s.words)
		}
		known = text
		s.words[text] = known
	}
	return known
}

// noTypes is the list of types that all others begin with.
func (s *sharedConditions) noTypes() *typeList {
	if s == nil {
		return &typeList{}
	}
	return s.types
}

// at is a time as conditions have it. Much happens in one instant.
func (s *sharedConditions) at(now time.Time) string {
	if s == nil {
		return stamp(now)
	}
	if s.stamp == "" || !s.now.Equal(now) {
		s.now, s.stamp = now, stamp(now)
	}
	return s.stamp
}
