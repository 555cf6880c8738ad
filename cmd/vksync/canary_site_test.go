package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/simulate"
)

// canary is a secret of its own for each place where one is.
func canary(place string) string { return "CANARY-" + place + "-7f3a" }

// sung finds canaries as they are, and as HTTP and Kubernetes encode them: base64
// has three forms of a text, by where in it the text begins.
var sung = func() *regexp.Regexp {
	forms := []string{`CANARY[-a-zA-Z0-9]*`}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + "CANARY-"))
		forms = append(forms, regexp.QuoteMeta(encoded[(shift*8+5)/6:7*8/6]))
	}
	return regexp.MustCompile(strings.Join(forms, "|"))
}()

// silent fails where an output holds a canary.
func silent(t *testing.T, where, text string) {
	t.Helper()
	for _, at := range sung.FindAllStringIndex(text, 3) {
		t.Errorf("%s holds a secret: %.300q", where, text[max(0, at[0]-200):min(len(text), at[1]+60)])
	}
}

// An echo stands before a server and, when told to, repeats all it was sent in
// place of an answer, as proxies do that are made for debugging.
type echo struct {
	*httptest.Server
	// refuse is the status of a request's echo, 0 to let it pass; nil lets all pass.
	refuse atomic.Pointer[func(*http.Request) int]
	echoed atomic.Int64
}

func newEcho(t *testing.T, next http.Handler) *echo {
	t.Helper()
	e := &echo{}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := e.refuse.Load()
		code := 0
		if refuse != nil {
			code = (*refuse)(r)
		}
		if code == 0 {
			next.ServeHTTP(w, r)
			return
		}
		e.echoed.Add(1)
		repeat(w, r, code)
	}))
	e.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

// repeat answers with all of a request, in the form of errors of the API asked.
func repeat(w http.ResponseWriter, r *http.Request, code int) {
	body, _ := io.ReadAll(r.Body)
	said := fmt.Sprintf("no %s https://ada:%s@%s%s with Authorization: %s, Cookie: %s, session %s and %s",
		r.Method, canary("url"), r.Host, r.URL, r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("vmware-api-session-id"), body)
	if user, password, ok := r.BasicAuth(); ok {
		said += fmt.Sprintf(" of %s:%s", user, password)
	}
	quoted, _ := json.Marshal(said)
	for name, values := range r.Header {
		w.Header()["X-Echo-"+name] = values
	}
	var answer string
	switch {
	case strings.HasPrefix(r.URL.Path, "/sdk"):
		answer = `<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>` +
			strings.NewReplacer("<", "&lt;", "&", "&amp;").Replace(said) + `</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`
		w.Header().Set("Content-Type", "text/xml")
		code = http.StatusInternalServerError
	case strings.HasPrefix(r.URL.Path, "/api/vcenter"), strings.HasPrefix(r.URL.Path, "/api/session"), strings.HasPrefix(r.URL.Path, "/rest"):
		w.Header().Set("Content-Type", "application/json")
		answer = fmt.Sprintf(`{"error_type":"ERROR","messages":[{"id":"x","default_message":%s,"args":[]}]}`, quoted)
	default:
		w.Header().Set("Content-Type", "application/json")
		answer = fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","message":%s,"code":%d}`, quoted, code)
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, answer)
}

func (e *echo) when(refuse func(*http.Request) int) { e.refuse.Store(&refuse) }

// logins refuses what carries the password of vCenter: logins, over SOAP and REST.
func logins(r *http.Request) int {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, password, _ := r.BasicAuth()
	if strings.Contains(string(body)+password, canary("vcenter-password")) {
		return http.StatusBadRequest
	}
	return 0
}

// inTurn refuses in one way after the other.
func (e *echo) inTurn(*http.Request) int {
	codes := []int{http.StatusUnauthorized, http.StatusBadRequest, http.StatusInternalServerError}
	return codes[e.echoed.Load()%int64(len(codes))]
}

func (e *echo) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})
}

