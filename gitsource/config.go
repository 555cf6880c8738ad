package gitsource

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// What a Config's zero values stand for.
const (
	// DefaultPoll is how often a remote is asked for its branch.
	DefaultPoll = 30 * time.Second
	// DefaultTimeout is how long a remote may send nothing.
	DefaultTimeout = time.Minute
	// DefaultFiles is how many manifests a revision may have.
	DefaultFiles = 100_000
	// DefaultBytes is how large the manifests of a revision may be together.
	DefaultBytes = 256 << 20
	// DefaultMirrorBytes is how large the mirror of a remote may become.
	DefaultMirrorBytes = 1 << 30
	// DefaultObjectBytes is how large one object of a remote's history may be.
	DefaultObjectBytes = 128 << 20
)

// Config says which branch of which repository is followed, and what is believed
// of it. URL is all that must be given, and Dir for a remote.
type Config struct {
	// Name is the source's name in messages; "" is its URL.
	Name string
	// URL is https://, ssh://, user@host:path, http:// to a loopback address, or
	// the path of a local repository: a bare one, a work tree, or file:// and the
	// path. It holds no password.
	URL string
	// Branch is the short name of the branch; "" is the one that HEAD names.
	Branch string
	// Path is the slash-separated directory or file in the repository that holds
	// the manifests; "" is all of it.
	Path string
	// Dir is where the mirror of a remote is kept. It belongs to the source alone
	// and is made when missing. A local repository is read in place.
	Dir string
	// Poll is how often a remote is asked, give or take a tenth; 0 is
	// DefaultPoll. A local repository is read again each 30 s besides being
	// watched.
	Poll time.Duration
	// Timeout is how long a remote may send nothing before it counts as down; 0
	// is DefaultTimeout.
	Timeout time.Duration
	// Auth is how vksync logs in at a remote.
	Auth Auth
	// Verify says whose signature the newest commit must carry; zero: none.
	Verify Verify
	// AllowRewrite follows the branch to a commit that is no descendant of the
	// served one, as after a force-push. Otherwise the served one stays.
	AllowRewrite bool
	// Limits bound what a revision and a mirror may hold.
	Limits Limits
}

// Limits bound what is taken from a repository. A zero field has the default of
// its name.
type Limits struct {
	// Files is the number of manifests below Config.Path: DefaultFiles.
	Files int
	// Bytes is their size together: DefaultBytes. One manifest has MaxFileBytes
	// at most.
	Bytes int64
	// MirrorBytes is the size of a remote's mirror: DefaultMirrorBytes. What
	// exceeds it is refused while it is received.
	MirrorBytes int64
	// ObjectBytes is the size of any object in a remote's history, unpacked, and
	// so bounds the memory of a fetch to a few times as much: DefaultObjectBytes.
	ObjectBytes int64
}

// Auth is how vksync logs in at a remote. The functions are called for each
// attempt, so that a rotated secret is taken up; none of what they return is in a
// message.
type Auth struct {
	// Username belongs to Password or Token; that of ssh is in the URL.
	Username string
	// Password is sent to an https remote with Username.
	Password func() (string, error)
	// Token is an access token of a forge, sent in the password's place; Username
	// is then "x-access-token" when none is given, which every forge but Bitbucket
	// takes.
	Token func() (string, error)
	// Bearer is sent in a header "Authorization: Bearer".
	Bearer func() (string, error)
	// CAFile is a PEM file of the authorities that may vouch for an https remote
	// besides those of the system.
	CAFile string
	// SSHKeyFile is a private key in PEM or OpenSSH form. Without one the agent
	// at SSH_AUTH_SOCK is asked.
	SSHKeyFile string
	// SSHPassphrase opens SSHKeyFile; nil when it has none.
	SSHPassphrase func() (string, error)
	// KnownHostsFile has the host keys that are trusted; "" is
	// ~/.ssh/known_hosts. A host that is not in it is refused.
	KnownHostsFile string
}

// Verify says whose signature the newest commit of the branch must carry. A
// signature is checked when either file is given; both may be. The files are
// read for each revision.
type Verify struct {
	// OpenPGPKeysFile holds armored public keys.
	OpenPGPKeysFile string
	// SSHAllowedSignersFile is an allowed_signers file as ssh-keygen(1) has it.
	SSHAllowedSignersFile string
}

func (v Verify) wanted() bool { return v.OpenPGPKeysFile != "" || v.SSHAllowedSignersFile != "" }

// completed fills in the defaults and refuses what cannot work.
func (c Config) completed() (Config, address, error) {
	at, err := parseAddress(c.URL)
	if err != nil {
		return c, at, err
	}
	c.Name = cmp.Or(c.Name, at.shown)
	c.Poll, c.Timeout = cmp.Or(c.Poll, DefaultPoll), cmp.Or(c.Timeout, DefaultTimeout)
	c.Limits.Files, c.Limits.Bytes = cmp.Or(c.Limits.Files, DefaultFiles), cmp.Or(c.Limits.Bytes, DefaultBytes)
	c.Limits.MirrorBytes = cmp.Or(c.Limits.MirrorBytes, DefaultMirrorBytes)
	c.Limits.ObjectBytes = cmp.Or(c.Limits.ObjectBytes, DefaultObjectBytes)
	c.Path = path.Clean(cmp.Or(strings.TrimSuffix(c.Path, "/"), "."))
	switch {
	case c.Poll < 0 || c.Timeout < 0 || c.Limits.Files < 0 || c.Limits.Bytes < 0 || c.Limits.MirrorBytes < 0 || c.Limits.ObjectBytes < 0:
		return c, at, errors.New("a duration or a limit is negative: give a positive one, or none for the default")
	case !fs.ValidPath(c.Path) || hidden(c.Path):
		return c, at, fmt.Errorf("the path %q is not one inside a repository: want it relative, with slashes, and without \"..\"", c.Path)
	case c.Branch != "" && (strings.HasPrefix(c.Branch, "-") || plumbing.NewBranchReferenceName(c.Branch).Validate() != nil):
		return c, at, fmt.Errorf("%q is not the name of a branch: want it short, such as main", c.Branch)
	case at.remote() && c.Dir == "":
		return c, at, errors.New("a remote needs a directory for its mirror")
	}
	return c, at, c.Auth.fits(at)
}

// fits refuses credentials that the address cannot use, rather than sending none.
func (a Auth) fits(at address) error {
	given := 0
	for _, secret := range []func() (string, error){a.Password, a.Token, a.Bearer} {
		if secret != nil {
			given++
		}
	}
	overHTTP, overSSH := at.scheme == "https" || at.scheme == "http", at.scheme == "ssh"
	switch {
	case given > 1:
		return errors.New("a password, a token and a bearer token exclude each other: give one of them")
	case given > 0 && !overHTTP:
		return fmt.Errorf("%s takes no password and no token: they are for https", at.shown)
	case a.Password != nil && a.Username == "" && at.user == "":
		return errors.New("a password needs a user name")
	case (a.SSHKeyFile != "" || a.KnownHostsFile != "") && !overSSH:
		return fmt.Errorf("%s takes no ssh key and no known hosts: they are for ssh", at.shown)
	case a.CAFile != "" && at.scheme != "https":
		return fmt.Errorf("%s takes no certificate authority: it is for https", at.shown)
	}
	return nil
}
