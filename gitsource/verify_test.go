package gitsource_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/vksync/vksync/gitsource"
)

// signing puts a signature into the commit at the head of a team's clone and
// pushes it. sign gets the bytes that are signed.
func (w team) signing(sign func(payload []byte) string, change func(commit []byte) []byte) string {
	w.t.Helper()
	w.commit(map[string]string{"clusters/prod.yaml": "replicas: 3\n"})
	raw := catFile(w.t, w.clone)
	headers, body, _ := bytes.Cut(raw, []byte("\n\n"))
	var signed bytes.Buffer
	signed.Write(headers)
	if sign != nil {
		signed.WriteString("\ngpgsig " + strings.ReplaceAll(strings.TrimSuffix(sign(raw), "\n"), "\n", "\n "))
	}
	signed.WriteString("\n\n")
	signed.Write(body)
	text := signed.Bytes()
	if change != nil {
		text = change(text)
	}
	return w.pushRaw(text)
}

// pushRaw pushes a commit object as it is given.
func (w team) pushRaw(text []byte) string {
	w.t.Helper()
	store := exec.CommandContext(w.t.Context(), "git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin")
	store.Dir, store.Env, store.Stdin = w.clone, gitEnv(), bytes.NewReader(text)
	out, err := store.Output()
	if err != nil {
		w.t.Fatalf("git hash-object: %v", err)
	}
	h := strings.TrimSpace(string(out))
	w.push("--force", "origin", h+":refs/heads/main")
	return h
}

func catFile(t testing.TB, dir string) []byte {
	t.Helper()
	show := exec.CommandContext(t.Context(), "git", "cat-file", "commit", "HEAD")
	show.Dir, show.Env = dir, gitEnv()
	raw, err := show.Output()
	if err != nil {
		t.Fatalf("git cat-file: %v", err)
	}
	return raw
}

func sshKey(t testing.TB) ssh.Signer {
	t.Helper()
	s, _ := newKey(t)
	return s
}

func sshSign(t testing.TB, key ssh.Signer, namespace string) func([]byte) string {
	return func(payload []byte) string {
		s, err := sshsig.Sign(bytes.NewReader(payload), key, sshsig.HashSHA512, namespace)
		if err != nil {
			t.Fatal(err)
		}
		return string(sshsig.Armor(s))
	}
}

func authorized(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func pgpKey(t testing.TB, config *packet.Config) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Ada", "", "ada@lab.example", config)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func pgpSign(t testing.TB, key *openpgp.Entity) func([]byte) string {
	return func(payload []byte) string {
		var out bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&out, key, bytes.NewReader(payload), nil); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
}