// before passes requests on to a server of the world.
func (w *liveWorld) before(t *testing.T, address string) http.Handler {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(w.CA)
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host}) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, FlushInterval: -1,
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// gitServer serves the repository to who knows a password.
func gitServer(t *testing.T, root string) http.Handler {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Stderr: io.Discard, Logger: log.New(io.Discard, "", 0),
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != canary("git-token") && password != canary("git-password") {
			repeat(w, r, http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	})
}

// A plantation is a site where every place that may hold a secret holds one, and
// the configuration that leads there.
type plantation struct {
	*liveWorld
	repo                     *gittest.Repo
	dir, config              string
	supervisor, vcenter, git *echo
}

func newPlantation(t *testing.T) *plantation {
	t.Helper()
	w := newLiveWorld(t, func(o *simulate.ServeOptions) {
		o.Password, o.Token = canary("vcenter-password"), canary("kube-token")
	})
	p := &plantation{liveWorld: w, repo: gittest.New(t), dir: t.TempDir()}
	p.supervisor = newEcho(t, w.before(t, w.KubeConfig().Host))
	p.vcenter = newEcho(t, w.before(t, w.VCenterURL()))
	p.git = newEcho(t, gitServer(t, filepath.Dir(p.repo.Bare)))
	key := privateKey(t)
	for name, text := range map[string]string{
		"kubeconfig": fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\nclusters: [{name: x, cluster: {server: %q, certificate-authority: ca.pem}}]\nusers: [{name: x, user: {token: %s}}]\n", p.supervisor.URL, canary("kube-token")),
		"ca.pem":     string(p.supervisor.ca()), "git-password": canary("git-password") + "\n", "server-token": canary("server-token") + "\n",
		"id": key, "known_hosts": "",
		"vksync.yaml": fmt.Sprintf(`apiVersion: vksync.dev/v1alpha1
kind: Config
supervisors:
- name: lab
  vcenter: {url: %q, username: %s, password: {env: VC_PASSWORD}, caFile: ca.pem}
  kubernetes: {kubeconfig: kubeconfig}
sources:
- name: fleet
  url: %[3]s/fleet.git
  poll: 1s
  auth: {token: {env: GIT_TOKEN}, caFile: ca.pem}
  webhook: {provider: github, secret: {env: HOOK_SECRET}}
  policy: {mode: approval, prune: true}
- name: second
  url: %[3]s/fleet.git
  path: second
  poll: 1s
  auth: {username: ada, password: {file: git-password}, caFile: ca.pem}
- name: third
  url: ssh://git@127.0.0.1:1/fleet.git
  poll: 1s
  auth: {sshKeyFile: id, knownHostsFile: known_hosts}
server: {address: "127.0.0.1:0", token: {file: server-token}}
leaderElection: {namespace: default}
`, p.vcenter.URL, w.User, p.git.URL),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.config = filepath.Join(p.dir, "vksync.yaml")
	w.env = append(w.env, "KUBECONFIG="+filepath.Join(p.dir, "kubeconfig"), "GOVC_URL="+p.vcenter.URL, "GOVC_TLS_CA_CERTS="+filepath.Join(p.dir, "ca.pem"),
		"VC_PASSWORD="+w.Password, "GIT_TOKEN="+canary("git-token"), "HOOK_SECRET="+canary("hook-secret"))
	return p
}

// privateKey is one for ssh whose comment is a secret.
func privateKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, canary("ssh-key"))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// secretive are the manifests of a fleet whose owners put secrets into them.
func secretive(replicas int) map[string]string {
	team := namespaces(1, 1, replicas)[0]
	team = strings.Replace(team, "    contact: team-000@lab.example\n", fmt.Sprintf(
		"    contact: team-000@lab.example\n    runbook: https://ada:%s@wiki.example/x\n    wiki.example/token: %s\n", canary("runbook"), canary("annotation")), 1)
	team += fmt.Sprintf(`    - name: osConfiguration
      value:
        user: {user: ops, hashedPassword: %s, sshAuthorizedKey: %s}
        systemProxy: {http: "http://ada:%s@proxy.example:3128", https: "http://proxy.example:3128"}
`, canary("hash"), canary("ssh"), canary("proxy"))
	return map[string]string{"team.yaml": team, "second/.keep": ""}
}

