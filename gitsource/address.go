package gitsource

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// address is where a repository is.
type address struct {
	scheme string // "https", "http", "ssh", or "" for a local path
	user   string
	host   string // with the port where one is given
	path   string // at the host, or on this machine
	shown  string // for messages, without a password
}

func (a address) remote() bool { return a.scheme != "" }

// url is the address of an http remote without the user.
func (a address) url() string { return a.scheme + "://" + a.host + a.path }

// hostPort is the host of an ssh remote for dialing.
func (a address) hostPort() string {
	if _, _, err := net.SplitHostPort(a.host); err == nil {
		return a.host
	}
	return net.JoinHostPort(strings.Trim(a.host, "[]"), "22")
}

const wantedAddress = "want https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or the path of a local repository"

// parseAddress reads what a user wrote as the address of a repository.
func parseAddress(text string) (address, error) {
	switch {
	case text == "":
		return address{}, errors.New("there is no URL: " + wantedAddress)
	case scpLike.MatchString(text) && !strings.Contains(text, "://"):
		login, path, _ := strings.Cut(text, ":")
		user, host, _ := strings.Cut(login, "@")
		return address{scheme: "ssh", user: user, host: host, path: path, shown: text}, nil
	case !strings.Contains(text, "://"):
		return address{path: text, shown: text}, nil
	}
	shown := resource.Redact(text)
	u, err := url.Parse(text)
	if err != nil {
		// The parser's own message repeats the address, password and all.
		return address{}, fmt.Errorf("%s is not a URL: %s", shown, wantedAddress)
	}
	if _, given := u.User.Password(); given {
		return address{}, fmt.Errorf("%s holds a password: leave it out and give it as the source's password or token", shown)
	}
	a := address{scheme: strings.ToLower(u.Scheme), user: u.User.Username(), host: u.Host, path: u.EscapedPath(), shown: shown}
	switch a.scheme {
	case "file":
		if a.host != "" && a.host != "localhost" {
			return address{}, fmt.Errorf("%s names another machine: give file:// three slashes, or use ssh://", shown)
		}
		return address{path: u.Path, shown: shown}, nil
	case "ssh":
		a.path = u.Path
		if rest, home := strings.CutPrefix(a.path, "/~"); home {
			a.path = "~" + rest
		}
	case "http":
		if !loopback(u.Hostname()) {
			return address{}, fmt.Errorf("%s would send manifests and credentials in the clear: use https://", shown)
		}
	case "https":
	default:
		return address{}, fmt.Errorf("%s has the scheme %q, which is not followed: %s", shown, u.Scheme, wantedAddress)
	}
	switch {
	case u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-"):
		return address{}, fmt.Errorf("%s names no host: %s", shown, wantedAddress)
	case u.RawQuery != "" || u.Fragment != "":
		return address{}, fmt.Errorf("%s holds a query or a fragment, which no repository's address has: %s", shown, wantedAddress)
	case strings.Trim(a.path, "/") == "":
		return address{}, fmt.Errorf("%s names no repository: %s", shown, wantedAddress)
	}
	a.path = strings.TrimSuffix(a.path, "/")
	return a, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
