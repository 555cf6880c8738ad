package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/vksync/vksync/gitsource/gittest"
)

// forge serves a repository by https, as forges do. It may be stopped and started
// again at the same address.
type forge struct {
	address, ca string
	handler     http.Handler
	server      *httptest.Server
	// cutsPacks has every pack end in the middle.
	cutsPacks atomic.Bool
}

func overTLS(t *testing.T, r *gittest.Repo) remote {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Stderr: io.Discard, Logger: log.New(io.Discard, "", 0),
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(r.Bare), "GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull,
		},
	}
	f := &forge{address: "127.0.0.1:0", ca: filepath.Join(t.TempDir(), "forge.pem")}
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.cutsPacks.Load() && r.Method == http.MethodPost {
			answer := httptest.NewRecorder()
			backend.ServeHTTP(answer, r)
			cutAnswer(w, answer)
		}
		backend.ServeHTTP(w, r)
	})
	f.start(t)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	if err := os.WriteFile(f.ca, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.server.Close() })
	return f
}

// cutAnswer sends two thirds of an answer and ends the connection.
func cutAnswer(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	whole := answer.Body.Bytes()
	_, _ = w.Write(whole[:len(whole)*2/3])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (f *forge) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr().String()
	f.server = httptest.NewUnstartedServer(f.handler)
	must(t, f.server.Listener.Close())
	f.server.Listener, f.server.Config.ErrorLog = listener, log.New(io.Discard, "", 0)
	f.server.StartTLS()
}

func (f *forge) stop(*testing.T) {
	f.server.CloseClientConnections()
	f.server.Close()
}

func (f *forge) url() string  { return "https://" + f.address + "/fleet.git" }
func (f *forge) auth() string { return fmt.Sprintf("{caFile: %q}", f.ca) }

// sshForge serves repositories by ssh.
type sshForge struct {
	address, path, known, key string
	own, other                ssh.Signer // host keys
	config                    atomic.Pointer[ssh.ServerConfig]
}

func newKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

func overSSH(t *testing.T, r *gittest.Repo) remote {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f := &sshForge{
		address: listener.Addr().String(), path: r.Bare,
		known: filepath.Join(dir, "known_hosts"), key: filepath.Join(dir, "id"),
	}
	f.own, _ = newKey(t)
	f.other, _ = newKey(t)
	f.shows(t, f.own)
	_, private := newKey(t)
	for name, text := range map[string]string{
		f.known: knownhosts.Line([]string{f.address}, f.own.PublicKey()) + "\n", f.key: string(private),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(func() {
		must(t, listener.Close())
		running.Wait()
	})
	return f
}

// shows has new connections meet a host key.
func (f *sshForge) shows(t *testing.T, key ssh.Signer) {
	t.Helper()
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(key)
	f.config.Store(config)
}

func (f *sshForge) url() string { return "ssh://git@" + f.address + f.path }
func (f *sshForge) auth() string {
	return fmt.Sprintf("{sshKeyFile: %q, knownHostsFile: %q}", f.key, f.known)
}

// serve runs git-upload-pack for one connection.
func (f *sshForge) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_, channels, requests, err := ssh.NewServerConn(conn, f.config.Load())
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for next := range channels {
		channel, asked, err := next.Accept()
		if err != nil {
			return
		}
		for r := range asked {
			var command struct{ Line string }
			if r.Type != "exec" || ssh.Unmarshal(r.Payload, &command) != nil {
				_ = r.Reply(false, nil)
				continue
			}
			_ = r.Reply(true, nil)
			status := uploadPack(strings.Trim(strings.TrimPrefix(command.Line, "git-upload-pack "), "'"), channel)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			_ = channel.Close()
		}
	}
}

func uploadPack(path string, channel ssh.Channel) (status uint32) {
	run := exec.Command("git", "upload-pack", path)
	run.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	run.Stdout, run.Stderr = channel, channel.Stderr()
	in, err := run.StdinPipe()
	if err != nil || run.Start() != nil {
		return 126
	}
	go func() {
		_, _ = io.Copy(in, channel)
		_ = in.Close()
	}()
	if run.Wait() != nil {
		return 1
	}
	return 0
}
