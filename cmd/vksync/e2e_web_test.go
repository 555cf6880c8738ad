package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// A listener reads the journal as a client of the daemon does.
type listener struct {
	lines  *bufio.Scanner
	cancel context.CancelFunc
	id     string // of the last event
}

func (p *process) listen(t testing.TB, lastID string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the answer is %s, of type %q", response.Status, response.Header.Get("Content-Type"))
	}
	l := &listener{lines: bufio.NewScanner(response.Body), cancel: cancel}
	l.lines.Buffer(nil, 16<<20) // Begin holds the plan
	return l
}

// next waits for an event.
func (l *listener) next(t testing.TB) (e journal.Event) {
	t.Helper()
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "id":
			l.id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				t.Fatal(err)
			}
			return e
		}
	}
	t.Fatalf("the stream ended after %s: %v", l.id, l.lines.Err())
	return e
}

// get is the answer to one request.
func (p *process) get(t testing.TB, path string) (code int, text string) {
	t.Helper()
	response, err := http.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// Who listens hears a whole run, also when the connection breaks in the middle of
// it, and the metrics, readiness and Kubernetes Events tell the same.
func TestARunIsToldToWhoListens(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), gittest.New(t)
	p := w.runDaemon(t, repo.Bare)
	if code, text := p.get(t, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz is %d %s", code, text)
	}
	if code, text := p.get(t, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "no valid revision yet") {
		t.Errorf("before the first push /readyz is %d %s", code, text)
	}
	stream := p.listen(t, "")
	revision := repo.Push(t, oneCluster(2))
	var events []journal.Event
	for len(events) == 0 || events[len(events)-1].End == nil {
		if len(events) == 5 {
			stream.cancel()
			stream = p.listen(t, stream.id)
		}
		events = append(events, stream.next(t))
	}
	for i, e := range events {
		if e.Seq != i {
			t.Fatalf("event %d has number %d", i, e.Seq)
		}
	}
	if begin := events[0].Begin; begin == nil || begin.Revision != revision || len(begin.Goals) != 2 {
		t.Errorf("the journal begins with %+v, want 2 goals of %s", events[0].Begin, revision)
	}
	if end := events[len(events)-1].End; end.Outcome != journal.Reached || end.Reached != 2 {
		t.Errorf("the run ended %+v", end)
	}
	p.synced(t, revision)
	if code, text := p.get(t, "/readyz"); code != http.StatusOK {
		t.Errorf("in sync /readyz is %d %s", code, text)
	}
	for _, want := range []string{
		`vksync_runs_total{outcome="reached",source="default",supervisor="supervisor"} 1`,
		`vksync_actions_total{result="done",source="default",supervisor="supervisor",verb="create"} 2`,
		`vksync_source_valid{source="default"} 1`,
		`vksync_loop_leader{source="default",supervisor="supervisor"} 1`,
	} {
		if _, text := p.get(t, "/metrics"); !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	eventually(t, "a Kubernetes Event about the Cluster", func() bool { return w.eventsAbout(t, "c00000")["Created"] })
	told := time.Now()
	p.stop(t)
	if took := time.Since(told); took > stopTimeout-time.Second {
		t.Errorf("it took %s to end while somebody listens", took)
	}
}

// eventsAbout are the reasons of the Kubernetes Events that vksync wrote about a Cluster.
func (w *liveWorld) eventsAbout(t testing.TB, name string) map[string]bool {
	t.Helper()
	list, err := w.kube(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: "events"}).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]bool{}
	for _, o := range list.Items {
		about := resource.Fields(o.Object, "involvedObject")
		if about["kind"] == resource.KindCluster && about["name"] == name && resource.Text(o.Object, "source", "component") == "vksync" {
			reasons[resource.Text(o.Object, "reason")] = true
		}
	}
	return reasons
}

// newForge serves a directory of repositories over https, and writes the
// certificate to trust into a file.
func newForge(t testing.TB, root string) (url, caFile string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	server := httptest.NewUnstartedServer(&cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Stderr: io.Discard, Logger: quiet,
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull},
	})
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "forge.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, caFile
}

// deliver sends a delivery of GitHub about a push to main.
func (p *process) deliver(t testing.TB, secret, id string) int {
	t.Helper()
	const body = `{"ref":"refs/heads/main"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/webhook/fleet", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": id,
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// A delivery of a forge has the repository looked at, which would be next in a day.
func TestAWebhookTellsOfAPush(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), gittest.New(t)
	first := repo.Push(t, oneCluster(2))
	forge, ca := newForge(t, filepath.Dir(repo.Bare))
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("canary-hook\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := w.startDaemon(t, "--mirror="+t.TempDir(), "--config="+w.config(t, fmt.Sprintf(
		"url: %q\npoll: 24h\nauth: {caFile: %q}\nwebhook: {provider: github, secret: {file: %q}}", forge+"/fleet.git", ca, secret)))
	p.synced(t, first)
	second := repo.Push(t, oneCluster(3))
	if code := p.deliver(t, "wrong", "1"); code != http.StatusUnauthorized {
		t.Errorf("a delivery with a wrong signature is answered with %d, want 401", code)
	}
	if newest := p.status(t).Sources[0].Newest; newest != first {
		t.Errorf("before the delivery the newest commit is %s, want the first, %s", newest, first)
	}
	pushed := time.Now()
	if code := p.deliver(t, "canary-hook", "2"); code != http.StatusAccepted {
		t.Errorf("the delivery is answered with %d, want 202", code)
	}
	eventually(t, "a plan of the push", func() bool { return p.loop(t).Revision == second })
	t.Logf("it was planned %s after the delivery", time.Since(pushed))
	p.synced(t, second)
	p.stop(t)
	if strings.Contains(p.text(), "canary-hook") {
		t.Error("the secret is in the log")
	}
}