var coreSecrets, coreEvents, coreMaps = schema.GroupVersionResource{Version: "v1", Resource: "secrets"},
	schema.GroupVersionResource{Version: "v1", Resource: "events"}, schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// planted is the Event that holds secrets because a test put them there.
const planted = "planted"

// plant puts secrets where the Supervisor and the people on it keep them.
func (p *plantation) plant(t *testing.T) {
	t.Helper()
	kube := p.kube(t)
	list, err := kube.Resource(coreSecrets).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) < 3 {
		t.Fatalf("there are only %d Secrets", len(list.Items))
	}
	for _, o := range list.Items {
		patch := fmt.Sprintf(`{"data":{"value":%q,"planted":%[1]q}}`, base64.StdEncoding.EncodeToString([]byte(canary("secret-data"))))
		if _, err := kube.Resource(coreSecrets).Namespace(o.GetNamespace()).Patch(t.Context(), o.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "cloud-init"}); err != nil {
			t.Fatal(err)
		}
	}
	cluster := p.clusters(t)["team-000/c00000"]
	event := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"namespace": "team-000", "name": planted}, "type": "Warning", "reason": "Failed",
		"message":        "cannot pull from https://ada:" + canary("event") + "@registry.example with Bearer " + canary("bearer"),
		"involvedObject": map[string]any{"kind": "Cluster", "namespace": "team-000", "name": "c00000", "uid": string(cluster.GetUID())},
	}}
	if _, err := kube.Resource(coreEvents).Namespace("team-000").Create(t.Context(), event, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// And by hand into what vksync has applied: drift, whose old and new values are shown.
	patch := fmt.Sprintf(`[{"op":"replace","path":"/spec/topology/workers/machineDeployments/0/replicas","value":3},
		{"op":"add","path":"/metadata/annotations/runbook","value":"https://eve:%s@wiki.example"},
		{"op":"add","path":"/metadata/annotations/wiki.example~1token","value":%q}]`, canary("drift"), canary("drift-token"))
	if _, err := kube.Resource(clusterResource).Namespace("team-000").Patch(t.Context(), "c00000", types.JSONPatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

// ask reads something of the daemon with a token.
func (p *process) ask(t *testing.T, path, token string) (code int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n", response.Header)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		b.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"end":`) && strings.Contains(path, "events") {
			break // a stream has none of its own
		}
	}
	return response.StatusCode, b.String()
}

// told is all that the daemon says, but in its log.
func (p *process) told(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/api/v1/status", "/metrics", "/readyz", "/healthz"} {
		for _, token := range []string{"", canary("wrong-token"), canary("server-token")} {
			_, text := p.ask(t, path, token)
			silent(t, path, text)
		}
	}
}

// loops is the part of the status about one source.
func (p *process) loopOf(t *testing.T, source string) (l reconcile.LoopStatus) {
	t.Helper()
	_, text := p.ask(t, "/api/v1/status", canary("server-token"))
	var s reconcile.Status
	_, body, _ := strings.Cut(text, "\n")
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	for _, loop := range s.Loops {
		if loop.Source == source {
			l = loop
		}
	}
	return l
}

// approve approves the plan that waits.
func (p *plantation) approve(t *testing.T, daemon *process) {
	t.Helper()
	var digest string
	eventually(t, "a plan that is held", func() bool {
		l := daemon.loopOf(t, "fleet")
		digest = l.Digest
		return l.State == reconcile.Held
	})
	o, err := p.kube(t).Resource(coreMaps).Namespace("default").Get(t.Context(), "vksync-fleet", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text, _, _ := unstructured.NestedString(o.Object, "data", "plan"); !strings.Contains(text, "(hidden)") {
		t.Errorf("the plan in the ConfigMap hides nothing:\n%s", text)
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, reconcile.AnnotationApprove, digest)
	if _, err := p.kube(t).Resource(coreMaps).Namespace("default").Patch(t.Context(), "vksync-fleet", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}
