package simulate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate"
)

// serve serves a world at a speed at which a cluster is there in well under a second.
func serve(t *testing.T, o simulate.ServeOptions) (*simulate.World, *simulate.Served) {
	t.Helper()
	world, err := simulate.New(simulate.Config{Inventory: labInventory(t), Start: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	if o.Speed == 0 {
		o.Speed = 1000
	}
	if o.OnFault == nil {
		o.OnFault = func(err error) { t.Errorf("the simulation failed: %v", err) }
	}
	served, err := world.Serve(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := served.Close(); err != nil {
			t.Error(err)
		}
	})
	return world, served
}

// site is a served world as its clients see it.
type site struct {
	*simulate.Served
	world   *simulate.World
	objects dynamic.Interface
	vcenter *vsphere.Client
}

func connect(t *testing.T, o simulate.ServeOptions) *site {
	t.Helper()
	s := &site{}
	s.world, s.Served = serve(t, o)
	var err error
	if s.objects, err = dynamic.NewForConfig(s.KubeConfig()); err != nil {
		t.Fatal(err)
	}
	config, err := s.VSphereConfig()
	if err != nil {
		t.Fatal(err)
	}
	if s.vcenter, err = vsphere.Dial(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.vcenter.Close(context.WithoutCancel(t.Context())) }) // it may be down by then
	return s
}

