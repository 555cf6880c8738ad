package apiserver

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile"
)

// An operator works with a site from a shell: with vksync, git and a bare repository.
type operator struct {
	*Site
	vksync, bare, work string
	env                []string
}

func newOperator(t testing.TB, s *Site) *operator {
	t.Helper()
	dir := t.TempDir()
	o := &operator{Site: s, vksync: filepath.Join(dir, "vksync"), bare: filepath.Join(dir, "fleet.git"), work: filepath.Join(dir, "work")}
	ca := filepath.Join(dir, "vcenter.pem")
	if err := os.WriteFile(ca, s.vcenterCertificate(t), 0o600); err != nil {
		t.Fatal(err)
	}
	at := *s.VSphere.URL
	at.User = nil
	password, _ := s.VSphere.URL.User.Password()
	o.env = append(os.Environ(),
		"KUBECONFIG="+s.kubeconfig(t), "GOVC_URL="+at.String(), "GOVC_TLS_CA_CERTS="+ca,
		"GOVC_USERNAME="+s.VSphere.URL.User.Username(), "GOVC_PASSWORD="+password, "NO_COLOR=1",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com")
	o.run(t, filepath.Join("..", ".."), "go", "build", "-o", o.vksync, "./cmd/vksync")
	o.run(t, dir, "git", "init", "--quiet", "--bare", "--initial-branch=main", o.bare)
	o.run(t, dir, "git", "init", "--quiet", "--initial-branch=main", o.work)
	o.run(t, o.work, "git", "remote", "add", "origin", o.bare)
	return o
}

// vcenterCertificate is the one that vCenter shows, which signs itself.
func (s *Site) vcenterCertificate(t testing.TB) []byte {
	t.Helper()
	conn, err := tls.Dial("tcp", s.VSphere.URL.Host, &tls.Config{RootCAs: s.VSphere.RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: conn.ConnectionState().PeerCertificates[0].Raw})
}

// run runs a command to its end, which is to be a good one.
func (o *operator) run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = dir, o.env
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// write makes the work tree hold one manifest, or none if it is empty.
func (o *operator) write(t testing.TB, manifest string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.work, "fleet.yaml"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
}

// push pushes the manifest, and returns the revision.
func (o *operator) push(t testing.TB, manifest string) string {
	t.Helper()
	o.write(t, manifest)
	o.run(t, o.work, "git", "add", "-A")
	o.run(t, o.work, "git", "commit", "--quiet", "-m", "change")
	o.run(t, o.work, "git", "push", "--quiet", "origin", "HEAD:main")
	return o.run(t, o.work, "git", "rev-parse", "HEAD")
}

// A daemon is a running "vksync run".
type daemon struct {
	*exec.Cmd
	url  string
	done chan error

	mu  sync.Mutex
	log bytes.Buffer
}

func (d *daemon) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(b)
}

func (d *daemon) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

var listening = regexp.MustCompile(`address=(http://[0-9.:]+)`)

// follow starts a daemon that follows the repository.
func (o *operator) follow(t testing.TB, args ...string) *daemon {
	t.Helper()
	d := &daemon{done: make(chan error, 1)}
	d.Cmd = exec.Command(o.vksync, append([]string{"run", o.bare, "--listen=127.0.0.1:0", "--resync=1s"}, args...)...)
	d.Env, d.Stderr = o.env, d
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.done <- d.Wait() }()
	t.Cleanup(func() {
		_ = d.Process.Kill() // it may have ended
		if t.Failed() {
			t.Logf("vksync run:\n%s", d.text())
		}
	})
	Eventually(t, readyWithin, "vksync run to serve", func() error {
		found := listening.FindStringSubmatch(d.text())
		if found == nil {
			return errors.New("no address in its log")
		}
		d.url = found[1]
		return nil
	})
	return d
}

// loop is how its one loop stands.
func (d *daemon) loop() (reconcile.LoopStatus, error) {
	response, err := http.Get(d.url + "/api/v1/status")
	if err != nil {
		return reconcile.LoopStatus{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var s reconcile.Status
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		return reconcile.LoopStatus{}, err
	}
	if len(s.Loops) != 1 {
		return reconcile.LoopStatus{}, fmt.Errorf("there are %d loops", len(s.Loops))
	}
	return s.Loops[0], nil
}

// synced waits until nothing is left to do of a revision.
func (d *daemon) synced(t testing.TB, revision string) {
	t.Helper()
	Eventually(t, syncedWithin, "vksync to be in sync with "+revision, func() error {
		l, err := d.loop()
		if err == nil && (l.State != reconcile.InSync || l.Synced != revision) {
			err = fmt.Errorf("it is %s, was in sync with %q, and says %q", l.State, l.Synced, l.Error)
		}
		return err
	})
}

// stop ends it as an operator does.
func (d *daemon) stop(t testing.TB) {
	t.Helper()
	if err := d.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-d.done:
		if err != nil {
			t.Errorf("vksync run ended with %v", err)
		}
	case <-time.After(syncedWithin):
		t.Error("vksync run does not end")
	}
}
