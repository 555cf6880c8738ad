package vsphere_test

import (
	"context"
	"crypto/sha1" //#nosec G505 -- vCenter and its tools print SHA-1 thumbprints
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/vcenter"
)

const password = "canary-77aa"

// quiet is for handshakes and answers that are meant to fail.
var quiet = log.New(io.Discard, "", 0)

// simulated is a vCenter behind TLS, with one host.
func simulated(t *testing.T) *httptest.Server {
	t.Helper()
	v, err := vcenter.New(vcenter.Config{TempDir: t.TempDir(), Inventory: &inventory.Inventory{Spec: inventory.Spec{
		Datacenter: "dc", Supervisor: inventory.Supervisor{Name: "lab"},
		Zones: []inventory.Zone{{Name: "zone-a", Cluster: "compute-a", Hosts: []inventory.Host{{Name: "esx-1", Cores: 8, MHz: 2000, MemoryMiB: 65536}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return served(t, v.Handler())
}

func served(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func urlOf(t testing.TB, s *httptest.Server) *url.URL {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("administrator", password)
	return u
}

func TestCertificateIsVerified(t *testing.T) {
	t.Parallel()
	s := simulated(t)
	one, two := sha1.Sum(s.Certificate().Raw), sha256.Sum256(s.Certificate().Raw) //#nosec G401
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	for name, test := range map[string]struct {
		config vsphere.Config
		fails  string
	}{
		"nothing given":             {vsphere.Config{}, "certificate"},
		"its authority":             {vsphere.Config{RootCAs: roots}, ""},
		"its SHA-256":               {vsphere.Config{Thumbprint: fmt.Sprintf("%X", two)}, ""},
		"its SHA-1 with colons":     {vsphere.Config{Thumbprint: strings.ReplaceAll(fmt.Sprintf("% X", one), " ", ":")}, ""},
		"another thumbprint":        {vsphere.Config{Thumbprint: strings.Repeat("00:", 31) + "00"}, fmt.Sprintf("%X", two)},
		"a thumbprint that is none": {vsphere.Config{Thumbprint: "x"}, "in hex"},
		"any is accepted":           {vsphere.Config{Insecure: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.URL = urlOf(t, s)
			c, err := vsphere.Dial(t.Context(), test.config)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) || strings.Contains(err.Error(), password) {
					t.Errorf("got %v, want an error that says %q", err, test.fails)
				}
				if kind := vsphere.KindOf(err); kind == vsphere.Transient {
					t.Errorf("%v is transient: it will not be otherwise later", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			o, err := c.Inventory(t.Context())
			if err != nil || len(o.Hosts) != 1 {
				t.Errorf("got %+v, %v, want one host", o, err)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConfigWithoutHostIsInvalid(t *testing.T) {
	t.Parallel()
	for _, u := range []*url.URL{nil, {Path: "vcenter"}} {
		if _, err := vsphere.Dial(t.Context(), vsphere.Config{URL: u}); vsphere.KindOf(err) != vsphere.Invalid {
			t.Errorf("%v: got %v, want an error of kind invalid", u, err)
		}
	}
}

// TestAnswersAreClassified has a vCenter whose REST API is broken in one way each.
func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   vsphere.Kind
	}{
		"a proxy without vCenter":   {http.StatusBadGateway, "<html>", vsphere.Transient},
		"a vCenter that starts":     {http.StatusServiceUnavailable, `{"error_type":"SERVICE_UNAVAILABLE","messages":[]}`, vsphere.Transient},
		"too many requests":         {http.StatusTooManyRequests, "", vsphere.Transient},
		"a crash":                   {http.StatusInternalServerError, `{"error_type":"ERROR"}`, vsphere.Failed},
		"missing privileges":        {http.StatusForbidden, `{"error_type":"UNAUTHORIZED","messages":[{"default_message":"no"}]}`, vsphere.Denied},
		"a session that never is":   {http.StatusUnauthorized, "", vsphere.Denied},
		"an old vCenter":            {http.StatusNotFound, "", vsphere.NotFound},
		"success that is not JSON":  {http.StatusOK, "<html>" + password, vsphere.Failed},
		"a change at the same time": {http.StatusBadRequest, `{"error_type":"CONCURRENT_CHANGE"}`, vsphere.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulated(t)
			broken := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/api/vcenter") {
					w.WriteHeader(test.status)
					if _, err := io.WriteString(w, test.body); err != nil {
						t.Error(err)
					}
					return
				}
				s.Config.Handler.ServeHTTP(w, r)
			}))
			c, err := vsphere.Dial(t.Context(), vsphere.Config{URL: urlOf(t, broken), Insecure: true})
			if err != nil {
				t.Fatal(err)
			}
			list, err := c.Namespaces(t.Context())
			if list != nil || vsphere.KindOf(err) != test.want {
				t.Fatalf("got %v and %v, want none and an error of kind %s", list, err, test.want)
			}
			if text := err.Error(); strings.Contains(text, password) || !strings.Contains(text, c.Address()) {
				t.Errorf("error %q has the password or lacks the address %s", text, c.Address())
			}
			if o, err := c.Inventory(t.Context()); o != nil || err == nil {
				t.Errorf("the inventory is %+v although REST does not answer", o)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelledCallSaysSo(t *testing.T) {
	t.Parallel()
	c, err := vsphere.Dial(t.Context(), vsphere.Config{URL: urlOf(t, simulated(t)), Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Inventory(ctx); !errors.Is(err, context.Canceled) || vsphere.KindOf(err) != vsphere.Transient {
		t.Errorf("got %v, want a transient error that is context.Canceled", err)
	}
	if err := c.Close(ctx); err != nil {
		t.Errorf("closing with a context that has ended: %v", err)
	}
}