func armored(t testing.TB, keys ...*openpgp.Entity) string {
	t.Helper()
	var out bytes.Buffer
	for _, k := range keys {
		w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Serialize(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(&out, "\n")
	}
	return out.String()
}

func TestSignaturesAreVerified(t *testing.T) {
	t.Parallel()
	ada, eve := sshKey(t), sshKey(t)
	adaPGP, evePGP, bobPGP := pgpKey(t, nil), pgpKey(t, nil), pgpKey(t, nil)
	old := func() time.Time { return time.Now().AddDate(-2, 0, 0) }
	expired := pgpKey(t, &packet.Config{Time: old, KeyLifetimeSecs: 3600})
	certified := certificateOf(t, ada)
	line := func(options string) string { return "ada@lab.example " + options + authorized(ada.PublicKey()) + "\n" }
	keyring := armored(t, bobPGP, adaPGP, expired)
	fingerprint := ssh.FingerprintSHA256(ada.PublicKey())
	replaced := func(from, to string) func([]byte) []byte {
		return func(c []byte) []byte { return bytes.Replace(c, []byte(from), []byte(to), 1) }
	}
	for _, tt := range []struct {
		name    string
		sign    func([]byte) string
		change  func([]byte) []byte
		signers string // the allowed_signers; "" is no such file
		keys    string // the OpenPGP keys; "" is no such file
		signer  string // who must be named, or
		says    []string
	}{
		{name: "ssh", sign: sshSign(t, ada, "git"), signers: "# team\n\n" + line(""), signer: "ada@lab.example (ssh " + fingerprint + ")"},
		{name: "ssh with options", sign: sshSign(t, ada, "git"), signers: line(`namespaces="file,git",valid-after="20200101",valid-before="20990101Z" `), signer: "ada@lab.example (ssh " + fingerprint + ")"},
		{name: "ssh beside OpenPGP keys", sign: sshSign(t, ada, "git"), signers: line(""), keys: keyring, signer: "ada@lab.example (ssh " + fingerprint + ")"},
		{name: "OpenPGP", sign: pgpSign(t, adaPGP), keys: keyring, signer: fmt.Sprintf("Ada <ada@lab.example> (OpenPGP %X)", adaPGP.PrimaryKey.Fingerprint)},
		{name: "OpenPGP beside ssh signers", sign: pgpSign(t, adaPGP), keys: keyring, signers: line(""), signer: fmt.Sprintf("Ada <ada@lab.example> (OpenPGP %X)", adaPGP.PrimaryKey.Fingerprint)},
		{name: "not signed", signers: line(""), says: []string{"it is not signed", "git commit --amend -S"}},
		{name: "a signature in the message", change: func(c []byte) []byte {
			return append(c, []byte("\n-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n")...)
		}, signers: line(""), says: []string{"it is not signed"}},
		{name: "an unknown ssh key", sign: sshSign(t, eve, "git"), signers: line(""), says: []string{"signed by the ssh key " + ssh.FingerprintSHA256(eve.PublicKey()) + ", which is not in"}},
		{name: "an unknown OpenPGP key", sign: pgpSign(t, evePGP), keys: keyring, says: []string{fmt.Sprintf("signed by the OpenPGP key %016X, which is not in", evePGP.PrimaryKey.KeyId)}},
		{name: "a changed message, ssh", sign: sshSign(t, ada, "git"), change: replaced("\n\nchange", "\n\nchanged"), signers: line(""), says: []string{"its ssh signature by " + fingerprint + " is not valid"}},
		{name: "a changed message, OpenPGP", sign: pgpSign(t, adaPGP), change: replaced("\n\nchange", "\n\nchanged"), keys: keyring, says: []string{"its OpenPGP signature by the key", "is not valid"}},
		{name: "a header more", sign: sshSign(t, ada, "git"), change: replaced("\ngpgsig", "\nx-extra 1\ngpgsig"), signers: line(""), says: []string{"is not valid"}},
		{name: "another namespace", sign: sshSign(t, ada, "file"), signers: line(""), says: []string{"is not valid", "namespace"}},
		{name: "a key for files only", sign: sshSign(t, ada, "git"), signers: line(`namespaces="file" `), says: []string{"is not for Git"}},
		{name: "a key that is retired", sign: sshSign(t, ada, "git"), signers: line(`valid-before="20200101Z" `), says: []string{"was valid only until 2020-01-01"}},
		{name: "a key of the future", sign: sshSign(t, ada, "git"), signers: line(`valid-after="20990101Z" `), says: []string{"is valid only from 2099-01-01"}},
		{name: "an authority's own key", sign: sshSign(t, ada, "git"), signers: line("cert-authority "), says: []string{"which is not in"}},
		{name: "a certificate", sign: sshSign(t, certified, "git"), signers: line("cert-authority "), says: []string{"signed with an ssh certificate, which is not verified"}},
		{name: "an expired OpenPGP key", sign: pgpSignAt(t, expired, old), keys: keyring, says: []string{"which has expired"}},
		{name: "two signatures in a header", sign: func(p []byte) string { return sshSign(t, ada, "git")(p) + sshSign(t, eve, "git")(p) }, signers: line(""), says: []string{"more than one signature"}},
		{name: "two signatures in an OpenPGP block", sign: func(p []byte) string { return twoInOne(t, p, evePGP, adaPGP) }, keys: keyring, says: []string{"holds more than one signature"}},
		{name: "two headers", sign: sshSign(t, ada, "git"), change: func(c []byte) []byte {
			return bytes.Replace(c, []byte("\ngpgsig "), []byte("\ngpgsig -----BEGIN SSH SIGNATURE-----\n -----END SSH SIGNATURE-----\ngpgsig "), 1)
		}, signers: line(""), says: []string{"more than one signature"}},
		{name: "ssh where OpenPGP is wanted", sign: sshSign(t, ada, "git"), keys: keyring, says: []string{"signed with an ssh key, and the source has OpenPGP keys only"}},
		{name: "OpenPGP where ssh is wanted", sign: pgpSign(t, adaPGP), signers: line(""), says: []string{"signed with an OpenPGP key, and the source has ssh signers only"}},
		{name: "another kind", sign: func([]byte) string { return "-----BEGIN SIGNED MESSAGE-----\nAA==\n-----END SIGNED MESSAGE-----\n" }, signers: line(""), says: []string{"neither of OpenPGP nor of ssh"}},
		{name: "rubbish, ssh", sign: func([]byte) string { return "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n" }, signers: line(""), says: []string{"ssh signature cannot be read"}},
		{name: "rubbish, OpenPGP", sign: func([]byte) string { return "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n" }, keys: keyring, says: []string{"OpenPGP signature cannot be read"}},
		{name: "a broken file of signers", sign: sshSign(t, ada, "git"), signers: line("") + "who is this\n", says: []string{"signers:2: ", `"is" is no option`}},
		{name: "a broken file of keys", sign: pgpSign(t, adaPGP), keys: "no keys", says: []string{"has no armored OpenPGP keys"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, dir := newTeam(t), t.TempDir()
			c := gitsource.Config{URL: w.bare}
			if tt.signers != "" {
				c.Verify.SSHAllowedSignersFile = filepath.Join(dir, "signers")
				write(t, c.Verify.SSHAllowedSignersFile, tt.signers)
			}
			if tt.keys != "" {
				c.Verify.OpenPGPKeysFile = filepath.Join(dir, "keys")
				write(t, c.Verify.OpenPGPKeysFile, tt.keys)
			}
			h := w.signing(tt.sign, tt.change)
			s := follow(t, c)
			if tt.signer == "" {
				got := untilSays(t, s, append([]string{"commit " + h[:12] + " on main: "}, tt.says...)...)
				if got.Tree != nil {
					t.Error("a tree is served")
				}
				return
			}
			if got := untilServes(t, s, h); got.Commit.Signer != tt.signer {
				t.Errorf("the signer is %q, want %q", got.Commit.Signer, tt.signer)
			}
		})
	}
}

// twoInOne is one block that holds the signatures of two keys.
func twoInOne(t *testing.T, payload []byte, keys ...*openpgp.Entity) string {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.SignatureType, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if err := openpgp.DetachSign(w, k, bytes.NewReader(payload), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}

func pgpSignAt(t *testing.T, key *openpgp.Entity, at func() time.Time) func([]byte) string {
	return func(payload []byte) string {
		var out bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&out, key, bytes.NewReader(payload), &packet.Config{Time: at}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
}

// certificateOf is a signer whose public key is a certificate that authority made.
func certificateOf(t *testing.T, authority ssh.Signer) ssh.Signer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: key, CertType: ssh.UserCert, ValidPrincipals: []string{"ada@lab.example"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	own, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, own)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// What Git itself signs with ssh-keygen is what is verified.
func TestGitsOwnSSHSignatureIsVerified(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("there is no ssh-keygen")
	}
	w, dir := newTeam(t), t.TempDir()
	key, private := newKey(t)
	file, signers := filepath.Join(dir, "id"), filepath.Join(dir, "signers")
	write(t, file, string(private))
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, file+".pub", authorized(key.PublicKey())+"\n")
	write(t, signers, `"ada@lab.example,*@ops.example" `+authorized(key.PublicKey())+" laptop\n")
	gitIn(t, w.clone, "config", "gpg.format", "ssh")
	gitIn(t, w.clone, "config", "user.signingkey", file)
	h := w.commit(map[string]string{"a.yaml": "a: 1\n"}, "-S")
	w.push()
	s := follow(t, gitsource.Config{URL: w.bare, Verify: gitsource.Verify{SSHAllowedSignersFile: signers}})
	if got := untilServes(t, s, h); !strings.HasPrefix(got.Commit.Signer, "ada@lab.example,*@ops.example (ssh SHA256:") {
		t.Errorf("the signer is %q", got.Commit.Signer)
	}
	// A signer that is struck off may not sign the next one; the last good one stays.
	write(t, signers, "# nobody\n")
	w.commit(map[string]string{"a.yaml": "a: 2\n"}, "-S")
	w.push()
	if got := untilSays(t, s, "which is not in "+signers); got.Commit.Hash != h {
		t.Errorf("%s is served", got.Commit.Hash)
	}
}
