package gitsource

import (
	"bytes"
	"fmt"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// sshNamespace is what Git's ssh signatures are made for.
const sshNamespace = "git"

// sshSigner verifies an ssh signature and says whose it is: the principals and
// the key's fingerprint.
func (v Verify) sshSigner(s signed, committed time.Time) (string, error) {
	text, err := readKeys(v.SSHAllowedSignersFile)
	if err != nil {
		return "", err
	}
	signers, err := parseSigners(text)
	if err != nil {
		return "", fmt.Errorf("%s:%w", v.SSHAllowedSignersFile, err)
	}
	signature, err := sshsig.Unarmor([]byte(s.signature))
	if err != nil {
		return "", refused("its ssh signature cannot be read: %s", printable(err.Error(), 120))
	}
	if _, certified := signature.PublicKey.(*ssh.Certificate); certified {
		return "", refused("it is signed with an ssh certificate, which is not verified: sign it with a key that is in %s itself", v.SSHAllowedSignersFile)
	}
	shown := ssh.FingerprintSHA256(signature.PublicKey)
	// Whether it is what was signed comes before who may sign.
	if signature.Signature.Format == ssh.KeyAlgoRSA {
		return "", refused("it is signed by the ssh key %s with SHA-1, which can be forged: sign it with ssh-keygen of OpenSSH 8.2 or later", shown)
	}
	err = sshsig.Verify(bytes.NewReader(s.payload), signature, signature.PublicKey, signature.HashAlgorithm, sshNamespace)
	if err != nil {
		return "", refused("its ssh signature by %s is not valid, so it is not what was signed: do not trust it (%s)", shown, printable(err.Error(), 120))
	}
	who, why := permitted(signers, signature.PublicKey, committed)
	if why != "" {
		return "", refused("it is signed by the ssh key %s, which %s in %s: add or correct its line there if it may sign", shown, why, v.SSHAllowedSignersFile)
	}
	return printable(fmt.Sprintf("%s (ssh %s)", who, shown), 300), nil
}

// permitted says who a key belongs to, or why it may not sign. Times are held
// against that of the commit, as Git does: so a line is removed to revoke a key,
// and dated to retire one.
func permitted(signers []allowedSigner, key ssh.PublicKey, at time.Time) (who, why string) {
	why = "is not"
	for _, s := range signers {
		switch {
		case s.authority || !bytes.Equal(s.key.Marshal(), key.Marshal()):
		case !s.namespace(sshNamespace):
			why = "is not for Git (its namespaces say so)"
		case !s.after.IsZero() && at.Before(s.after):
			why = fmt.Sprintf("is valid only from %s", s.after.Format(time.DateTime))
		case !s.before.IsZero() && !at.Before(s.before):
			why = fmt.Sprintf("was valid only until %s", s.before.Format(time.DateTime))
		default:
			return s.principals, ""
		}
	}
	return "", why
}
