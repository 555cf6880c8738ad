package gitsource_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
)

func pemText(b *pem.Block) string { return string(pem.EncodeToMemory(b)) }

// certificate is one that vouches for itself.
func certificate(t *testing.T, until time.Time, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "forge"},
		NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestACertificateThatDoesNotHoldIsSaid(t *testing.T) {
	t.Parallel()
	expired := certificate(t, time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC), "127.0.0.1")
	elsewhere := certificate(t, time.Now().AddDate(0, 1, 0), "git.lab.example")
	unknown := certificate(t, time.Now().AddDate(0, 1, 0), "127.0.0.1")
	for _, tt := range []struct {
		name    string
		shown   tls.Certificate
		trusted tls.Certificate
		says    []string
	}{
		{"an expired one", expired, expired, []string{"only from 2024-03-01 until 2025-03-01", "have it renewed"}},
		{"one for another host", elsewhere, elsewhere, []string{"for another host: it is valid for git.lab.example"}},
		{"one of an unknown authority", unknown, elsewhere, []string{"signed by an unknown authority", "CA file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{Certificates: []tls.Certificate{tt.shown}}
			server.Config.ErrorLog = quietLog()
			server.StartTLS()
			t.Cleanup(server.Close)
			ca := filepath.Join(t.TempDir(), "ca.pem")
			write(t, ca, pemText(&pem.Block{Type: "CERTIFICATE", Bytes: tt.trusted.Certificate[0]}))
			s := follow(t, gitsource.Config{URL: server.URL + "/fleet.git", Dir: t.TempDir(), Poll: time.Hour, Auth: gitsource.Auth{CAFile: ca}})
			untilSays(t, s, tt.says...)
		})
	}
}

func TestACAFileIsReadForEachLook(t *testing.T) {
	t.Parallel()
	w, _, c := overHTTPS(t)
	first := w.pushed(3)
	right := c.Auth.CAFile
	c.Auth.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	write(t, c.Auth.CAFile, "not a certificate")
	s := follow(t, c)
	untilSays(t, s, "has no certificate in PEM form")
	write(t, c.Auth.CAFile, readFile(t, right))
	s.Look()
	untilServes(t, s, first)
}
