package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile"
	vkschema "github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	siteinventory "github.com/vksync/vksync/simulate/inventory"
)

// A liveWorld is a simulated site served over TLS, which processes of vksync
// reach by the environment that kubectl and govc use.
type liveWorld struct {
	*simulate.Served
	world *simulate.World
	env   []string
}

// worldSpeed is how much faster than the wall clock model time runs.
const worldSpeed = 400

func newLiveWorld(t testing.TB, change ...func(*simulate.ServeOptions)) *liveWorld {
	t.Helper()
	inv, err := siteinventory.Decode(vkschema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	w := &liveWorld{}
	if w.world, err = simulate.New(simulate.Config{Inventory: inv, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	options := simulate.ServeOptions{
		Speed: worldSpeed, OnFault: func(err error) { t.Errorf("the simulation: %v", err) },
	}
	for _, c := range change {
		c(&options)
	}
	w.Served, err = w.world.Serve(context.WithoutCancel(t.Context()), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Served.Close(), w.world.Close()); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	kubeconfig, err := w.Kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"kubeconfig": kubeconfig, "ca.pem": w.CA} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.env = []string{
		"KUBECONFIG=" + filepath.Join(dir, "kubeconfig"), "GOVC_URL=" + w.VCenterURL(), "GOVC_USERNAME=" + w.User,
		"GOVC_PASSWORD=" + w.Password, "GOVC_TLS_CA_CERTS=" + filepath.Join(dir, "ca.pem"), "NO_COLOR=1",
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(),
	}
	return w
}

var clusterResource = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}

func (w *liveWorld) kube(t testing.TB) dynamic.Interface {
	t.Helper()
	c, err := dynamic.NewForConfig(w.KubeConfig())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clusters are all Clusters by NAMESPACE/NAME.
func (w *liveWorld) clusters(t testing.TB) map[string]unstructured.Unstructured {
	t.Helper()
	list, err := w.kube(t).Resource(clusterResource).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]unstructured.Unstructured{}
	for _, o := range list.Items {
		out[o.GetNamespace()+"/"+o.GetName()] = o
	}
	return out
}

// A process is vksync as users run it.
type process struct {
	cmd  *exec.Cmd
	url  string // of its HTTP server
	done chan struct{}
	err  error // once done

	mu  sync.Mutex
	log bytes.Buffer
}

// listening finds the address in the log.
var listening = regexp.MustCompile(`address(?:=|":")(http://[0-9.:]+)`)

// runDaemon starts "vksync run" and waits until it serves.
func (w *liveWorld) runDaemon(t testing.TB, args ...string) *process {
	t.Helper()
	return w.startDaemon(t, append([]string{"--listen=127.0.0.1:0"}, args...)...)
}

// startDaemon is runDaemon, where nothing but args says what to serve.
func (w *liveWorld) startDaemon(t testing.TB, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{done: make(chan struct{})}
	p.cmd = exec.Command(self)
	p.cmd.Args = append([]string{"vksync", "run", "--resync=1s"}, args...)
	p.cmd.Env = w.env
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	served := make(chan string, 1)
	go p.read(errs, served)
	t.Cleanup(func() {
		if t.Failed() {
			_ = p.cmd.Process.Signal(syscall.SIGQUIT) // the log ends with what it was doing
			select {
			case <-p.done:
			case <-time.After(5 * time.Second):
			}
		}
		p.kill()
		if t.Failed() {
			t.Logf("%s\n%s", strings.Join(p.cmd.Args, " "), p.text())
		}
	})
	select {
	case p.url = <-served:
	case <-p.done:
		t.Fatalf("vksync run ended with %v:\n%s", p.err, p.text())
	}
	return p
}

// read keeps the log, finds the address in it, and waits for the end.
func (p *process) read(errs io.Reader, served chan<- string) {
	buffer := make([]byte, 4096)
	told := false
	for {
		n, err := errs.Read(buffer)
		p.mu.Lock()
		p.log.Write(buffer[:n])
		found := listening.FindSubmatch(p.log.Bytes())
		p.mu.Unlock()
		if found != nil && !told {
			told = true
			served <- string(found[1])
		}
		if err != nil {
			break
		}
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends it as a crash does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.done
}

// stop ends it as an operator does.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if p.err != nil {
		t.Errorf("it ended with %v", p.err)
	}
}

func (p *process) status(t testing.TB) (s reconcile.Status) {
	t.Helper()
	response, err := http.Get(p.url + "/api/v1/status")
	if err != nil {
		return s // it is ending, or was killed
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return s // the same, in the middle of its answer
	}
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// synced waits until nothing is left to do of a revision.
func (p *process) synced(t testing.TB, revision string) {
	t.Helper()
	eventually(t, "in sync with "+revision, func() bool {
		s := p.status(t)
		return len(s.Loops) == 1 && s.Loops[0].State == reconcile.InSync && s.Loops[0].Synced == revision
	})
}

// patience is how long is waited for anything. Nothing takes nearly as long, also on
// a busy machine.
const patience = 2 * time.Minute

// eventually waits until what is asked for is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}
