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

// scrub is an error without the secrets and without what a terminal would act
// upon. No message of ours has either; this is for what a server or a library
// repeats.
func (s *secrets) scrub(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	clean := printable(resource.Redact(said), 2000)
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