func (s *site) resource(kind string) dynamic.NamespaceableResourceInterface {
	return s.objects.Resource(map[string]schema.GroupVersionResource{
		"Namespace":      {Version: "v1", Resource: "namespaces"},
		"Cluster":        {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"},
		"Machine":        {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"},
		"VirtualMachine": {Group: "vmoperator.vmware.com", Version: "v1alpha5", Resource: "virtualmachines"},
	}[kind])
}

// await polls until the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

// create makes namespace team-a and a cluster in it, and waits until it is available.
func (s *site) create(t *testing.T, controlPlane, workers int) {
	t.Helper()
	decode := func(text string) map[string]any {
		content := map[string]any{}
		if err := yaml.Unmarshal([]byte(text), &content); err != nil {
			t.Fatal(err)
		}
		return content
	}
	if err := s.vcenter.CreateNamespace(t.Context(), resource.NewObject(decode(namespaceTeamA))); err != nil {
		t.Fatal(err)
	}
	await(t, "the namespace", func() bool {
		_, err := s.resource("Namespace").Get(t.Context(), "team-a", metav1.GetOptions{})
		return err == nil
	})
	text, err := yaml.YAMLToJSON([]byte(clusterProd(controlPlane, workers)))
	if err != nil {
		t.Fatal(err)
	}
	cluster := new(unstructured.Unstructured)
	if err := json.Unmarshal(text, &cluster.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := s.resource("Cluster").Namespace("team-a").Create(t.Context(), cluster, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.awaitCluster(t, "True")
}

func (s *site) awaitCluster(t *testing.T, available string) {
	t.Helper()
	await(t, "the cluster to be available: "+available, func() bool {
		u, err := s.resource("Cluster").Namespace("team-a").Get(t.Context(), "prod", metav1.GetOptions{})
		return err == nil && resource.ConditionOf(u.Object, "Available").Status == available
	})
}

func TestAServedWorldActsOnWhatAnyoneWrites(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{})
	started := time.Now()
	s.create(t, 3, 3)
	u, err := s.resource("Cluster").Namespace("team-a").Get(t.Context(), "prod", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if created := u.GetCreationTimestamp().Time; created.Before(started.Add(-time.Minute)) {
		t.Errorf("the cluster was created at %s, want a time after %s", created, started)
	}
	before := s.world.Now()
	if took := before.Sub(started); took < time.Minute {
		t.Errorf("%s of model time have passed, want minutes: a cluster is not made in less", took)
	}
	await(t, "model time to go on while nothing happens", func() bool { return s.world.Now().After(before) })
	// A cluster is available before all of its control plane is there.
	await(t, "vCenter to have 6 VMs", func() bool {
		inventory, err := s.vcenter.Inventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(inventory.VMs) == 6
	})
}

func TestAServedWorldIsSavedAndGoesOn(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{})
	s.create(t, 1, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/world"
	if err := s.world.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := simulate.New(simulate.Config{From: dir, Start: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}()
	if again.Now().Before(s.world.Now()) {
		t.Errorf("the world goes on at %s, before %s where it ended", again.Now(), s.world.Now())
	}
}

func TestAWorldIsServedOnceAndNotWithoutTime(t *testing.T) {
	t.Parallel()
	world, _ := serve(t, simulate.ServeOptions{})
	for _, speed := range []float64{0, -1} {
		if _, err := world.Serve(t.Context(), simulate.ServeOptions{Speed: speed}); err == nil || !strings.Contains(err.Error(), "more than 0") {
			t.Errorf("speed %g: got %v, want it refused", speed, err)
		}
	}
	if _, err := world.Serve(t.Context(), simulate.ServeOptions{Speed: 1}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("served twice: got %v, want it refused", err)
	}
}

// web is a client of the Supervisor that is not client-go.
func (s *site) web(t *testing.T) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func ask(t *testing.T, c *http.Client, method, url string, change func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestTheSupervisorKnowsItsTokens(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{TokenLife: time.Hour})
	client, list := s.web(t), s.SupervisorURL()+"/api/v1/namespaces"
	with := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	login := func(password string) (int, string) {
		return ask(t, client, http.MethodPost, s.SupervisorURL()+"/wcp/login", func(r *http.Request) { r.SetBasicAuth(s.User, password) })
	}
	if code, body := login("wrong"); code != http.StatusUnauthorized || strings.Contains(body, s.Password) {
		t.Errorf("login with a wrong password: %d %s, want 401", code, body)
	}
	code, body := login(s.Password)
	var session struct {
		ID string `json:"session_id"`
	}
	if err := json.Unmarshal([]byte(body), &session); code != http.StatusOK || err != nil || session.ID == "" {
		t.Fatalf("login: %d %s %v, want a session", code, body, err)
	}
	signed := session.ID
	for name, test := range map[string]struct {
		token string
		want  int
	}{
		"none": {"", 401}, "any": {"x", 401}, "the kubeconfig's": {s.Token, 200}, "that of login": {signed, 200},
		"an altered one": {signed[:len(signed)-2] + "xx", 401}, "one without a signature": {signed[:strings.LastIndex(signed, ".")], 401},
	} {
		if code, body := ask(t, client, http.MethodGet, list, with(test.token)); code != test.want {
			t.Errorf("with the token %s: %d %.100s, want %d", name, code, body, test.want)
		}
	}
	s.ExpireTokens()
	code, body = ask(t, client, http.MethodGet, list, with(signed))
	if code != http.StatusUnauthorized || !strings.Contains(body, `"reason":"Unauthorized"`) {
		t.Errorf("with an expired token: %d %s, want 401 with a Status", code, body)
	}
}

func TestNobodyLogsInToVCenterWithAnotherPassword(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{User: "ops@vsphere.local", Password: "canary-5f1c"})
	config, err := s.VSphereConfig()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"password": func() { config.URL.User = urlUser("ops@vsphere.local", "simulated") },
		"user":     func() { config.URL.User = urlUser(simulate.DefaultUser, "canary-5f1c") },
	} {
		change()
		_, err := vsphere.Dial(t.Context(), config)
		if vsphere.KindOf(err) != vsphere.Denied {
			t.Errorf("another %s: got %v, want it denied", name, err)
		}
	}
	config.URL.User, config.RootCAs = urlUser("ops@vsphere.local", "canary-5f1c"), x509.NewCertPool()
	if _, err := vsphere.Dial(t.Context(), config); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the CA: got %v, want the certificate refused", err)
	}
}

func TestVCenterIsThereAgainAfterARestart(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{})
	s.create(t, 1, 1)
	address := s.VCenterURL()
	for name, disturb := range map[string]func() error{
		"a restart":       func() error { return s.Restart(simulate.VCenter) },
		"lost sessions":   func() error { s.DropSessions(); return nil },
		"time spent down": func() error { return s.Down(simulate.VCenter) },
	} {
		if err := disturb(); err != nil {
			t.Fatal(err)
		}
		if err := s.Up(simulate.VCenter); err != nil {
			t.Fatal(err)
		}
		if s.VCenterURL() != address {
			t.Fatalf("after %s it is at %s, want %s", name, s.VCenterURL(), address)
		}
		await(t, "an answer after "+name, func() bool {
			inventory, err := s.vcenter.Inventory(t.Context())
			return err == nil && len(inventory.VMs) == 2
		})
	}
}

func TestFaultsAreWhatTheClientSees(t *testing.T) {
	t.Parallel()
	s := connect(t, simulate.ServeOptions{})
	list := s.SupervisorURL() + "/api/v1/namespaces"
	for name, test := range map[string]struct {
		fault simulate.Fault
		want  string
	}{
		"reset":     {simulate.Fault{Reset: true}, "error"},
		"lost":      {simulate.Fault{Lost: true}, "error"},
		"hang":      {simulate.Fault{Hang: true}, "error"},
		"truncated": {simulate.Fault{Truncate: 10}, "unexpected EOF"},
		"429":       {simulate.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, `429 2 "reason":"TooManyRequests"`},
		"410":       {simulate.Fault{Status: 410}, `410  "reason":"Expired"`},
		"503":       {simulate.Fault{Status: 503}, `503  "reason":"ServiceUnavailable"`},
		"418":       {simulate.Fault{Status: 418}, `418  "code":418`},
	} {
		var asked atomic.Int32
		ctx, giveUp := context.WithCancel(t.Context())
		s.Fail(simulate.Supervisor, func(*http.Request) *simulate.Fault {
			asked.Add(1)
			if test.fault.Hang {
				giveUp()
			}
			return &test.fault
		})
		got := answerOf(ctx, t, s, list)
		giveUp()
		if asked.Load() == 0 {
			t.Errorf("%s: no request came through", name)
		}
		if test.want == "error" {
			if strings.Contains(got, "200") {
				t.Errorf("%s: got %s, want an error", name, got)
			}
		} else if fields := strings.SplitAfterN(test.want, " ", 3); !containsAll(got, fields) {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	s.Fail(simulate.Supervisor, nil)
	if got := answerOf(t.Context(), t, s, list); !strings.HasPrefix(got, "200") {
		t.Errorf("without a fault: %s", got)
	}
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, strings.TrimSpace(p)) {
			return false
		}
	}
	return true
}

// answerOf is code, Retry-After and body of an answer, or the error.
func answerOf(ctx context.Context, t *testing.T, s *site, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	answer, err := s.web(t).Do(r)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return strings.Join([]string{answer.Status[:3], answer.Header.Get("Retry-After"), string(body)}, " ")
}

func urlUser(name, password string) *url.Userinfo { return url.UserPassword(name, password) }
