package link

import (
	"crypto/sha1" //#nosec G505 -- vCenter and its tools print SHA-1 thumbprints
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Trust says which certificate of a server is accepted. The zero Trust is what
// the system trusts.
type Trust struct {
	// RootCAs verify the certificate; nil is the system's.
	RootCAs *x509.CertPool
	// Thumbprint, SHA-1 or SHA-256 in hex with or without colons, accepts the
	// certificate that has it when RootCAs do not.
	Thumbprint string
	// Insecure accepts any certificate.
	Insecure bool
}

// TLS is the configuration of a client. It fails when the thumbprint is none.
func (t Trust) TLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.RootCAs, InsecureSkipVerify: t.Insecure}
	if t.Thumbprint == "" || t.Insecure {
		return config, nil
	}
	want, err := parseThumbprint(t.Thumbprint)
	if err != nil {
		return nil, err
	}
	// Verification is not skipped but done in VerifyConnection, which alone can
	// accept a certificate that no authority signed.
	config.InsecureSkipVerify = true
	config.VerifyConnection = verifyOrMatch(t.RootCAs, want)
	return config, nil
}

func parseThumbprint(text string) ([]byte, error) {
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != sha1.Size && len(sum) != sha256.Size {
		return nil, fmt.Errorf("the thumbprint %q is not 20 (SHA-1) or 32 (SHA-256) bytes in hex", text)
	}
	return sum, nil
}

// verifyOrMatch accepts what roots verify, and else the one certificate.
func verifyOrMatch(roots *x509.CertPool, thumbprint []byte) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server sent no certificate")
		}
		leaf := s.PeerCertificates[0]
		options := x509.VerifyOptions{Roots: roots, DNSName: s.ServerName, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			options.Intermediates.AddCert(c)
		}
		if _, err := leaf.Verify(options); err == nil {
			return nil
		}
		one, two := sha1.Sum(leaf.Raw), sha256.Sum256(leaf.Raw) //#nosec G401
		if string(one[:]) == string(thumbprint) || string(two[:]) == string(thumbprint) {
			return nil
		}
		return &tls.CertificateVerificationError{
			UnverifiedCertificates: s.PeerCertificates,
			Err:                    fmt.Errorf("no authority verifies the certificate, and its SHA-256 thumbprint is %X, not the given one", two),
		}
	}
}
