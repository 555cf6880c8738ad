package gitsource_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
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
)

// forge serves the bare repositories of a directory over https.
type forge struct {
	*httptest.Server
	ca string
	// before, when set, may answer a request itself; it says whether it did.
	before atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	// after, when set, sees the answer of the backend and may change it.
	after atomic.Pointer[func(http.ResponseWriter, *httptest.ResponseRecorder)]
}

func newForge(t testing.TB, root string) *forge {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"},
		Env:    []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull},
		Stderr: io.Discard, Logger: quietLog(),
	}
	f := &forge{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before := f.before.Load(); before != nil && (*before)(w, r) {
			return
		}
		if after := f.after.Load(); after != nil {
			recorded := httptest.NewRecorder()
			backend.ServeHTTP(recorded, r)
			(*after)(w, recorded)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	f.Config.ErrorLog = quietLog()
	f.StartTLS()
	t.Cleanup(f.Close)
	f.ca = filepath.Join(t.TempDir(), "ca.pem")
	write(t, f.ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})))
	return f
}

func (f *forge) intercept(before func(http.ResponseWriter, *http.Request) bool) {
	f.before.Store(&before)
}
func (f *forge) normally() { f.before.Store(nil); f.after.Store(nil) }

// sshForge serves repositories by their paths over ssh.
type sshForge struct {
	addr       string
	hostKey    ssh.Signer
	user       ssh.Signer
	knownHosts string
	keyFile    string
}

func newKey(t testing.TB) (ssh.Signer, []byte) {
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

func newSSHForge(t testing.TB) *sshForge {
	t.Helper()
	dir := t.TempDir()
	f := &sshForge{knownHosts: filepath.Join(dir, "known_hosts"), keyFile: filepath.Join(dir, "id")}
	f.hostKey, _ = newKey(t)
	user, private := newKey(t)
	f.user = user
	write(t, f.keyFile, string(private))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = listener.Addr().String()
	write(t, f.knownHosts, knownhosts.Line([]string{f.addr}, f.hostKey.PublicKey())+"\n")
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if !bytes.Equal(key.Marshal(), user.PublicKey().Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(f.hostKey)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { serveSSH(conn, config) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return f
}

func (f *sshForge) url(path string) string { return "ssh://git@" + f.addr + path }

// serveSSH runs git-upload-pack for one connection.
func serveSSH(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
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
			status := uint32(127)
			if path, ok := strings.CutPrefix(command.Line, "git-upload-pack "); ok {
				status = uploadPack(strings.Trim(path, "'"), channel)
			}
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			channel.Close()
		}
	}
}

// uploadPack runs the program to its end, whether or not the client still listens
// for it.
func uploadPack(path string, channel ssh.Channel) (status uint32) {
	run := exec.Command("git", "upload-pack", path)
	run.Env = gitEnv()
	run.Stdout, run.Stderr = channel, channel.Stderr()
	in, err := run.StdinPipe()
	if err != nil || run.Start() != nil {
		return 126
	}
	go func() {
		_, _ = io.Copy(in, channel)
		in.Close()
	}()
	if run.Wait() != nil {
		return 1
	}
	return 0
}
