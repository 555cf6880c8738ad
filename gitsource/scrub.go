package gitsource

import (
	"errors"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// secrets are what an attempt logged in with.
type secrets struct{ values []string }

// add has a secret kept out of messages. One of a few characters is part of too
// many words to be.
func (s *secrets) add(secret string) {
	if len(secret) >= 4 {
		s.values = append(s.values, secret)
	}
}

// scrub is an error without the secrets. No message is made of one; this is for
// what a server or a library repeats.
func (s *secrets) scrub(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	clean := resource.Redact(said)
	for _, v := range s.values {
		clean = strings.ReplaceAll(clean, v, resource.Hidden)
	}
	switch {
	case clean == said:
		return err
	case isRefusal(err):
		return refusal{errors.New(clean)}
	}
	return errors.New(clean)
}
