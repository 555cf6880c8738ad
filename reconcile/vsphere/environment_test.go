package vsphere_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/vsphere"
)

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func env(pairs ...string) func(string) string {
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return values[name] }
}

func TestEnvironmentIsReadAsGovcDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env      []string
		url      string // with its credentials
		insecure bool
	}{
		"a host":                    {[]string{"GOVC_URL", "vc.example", "GOVC_USERNAME", "u", "GOVC_PASSWORD", "p"}, "https://u:p@vc.example/sdk", false},
		"a host with port":          {[]string{"GOVC_URL", "vc.example:8443", "GOVC_USERNAME", "u", "GOVC_PASSWORD", "p"}, "https://u:p@vc.example:8443/sdk", false},
		"everything in one":         {[]string{"GOVC_URL", "https://u:p@vc.example/sdk"}, "https://u:p@vc.example/sdk", false},
		"without scheme":            {[]string{"GOVC_URL", "u:p@vc.example"}, "https://u:p@vc.example/sdk", false},
		"a password encoded":        {[]string{"GOVC_URL", "https://u:p%40s%2Fs@vc.example/"}, "https://u:p%40s%2Fs@vc.example/sdk", false},
		"variables win":             {[]string{"GOVC_URL", "https://u:p@vc.example", "GOVC_USERNAME", "v", "GOVC_PASSWORD", "q"}, "https://v:q@vc.example/sdk", false},
		"a user of a domain":        {[]string{"GOVC_URL", "vc.example", "GOVC_USERNAME", "administrator@vsphere.local", "GOVC_PASSWORD", "p/:@"}, "https://administrator%40vsphere.local:p%2F%3A%40@vc.example/sdk", false},
		"files":                     {[]string{"GOVC_URL", "vc.example", "GOVC_USERNAME", file(t, "u\n"), "GOVC_PASSWORD", file(t, "p\n")}, "https://u:p@vc.example/sdk", false},
		"insecure":                  {[]string{"GOVC_URL", "u:p@vc.example", "GOVC_INSECURE", "1"}, "https://u:p@vc.example/sdk", true},
		"insecure in words":         {[]string{"GOVC_URL", "u:p@vc.example", "GOVC_INSECURE", "True"}, "https://u:p@vc.example/sdk", true},
		"not insecure":              {[]string{"GOVC_URL", "u:p@vc.example", "GOVC_INSECURE", "false"}, "https://u:p@vc.example/sdk", false},
		"http on the same machine":  {[]string{"GOVC_URL", "http://u:p@127.0.0.1:8989/sdk"}, "http://u:p@127.0.0.1:8989/sdk", false},
		"an IPv6 address with port": {[]string{"GOVC_URL", "https://u:p@[2001:db8::1]:443/sdk"}, "https://u:p@[2001:db8::1]:443/sdk", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := vsphere.ConfigFromEnv(env(test.env...))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.URL.String(); got != test.url || c.Insecure != test.insecure {
				t.Errorf("got %s, insecure %t; want %s, %t", got, c.Insecure, test.url, test.insecure)
			}
		})
	}
}

func TestEnvironmentThatIsWrongNamesTheVariable(t *testing.T) {
	t.Parallel()
	const secret = "canary-31d0"
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, test := range map[string]struct {
		env  []string
		want string
	}{
		"nothing":                   {nil, "GOVC_URL is not set"},
		"no user":                   {[]string{"GOVC_URL", "vc.example", "GOVC_PASSWORD", secret}, "GOVC_USERNAME is not set"},
		"no password":               {[]string{"GOVC_URL", "vc.example", "GOVC_USERNAME", "u"}, "GOVC_PASSWORD is not set"},
		"a password not encoded":    {[]string{"GOVC_URL", "https://u:" + secret + "/%zz@vc.example"}, "GOVC_URL is no URL"},
		"a port that is none":       {[]string{"GOVC_URL", "https://u:" + secret + "@vc.example:x"}, "GOVC_URL is no URL"},
		"no host":                   {[]string{"GOVC_URL", "https://u:" + secret + "@/sdk"}, "GOVC_URL is no URL"},
		"http to another machine":   {[]string{"GOVC_URL", "http://u:" + secret + "@vc.example"}, "GOVC_URL has the scheme http"},
		"insecure is unclear":       {[]string{"GOVC_URL", "u:" + secret + "@vc.example", "GOVC_INSECURE", "yes"}, `GOVC_INSECURE is "yes"; want 1 or true`},
		"no such file":              {[]string{"GOVC_URL", "u:" + secret + "@vc.example", "GOVC_TLS_CA_CERTS", missing}, "GOVC_TLS_CA_CERTS: open " + missing},
		"a file without authority":  {[]string{"GOVC_URL", "u:" + secret + "@vc.example", "GOVC_TLS_CA_CERTS", file(t, "text")}, "has no certificate in PEM form"},
		"a thumbprint that is none": {[]string{"GOVC_URL", "u:" + secret + "@vc.example", "GOVC_TLS_KNOWN_HOSTS", file(t, "vc.example:443 AB:CD\n")}, "GOVC_TLS_KNOWN_HOSTS: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := vsphere.ConfigFromEnv(env(test.env...))
			if vsphere.KindOf(err) != vsphere.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want one of kind invalid that says %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error %v holds the password", err)
			}
		})
	}
}

func TestEnvironmentLeadsToAVCenter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	authority := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})))
	other := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})))
	host := strings.TrimPrefix(s.server.URL, "https://")
	sum := thumbprint(s.server)
	for name, test := range map[string]struct {
		env []string
		ok  bool
	}{
		"nothing":           {nil, false},
		"authorities":       {[]string{"GOVC_TLS_CA_CERTS", authority + string(filepath.ListSeparator) + other}, true},
		"a known host":      {[]string{"GOVC_TLS_KNOWN_HOSTS", filepath.Join(t.TempDir(), "none") + string(filepath.ListSeparator) + file(t, "other.example:443 "+strings.Repeat("00", 20)+"\n"+host+" "+sum+"\n")}, true},
		"another host only": {[]string{"GOVC_TLS_KNOWN_HOSTS", file(t, "other.example:443 "+sum+"\n")}, false},
		"no verification":   {[]string{"GOVC_INSECURE", "true"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := vsphere.ConfigFromEnv(env(append(test.env, "GOVC_URL", host, "GOVC_USERNAME", "u", "GOVC_PASSWORD", password)...))
			if err != nil {
				t.Fatal(err)
			}
			c, err := vsphere.Dial(t.Context(), config)
			if err == nil {
				closed(t, c)
			}
			if (err == nil) != test.ok {
				t.Errorf("got %v, want success %t", err, test.ok)
			}
			if err != nil && vsphere.KindOf(err) != vsphere.Denied {
				t.Errorf("%v is of kind %s, want denied: it will not be otherwise later", err, vsphere.KindOf(err))
			}
		})
	}
}
