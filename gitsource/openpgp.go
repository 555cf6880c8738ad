package gitsource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// maxKeysFile bounds a file of public keys or signers.
const maxKeysFile = 16 << 20

// openPGPSigner verifies an OpenPGP signature and says whose it is: the identity
// and the key's fingerprint.
func (v Verify) openPGPSigner(s signed) (string, error) {
	ring, err := keyRing(v.OpenPGPKeysFile)
	if err != nil {
		return "", err
	}
	id, err := issuer(s.signature)
	if err != nil {
		return "", refused("its OpenPGP signature cannot be read: %w", err)
	}
	if len(ring.KeysById(id)) == 0 {
		return "", refused("it is signed by the OpenPGP key %016X, which is not in %s: add the public key there if it may sign", id, v.OpenPGPKeysFile)
	}
	entity, err := openpgp.CheckArmoredDetachedSignature(ring, bytes.NewReader(s.payload), strings.NewReader(s.signature), nil)
	switch {
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return "", refused("it is signed by the OpenPGP key %016X, which has expired: renew it in %s", id, v.OpenPGPKeysFile)
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return "", refused("it is signed by the OpenPGP key %016X, which was revoked: sign it with another one", id)
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return "", refused("its OpenPGP signature has expired: sign it again and push it")
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return "", refused("it is signed by the OpenPGP key %016X, which is not for signing: use one that is", id)
	case err != nil:
		return "", refused("its OpenPGP signature by the key %016X is not valid, so it is not what was signed: do not trust it (%s)", id, printable(err.Error(), 120))
	}
	return printable(fmt.Sprintf("%s (OpenPGP %X)", identity(entity), entity.PrimaryKey.Fingerprint), 300), nil
}

// keyRing reads a file of armored blocks, any number of them after one another.
func keyRing(file string) (openpgp.EntityList, error) {
	text, err := readKeys(file)
	if err != nil {
		return nil, err
	}
	const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	blocks := strings.Split(string(text), begin)
	if len(blocks) < 2 {
		return nil, fmt.Errorf("%s has no armored OpenPGP keys: add one with gpg --armor --export KEY >> %s", file, file)
	}
	var ring openpgp.EntityList
	for i, block := range blocks[1:] {
		keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(begin + block))
		if err != nil {
			return nil, fmt.Errorf("block %d of %s cannot be read as OpenPGP keys: %s", i+1, file, printable(err.Error(), 120))
		}
		ring = append(ring, keys...)
	}
	return ring, nil
}

func readKeys(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading who may sign: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeysFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading who may sign: %w", err)
	}
	if len(text) > maxKeysFile {
		return nil, fmt.Errorf("%s has more than %d bytes: keep the keys in it that may sign", file, maxKeysFile)
	}
	return text, nil
}

// issuer is the key that a signature says it is by. There must be one signature
// and nothing else.
func issuer(text string) (uint64, error) {
	block, err := armor.Decode(strings.NewReader(text))
	if err != nil {
		return 0, err
	}
	packets := packet.NewReader(block.Body)
	first, err := packets.Next()
	if err != nil {
		return 0, err
	}
	signature, ok := first.(*packet.Signature)
	if !ok || signature.IssuerKeyId == nil {
		return 0, errors.New("it names no key")
	}
	if _, err := packets.Next(); !errors.Is(err, io.EOF) {
		return 0, errors.New("it holds more than one signature")
	}
	if signature.SigType != packet.SigTypeBinary && signature.SigType != packet.SigTypeText {
		return 0, errors.New("it is not the signature of a text")
	}
	return *signature.IssuerKeyId, nil
}

// identity is the name that a key has.
func identity(e *openpgp.Entity) string {
	if primary := e.PrimaryIdentity(); primary != nil {
		return primary.Name
	}
	var names []string
	for name := range e.Identities {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
