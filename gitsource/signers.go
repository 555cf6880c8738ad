package gitsource

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// allowedSigner is a line of an allowed_signers file (ssh-keygen(1)).
type allowedSigner struct {
	principals    string // as the line has them
	key           ssh.PublicKey
	authority     bool     // the key signs certificates, not commits
	namespaces    []string // patterns; none is any
	after, before time.Time
}

// namespace says whether the key may sign for a purpose.
func (s allowedSigner) namespace(name string) bool {
	if len(s.namespaces) == 0 {
		return true
	}
	allowed := false
	for _, pattern := range s.namespaces {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if matched, err := path.Match(pattern, name); err != nil || !matched {
			continue
		}
		if negated {
			return false
		}
		allowed = true
	}
	return allowed
}

// parseSigners reads an allowed_signers file. A line that cannot be read fails
// the whole, with its number: half a list would say of a good signer that he is
// unknown.
func parseSigners(text []byte) ([]allowedSigner, error) {
	var signers []allowedSigner
	number := 0
	for line := range bytes.Lines(text) {
		number++
		content := strings.TrimSpace(string(line))
		if content == "" || content[0] == '#' {
			continue
		}
		s, err := parseSigner(content)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		signers = append(signers, s)
	}
	return signers, nil
}

const wantedSigner = `want PRINCIPALS [OPTIONS] KEYTYPE BASE64, such as: ada@lab.example namespaces="git" ssh-ed25519 AAAAC3Nz`

func parseSigner(line string) (s allowedSigner, err error) {
	s.principals, line, err = word(line)
	if err != nil || s.principals == "" || line == "" {
		return s, errors.New(wantedSigner)
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil && keyFirst(line, key) {
		s.key = key
		return s, nil
	}
	options, rest, err := word(line)
	if err != nil {
		return s, errors.New(wantedSigner)
	}
	if err := s.options(options); err != nil {
		return s, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil || !keyFirst(rest, key) {
		return s, errors.New("the key cannot be read: " + wantedSigner)
	}
	s.key = key
	return s, nil
}

// keyFirst says whether a line begins with the type of the key found in it, and
// not with options.
func keyFirst(line string, key ssh.PublicKey) bool {
	kind, _, _ := strings.Cut(line, " ")
	kind, _, _ = strings.Cut(kind, "\t")
	return kind == key.Type()
}

// word takes the first word off a line. Blanks within quotes belong to it, and
// so do the quotes unless they are around all of it.
func word(line string) (first, rest string, err error) {
	quoted := false
	end := strings.IndexFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	})
	if end < 0 {
		if quoted {
			return "", "", errors.New("a quote is not closed")
		}
		end = len(line)
	}
	first, rest = line[:end], strings.TrimLeft(line[end:], " \t")
	if inner, ok := strings.CutPrefix(first, `"`); ok && strings.Count(first, `"`) == 2 {
		first = strings.TrimSuffix(inner, `"`)
	}
	return first, rest, nil
}

// options reads the comma-separated options of a line. One that is not known could
// restrict the key, so it is refused.
func (s *allowedSigner) options(text string) error {
	for _, option := range splitOutsideQuotes(text) {
		name, value, _ := strings.Cut(option, "=")
		value = strings.Trim(value, `"`)
		var err error
		switch strings.ToLower(name) {
		case "cert-authority":
			s.authority = true
		case "namespaces":
			s.namespaces = strings.Split(value, ",")
		case "valid-after":
			s.after, err = signerTime(value)
		case "valid-before":
			s.before, err = signerTime(value)
		default:
			return fmt.Errorf("%q is no option: allowed are namespaces, valid-after, valid-before and cert-authority", printable(name, 40))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(name), err)
		}
	}
	return nil
}

func splitOutsideQuotes(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
}

// signerTime reads YYYYMMDD[HHMM[SS]], in UTC when a Z is behind it.
func signerTime(text string) (time.Time, error) {
	digits, utc := strings.CutSuffix(text, "Z")
	zone := time.Local
	if utc {
		zone = time.UTC
	}
	for _, form := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) == len(form) {
			if at, err := time.ParseInLocation(form, digits, zone); err == nil {
				return at, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: want YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z behind it for UTC", printable(text, 40))
}
