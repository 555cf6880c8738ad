package gitsource_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/vksync/vksync/gitsource"
)

func TestWhatSSHRefusesIsSaid(t *testing.T) {
	t.Parallel()
	w, f := newTeam(t), newSSHForge(t)
	w.pushed(3)
	dir := t.TempDir()
	place := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	otherHost, _ := newKey(t)
	_, stranger := newKey(t)
	host, port, err := net.SplitHostPort(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	scan := "ssh-keyscan -p " + port + " " + host + " >> "
	wrong := place("wrong", knownhosts.Line([]string{f.addr}, otherHost.PublicKey())+"\n")
	empty := place("empty", "")
	missing := filepath.Join(dir, "missing")
	fingerprint := ssh.FingerprintSHA256(f.hostKey.PublicKey())
	for _, tt := range []struct {
		name string
		path string
		auth gitsource.Auth
		says []string
	}{
		{"a wrong host key", w.bare, gitsource.Auth{SSHKeyFile: f.keyFile, KnownHostsFile: wrong},
			[]string{"host key (" + fingerprint + ") is not the one in " + wrong, "somebody may be in between", "ssh-keygen -R", scan + wrong}},
		{"an unknown host", w.bare, gitsource.Auth{SSHKeyFile: f.keyFile, KnownHostsFile: empty},
			[]string{"host key (" + fingerprint + ") is not in " + empty, scan + empty}},
		{"no known hosts", w.bare, gitsource.Auth{SSHKeyFile: f.keyFile, KnownHostsFile: missing},
			[]string{"without which no host is trusted", scan + missing}},
		{"a key the server does not know", w.bare, gitsource.Auth{SSHKeyFile: place("stranger", string(stranger)), KnownHostsFile: f.knownHosts},
			[]string{"refuses the ssh key", "deploy keys"}},
		{"no key file", w.bare, gitsource.Auth{SSHKeyFile: missing, KnownHostsFile: f.knownHosts}, []string{"reading the ssh key", "no such file"}},
		{"a file that is no key", w.bare, gitsource.Auth{SSHKeyFile: empty, KnownHostsFile: f.knownHosts}, []string{"the ssh key " + empty + " cannot be used"}},
		{"a repository that is not there", "/srv/nowhere.git", gitsource.Auth{SSHKeyFile: f.keyFile, KnownHostsFile: f.knownHosts},
			[]string{"the server says", "does not appear to be a git repository"}},
		{"a path that a shell would act upon", "/srv/a';touch x;'.git", gitsource.Auth{SSHKeyFile: f.keyFile, KnownHostsFile: f.knownHosts},
			[]string{"the server says"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := follow(t, gitsource.Config{URL: f.url(tt.path), Dir: t.TempDir(), Poll: time.Hour, Auth: tt.auth})
			if got := untilSays(t, s, tt.says...); got.Tree != nil {
				t.Error("a tree is served")
			}
		})
	}
}

func TestAnSSHKeyMayHaveAPassphrase(t *testing.T) {
	t.Parallel()
	w, f := newTeam(t), newSSHForge(t)
	first := w.pushed(3)
	text, err := os.ReadFile(f.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "locked")
	write(t, file, pemText(locked))
	auth := gitsource.Auth{SSHKeyFile: file, KnownHostsFile: f.knownHosts}
	c := gitsource.Config{URL: f.url(w.bare), Poll: time.Hour, Auth: auth, Dir: t.TempDir()}
	untilSays(t, follow(t, c), "has a passphrase: give it")
	c.Dir, c.Auth.SSHPassphrase = t.TempDir(), secret("wrong-passphrase")
	if got := untilSays(t, follow(t, c), "cannot be used"); strings.Contains(got.Err.Error(), "wrong-passphrase") {
		t.Errorf("the error holds the passphrase: %v", got.Err)
	}
	c.Dir, c.Auth.SSHPassphrase = t.TempDir(), secret("open sesame\n")
	untilServes(t, follow(t, c), first)
}

// Not parallel: the agent is found by the environment.
func TestAnAgentIsAskedWithoutAKeyFile(t *testing.T) {
	w, f := newTeam(t), newSSHForge(t)
	first := w.pushed(3)
	text, err := os.ReadFile(f.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	c := gitsource.Config{URL: f.url(w.bare), Poll: time.Hour, Auth: gitsource.Auth{KnownHostsFile: f.knownHosts}, Dir: t.TempDir()}
	t.Setenv("SSH_AUTH_SOCK", "")
	untilSays(t, follow(t, c), "there is no ssh key", "SSH_AUTH_SOCK")
	t.Setenv("SSH_AUTH_SOCK", socket)
	c.Dir = t.TempDir()
	untilServes(t, follow(t, c), first)
}
