package gitsource

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// signed is a commit taken apart: what was signed, byte by byte as it is stored,
// and the signature.
type signed struct {
	payload   []byte
	signature string
}

// What begins each kind of signature.
const (
	beginOpenPGP = "-----BEGIN PGP SIGNATURE-----"
	beginSSH     = "-----BEGIN SSH SIGNATURE-----"
)

// errUnsigned and errTwice are the ways in which there is nothing to verify.
var (
	errUnsigned = errors.New("it is not signed: sign it (git commit --amend -S) and push it again")
	errTwice    = errors.New("it carries more than one signature, so that nobody can tell whose counts: sign it once and push it again")
)

// signer says who signed a commit, when that is someone who may.
func (v Verify) signer(repo *repository, c *object.Commit) (string, error) {
	raw, err := repo.raw(c.Hash)
	if err != nil {
		return "", err
	}
	// What is served must be what is signed, however the headers are spelled.
	if !bytes.HasPrefix(raw, []byte("tree "+c.TreeHash.String()+"\n")) {
		return "", refused("its headers are not in the order that Git writes, so it cannot be said what was signed: do not trust it")
	}
	s, err := takeApart(raw)
	if err != nil {
		return "", refusal{err}
	}
	switch {
	case strings.HasPrefix(s.signature, beginSSH) && v.SSHAllowedSignersFile != "":
		return v.sshSigner(s, c.Committer.When)
	case strings.HasPrefix(s.signature, beginSSH):
		return "", refused("it is signed with an ssh key, and the source has OpenPGP keys only: sign it with one of those, or give the source an allowed_signers file")
	case strings.HasPrefix(s.signature, beginOpenPGP) && v.OpenPGPKeysFile != "":
		return v.openPGPSigner(s)
	case strings.HasPrefix(s.signature, beginOpenPGP):
		return "", refused("it is signed with an OpenPGP key, and the source has ssh signers only: sign it with one of those, or give the source a file of OpenPGP keys")
	}
	return "", refused("its signature is neither of OpenPGP nor of ssh, which are the kinds that are verified")
}

// raw is a commit as it is stored.
func (r *repository) raw(h plumbing.Hash) (text []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.retried(func() error {
		o, err := r.store.EncodedObject(plumbing.CommitObject, h)
		if err != nil {
			return err
		}
		from, err := o.Reader()
		if err != nil {
			return err
		}
		defer from.Close()
		text, err = io.ReadAll(io.LimitReader(from, maxCommitBytes+1))
		return err
	})
	return text, err
}

// takeApart splits a stored commit the way Git does: the headers end at the first
// empty line, a line that begins with a space continues the header above it, and
// what was signed is the commit without its gpgsig headers.
func takeApart(raw []byte) (signed, error) {
	end := bytes.Index(raw, []byte("\n\n"))
	if end < 0 {
		end = len(raw)
	}
	var s signed
	found, header := 0, ""
	for line := range bytes.Lines(raw[:min(end+1, len(raw))]) {
		name, value, _ := bytes.Cut(line, []byte(" "))
		if len(name) > 0 {
			header = string(name)
			if header == "gpgsig" {
				found++
			}
		}
		switch header {
		case "gpgsig":
			s.signature += string(value)
		case "gpgsig-sha256": // that of the same commit with other hashes
		default:
			s.payload = append(s.payload, line...)
		}
	}
	s.payload = append(s.payload, raw[min(end+1, len(raw)):]...)
	switch {
	case found == 0:
		return signed{}, errUnsigned
	case found > 1 || strings.Count(s.signature, "-----BEGIN ") != 1 || strings.Count(s.signature, "-----END ") != 1:
		return signed{}, errTwice
	}
	return s, nil
}
