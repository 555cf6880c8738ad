package schema

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// SecretRef says where a secret is: in an environment variable or in a file. It
// never holds the secret, and prints as "(hidden)" all the same, as does whatever
// it is part of. The zero value refers to nothing.
type SecretRef struct {
	Env  string
	File string
}

// maxSecretBytes is the longest secret. A key of 16,384 bits in PEM is 13 KiB.
const maxSecretBytes = 64 << 10

// IsZero says whether s refers to nothing.
func (s SecretRef) IsZero() bool { return s == SecretRef{} }

// Read returns the secret, without the line break that editors put behind it.
// getenv and readFile are os.Getenv and os.ReadFile outside of tests. It reads
// anew each time, so that a rotated secret is found. It fails where there is
// nothing, naming the variable or file and never its content; the zero SecretRef
// is "".
func (s SecretRef) Read(getenv func(string) string, readFile func(string) ([]byte, error)) (string, error) {
	var secret string
	switch {
	case s.IsZero():
		return "", nil
	case s.Env != "":
		if secret = getenv(s.Env); secret == "" {
			return "", fmt.Errorf("the environment variable %s is not set or empty: it has to hold a secret that the configuration refers to", s.Env)
		}
	default:
		data, err := readFile(s.File)
		if err != nil {
			return "", fmt.Errorf("reading the secret that the configuration refers to: %w", err)
		}
		if len(data) > maxSecretBytes {
			return "", fmt.Errorf("the secret in %s has more than %d KiB: the file has to hold the secret and nothing else", s.File, maxSecretBytes>>10)
		}
		if secret = strings.TrimRight(string(data), "\r\n"); secret == "" {
			return "", fmt.Errorf("the secret in %s is empty", s.File)
		}
	}
	if strings.ContainsRune(secret, 0) {
		return "", errors.New("a secret that the configuration refers to holds a zero byte")
	}
	return secret, nil
}

// String is "(hidden)", or "" of the zero value.
func (s SecretRef) String() string {
	if s.IsZero() {
		return ""
	}
	return resource.Hidden
}

// GoString keeps %#v from looking inside.
func (s SecretRef) GoString() string { return s.String() }

// LogValue is for slog.
func (s SecretRef) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps JSON and YAML from looking inside.
func (s SecretRef) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UserRef is a user name, written out or kept where a secret is. The zero value
// is no name.
type UserRef struct {
	// Name is the name itself.
	Name string
	// From is where it is kept; the zero value when Name is given.
	From SecretRef
}

// IsZero says whether u is no name.
func (u UserRef) IsZero() bool { return u == UserRef{} }

// Read returns the name, as SecretRef.Read does.
func (u UserRef) Read(getenv func(string) string, readFile func(string) ([]byte, error)) (string, error) {
	if u.Name != "" {
		return u.Name, nil
	}
	return u.From.Read(getenv, readFile)
}
