package gitsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// sshSession is a conversation with git-upload-pack over SSH.
type sshSession struct {
	client  *ssh.Client
	session *ssh.Session
	command string
	in      io.WriteCloser
	out     io.Reader
	errs    said
	ended   sync.Once
	release func() // what keeps the agent and the context
}

// openSSH reads the key and the known hosts afresh.
func openSSH(ctx context.Context, c Config, at address, hide func(string)) (*sshSession, error) {
	s := &sshSession{command: "git-upload-pack " + quoted(at.path)}
	login, done, err := c.Auth.login(hide)
	if err != nil {
		return nil, err
	}
	s.release = done
	hosts, err := c.Auth.hosts(at)
	if err != nil {
		s.close()
		return nil, err
	}
	conn, err := dialed(ctx, "tcp", at.hostPort(), c.Timeout)
	if err != nil {
		s.close()
		return nil, fmt.Errorf("it cannot be reached: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	s.release = func() { stop(); done() }
	over, channels, requests, err := ssh.NewClientConn(conn, at.hostPort(), &ssh.ClientConfig{
		User: cmp.Or(at.user, "git"), Auth: []ssh.AuthMethod{login},
		HostKeyCallback: hosts.check, HostKeyAlgorithms: hosts.algorithms, ClientVersion: "SSH-2.0-vksync",
	})
	if err != nil {
		conn.Close()
		s.close()
		return nil, hosts.explained(err, at)
	}
	s.client = ssh.NewClient(over, channels, requests)
	if s.session, err = s.client.NewSession(); err == nil {
		s.session.Stderr = &s.errs
		if s.in, err = s.session.StdinPipe(); err == nil {
			s.out, err = s.session.StdoutPipe()
		}
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("opening a session: %w", err)
	}
	return s, nil
}

func (s *sshSession) advertisement() (io.Reader, error) {
	if err := s.session.Start(s.command); err != nil {
		return nil, fmt.Errorf("the server does not run git-upload-pack: %w", err)
	}
	return s.out, nil
}

func (s *sshSession) ask(request []byte) (io.ReadCloser, error) {
	if _, err := s.in.Write(request); err != nil {
		return nil, fmt.Errorf("sending the request: %w", err)
	}
	return io.NopCloser(s.out), s.in.Close()
}

// mishap waits for the end of a conversation that failed, and has what was said on
// the error channel.
func (s *sshSession) mishap() string {
	s.ended.Do(func() {
		s.session.Close()
		s.client.Close()
		_ = s.session.Wait() // how it ended is known
	})
	return s.errs.text()
}

func (s *sshSession) close() {
	if s.client != nil {
		s.client.Close()
	}
	s.release()
}

// said keeps the beginning of what is written to it.
type said struct {
	mu    sync.Mutex
	bytes []byte
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes = append(s.bytes, p[:min(len(p), 4096-len(s.bytes))]...)
	return len(p), nil
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return printable(string(s.bytes), 200)
}

// quoted is a word for the shell at the other end.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// login is the key of the file, or else those of the agent.
func (a Auth) login(hide func(string)) (ssh.AuthMethod, func(), error) {
	if a.SSHKeyFile == "" {
		return fromAgent()
	}
	key, err := os.ReadFile(a.SSHKeyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the ssh key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(key)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if a.SSHPassphrase == nil {
			return nil, nil, fmt.Errorf("the ssh key %s has a passphrase: give it, or a key without one", a.SSHKeyFile)
		}
		passphrase, failed := a.SSHPassphrase()
		if failed != nil {
			return nil, nil, fmt.Errorf("reading the passphrase of the ssh key: %w", failed)
		}
		passphrase = strings.TrimRight(passphrase, "\r\n")
		hide(passphrase)
		signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(passphrase))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the ssh key %s cannot be used: %w", a.SSHKeyFile, err)
	}
	return ssh.PublicKeys(signer), func() {}, nil
}

func fromAgent() (ssh.AuthMethod, func(), error) {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, nil, errors.New("there is no ssh key: give the source a key file, or start an agent and set SSH_AUTH_SOCK")
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, nil, fmt.Errorf("asking the agent at SSH_AUTH_SOCK: %w", err)
	}
	return ssh.PublicKeysCallback(agent.NewClient(conn).Signers), func() { conn.Close() }, nil
}

// hosts are the trusted host keys, and what the server showed.
type hosts struct {
	file       string
	known      ssh.HostKeyCallback
	algorithms []string
	shown      string // the fingerprint
}

// hosts reads the trusted host keys. Without them nothing is trusted.
func (a Auth) hosts(at address) (*hosts, error) {
	file := a.KnownHostsFile
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("there are no known hosts: give the source a known_hosts file (%w)", err)
		}
		file = filepath.Join(home, ".ssh", "known_hosts")
	}
	db, err := knownhosts.NewDB(file)
	if err != nil {
		return nil, fmt.Errorf("reading the known hosts, without which no host is trusted: %w; %s", err, scan(at, file))
	}
	return &hosts{file: file, known: db.HostKeyCallback(), algorithms: db.HostKeyAlgorithms(at.hostPort())}, nil
}

func (h *hosts) check(host string, remote net.Addr, key ssh.PublicKey) error {
	h.shown = ssh.FingerprintSHA256(key)
	return h.known(host, remote, key)
}

// explained says what to do about a connection that was not made.
func (h *hosts) explained(err error, at address) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return fmt.Errorf("the host key (%s) is not the one in %s: somebody may be in between. If it was changed on purpose, remove the old one with ssh-keygen -R, then %s", h.shown, h.file, scan(at, h.file))
	case knownhosts.IsHostUnknown(err):
		return fmt.Errorf("the host key (%s) is not in %s: compare it with what the host's owner says, then %s", h.shown, h.file, scan(at, h.file))
	case strings.Contains(err.Error(), "unable to authenticate"):
		return errors.New("the server refuses the ssh key: add its public part to the account or the repository's deploy keys")
	}
	return fmt.Errorf("it cannot be reached: %s", printable(err.Error(), 300))
}

// scan is the command that adds a host's key.
func scan(at address, file string) string {
	host, port, err := net.SplitHostPort(at.hostPort())
	if err != nil || port == "22" {
		return fmt.Sprintf("add the key with: ssh-keyscan %s >> %s", host, file)
	}
	return fmt.Sprintf("add the key with: ssh-keyscan -p %s %s >> %s", port, host, file)
}
