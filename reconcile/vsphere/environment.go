package vsphere

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vksync/vksync/reconcile/link"
)

// The variables of govc that ConfigFromEnv reads.
const (
	EnvURL        = "GOVC_URL"
	EnvUsername   = "GOVC_USERNAME"
	EnvPassword   = "GOVC_PASSWORD"
	EnvInsecure   = "GOVC_INSECURE"
	EnvCACerts    = "GOVC_TLS_CA_CERTS"
	EnvKnownHosts = "GOVC_TLS_KNOWN_HOSTS"
)

// ConfigFromEnv reads the environment as govc does (govmomi cli/flags):
//
//	GOVC_URL              host, host:port or https://user:password@host/sdk
//	GOVC_USERNAME         instead of the user in GOVC_URL; or a file that holds it
//	GOVC_PASSWORD         instead of the password in GOVC_URL; or a file that holds it
//	GOVC_INSECURE         1 or true accepts any certificate
//	GOVC_TLS_CA_CERTS     list of PEM files, separated as PATH is
//	GOVC_TLS_KNOWN_HOSTS  list of files with lines "host:port thumbprint"
//
// It is stricter where govc would go on without what was meant: a value of
// GOVC_INSECURE that is no truth value, a missing user or password, and plain
// http to another machine are errors. They are of kind Invalid, name the variable
// and do not repeat its value where that may hold a secret.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	c, err := configFromEnv(getenv)
	if err != nil {
		return Config{}, &Error{Op: "reading how to reach vCenter from the environment", Kind: Invalid, Detail: err.Error(), cause: err}
	}
	return c, nil
}

func configFromEnv(getenv func(string) string) (c Config, err error) {
	if c.URL, err = parseURL(getenv(EnvURL)); err != nil {
		return c, err
	}
	if c.URL.User, err = userInfo(c.URL.User, getenv); err != nil {
		return c, err
	}
	if c.Insecure, err = parseInsecure(getenv(EnvInsecure)); err != nil {
		return c, err
	}
	if c.RootCAs, err = readCACerts(getenv(EnvCACerts)); err != nil {
		return c, err
	}
	c.Thumbprint, err = KnownThumbprint(getenv(EnvKnownHosts), c.URL.Host)
	return c, err
}

var withScheme = regexp.MustCompile(`^\w+://`)

// parseURL reads GOVC_URL. The error of net/url holds the whole URL, so it is not
// passed on.
func parseURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New(EnvURL + " is not set; give the vCenter's host, such as vcenter.example.com")
	}
	if !withScheme.MatchString(text) {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New(EnvURL + " is no URL; want vcenter.example.com or https://user:password@vcenter.example.com/sdk, " +
			"with special characters of the password percent-encoded, or the password in " + EnvPassword)
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return nil, fmt.Errorf("%s has the scheme %s; want https, since the password would be sent in the clear", EnvURL, u.Scheme)
	}
	if u.Path == "" {
		u.Path = "/sdk"
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// userInfo puts the variables in place of what the URL has.
func userInfo(inURL *url.Userinfo, getenv func(string) string) (*url.Userinfo, error) {
	user, err := valueOrFile(EnvUsername, getenv)
	if err != nil {
		return nil, err
	}
	password, err := valueOrFile(EnvPassword, getenv)
	if err != nil {
		return nil, err
	}
	if user == "" {
		user = inURL.Username()
	}
	if password == "" {
		password, _ = inURL.Password()
	}
	switch {
	case user == "":
		return nil, errors.New(EnvUsername + " is not set, and " + EnvURL + " names no user")
	case password == "":
		return nil, errors.New(EnvPassword + " is not set, and " + EnvURL + " has no password")
	}
	return url.UserPassword(user, password), nil
}

// valueOrFile is the value of a variable, or the content of the file it names.
func valueOrFile(name string, getenv func(string) string) (string, error) {
	value := getenv(name)
	if value == "" {
		return "", nil
	}
	content, err := os.ReadFile(value)
	switch {
	case err == nil:
		return strings.TrimSpace(string(content)), nil
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%s names a file that may not be read", name)
	}
	return value, nil
}

func parseInsecure(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return false, fmt.Errorf("%s is %q; want 1 or true to accept any certificate, or 0 or false", EnvInsecure, text)
}

// readCACerts is nil, the system's authorities, for an empty list.
func readCACerts(list string) (*x509.CertPool, error) {
	if list == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	for _, name := range filepath.SplitList(list) {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", EnvCACerts, err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %s has no certificate in PEM form", EnvCACerts, name)
		}
	}
	return pool, nil
}

// KnownThumbprint looks host up in a list of files as GOVC_TLS_KNOWN_HOSTS names
// them; the last entry counts. A host without port is at 443. It is empty when no
// file knows the host; files that do not exist are passed over, as govc does.
func KnownThumbprint(list, host string) (string, error) {
	found := ""
	for _, name := range filepath.SplitList(list) {
		content, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", EnvKnownHosts, err)
		}
		for line := range strings.Lines(string(content)) {
			fields := strings.Fields(line)
			if len(fields) != 2 || hostPort(fields[0]) != hostPort(host) {
				continue
			}
			found = fields[1]
			if _, err := (link.Trust{Thumbprint: found}).TLS(); err != nil {
				return "", fmt.Errorf("%s: %s: %w", EnvKnownHosts, name, err)
			}
		}
	}
	return found, nil
}

func hostPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "443")
}
