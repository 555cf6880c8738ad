package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// sharedLimit is how many conditions are remembered; the memory starts anew when it
// is full.
const sharedLimit = 1 << 11

// sharedConditions has conditions that are equal be one. Conditions are most of what a
// fleet's objects are made of, and machines that reach a state at the same time say
// the same: such a condition is neither made nor kept a second time. Nil shares
// nothing.
type sharedConditions struct {
	known map[said]*conditionEntry
	now   time.Time // of which the stamp is
	stamp string
}

// said is all that a condition says.
type said struct {
	resource.Condition
	since string
}

func newSharedConditions() *sharedConditions {
	return &sharedConditions{known: map[said]*conditionEntry{}}
}

// condition is the one that says c.
func (s *sharedConditions) condition(c resource.Condition, since string) *conditionEntry {
	if s == nil {
		return newCondition(c, since)
	}
	key := said{c, since}
	known := s.known[key]
	if known == nil {
		if len(s.known) >= sharedLimit {
			clear(s.known)
		}
		known = newCondition(c, since)
		s.known[key] = known
	}
	return known
}

func newCondition(c resource.Condition, since string) *conditionEntry {
	return &conditionEntry{c, since, map[string]any{
		"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message, "lastTransitionTime": since,
	}}
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
