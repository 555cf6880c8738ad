package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/inventory"
)

// A site is a simulated world with a wire that a test can count on and break.
type site struct {
	world *simulate.World
	wire  *wire
	speed float64
	// served is nil unless the site is taken for a live one.
	served *simulate.Served
	// journal is everything that runs recorded, as it is written.
	journal bytes.Buffer
	record  func(time.Time, journal.Event)
}

func newSite(t testing.TB) *site { return newSiteAt(t, 0) }

// newSiteAt is a site in which so many seconds pass in a second; 0 is as fast as
// possible.
func newSiteAt(t testing.TB, speed float64) *site {
	t.Helper()
	inv, err := inventory.Decode(schema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{wire: &wire{}, speed: speed}
	s.world, err = simulate.New(simulate.Config{Inventory: inv, Seed: 1, Speed: speed, Record: func(now time.Time, e journal.Event) {
		if s.record != nil {
			s.record(now, e)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.world.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// connect makes an engine for a source.
func (s *site) connect(t testing.TB, source string) (*reconcile.Engine, error) {
	t.Helper()
	return s.connectIn(t, source, s.world)
}

// live makes an engine that takes the site for a live one, in which time passes.
func (s *site) live(t testing.TB, source string) *reconcile.Engine {
	t.Helper()
	if s.served == nil {
		var err error
		s.served, err = s.world.Serve(context.WithoutCancel(t.Context()), simulate.ServeOptions{
			Speed: s.speed, OnFault: func(err error) { t.Errorf("the simulation: %v", err) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.served.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	e, err := s.connectIn(t, source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s *site) connectIn(t testing.TB, source string, world apply.World) (*reconcile.Engine, error) {
	t.Helper()
	kube, vcenter := s.world.KubeConfig(), s.world.VSphereConfig()
	kube.WrapTransport = func(next http.RoundTripper) http.RoundTripper { return transport{s.wire, next} }
	vcenter.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := s.world.DialContext(ctx, network, address)
		return &counting{Conn: conn, wire: s.wire}, err
	}
	engine, err := reconcile.Connect(t.Context(), reconcile.Endpoints{Kube: kube, VSphere: vcenter, World: world, Source: source})
	if err == nil {
		t.Cleanup(func() {
			if err := engine.Close(context.WithoutCancel(t.Context())); err != nil && !s.wire.isCut() {
				t.Error(err)
			}
		})
	}
	return engine, err
}

func (s *site) engine(t testing.TB, source string) *reconcile.Engine {
	t.Helper()
	e, err := s.connect(t, source)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s *site) plan(t testing.TB, e *reconcile.Engine, desired *resource.Set, o reconcile.Options) *plan.Plan {
	t.Helper()
	p, err := e.Plan(t.Context(), desired, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a plan and wants every goal reached.
func (s *site) run(t testing.TB, e *reconcile.Engine, p *plan.Plan) {
	t.Helper()
	encoder := journal.NewEncoder(&s.journal)
	recorder := journal.NewRecorder(s.world.Now(), func(e journal.Event) {
		if err := encoder.Encode(e); err != nil {
			t.Error(err)
		}
	})
	s.record = recorder.Record
	end, err := e.Run(t.Context(), p, apply.Options{Journal: recorder, Concurrency: 1})
	if err != nil || end.Outcome != journal.Reached || end.Reached != end.Goals {
		t.Fatalf("the run ended %v, %v\n%s", end, err, p.Text())
	}
}

// bring plans and runs.
func (s *site) bring(t testing.TB, e *reconcile.Engine, desired *resource.Set, o reconcile.Options) *plan.Plan {
	t.Helper()
	p := s.plan(t, e, desired, o)
	s.run(t, e, p)
	return p
}

// A wire notes the requests to both endpoints.
type wire struct {
	mu       sync.Mutex
	requests []string
	// refused is a part of the paths that the Supervisor forbids; empty is none.
	refused string
	// lost is a part of a request to vCenter that is sent and whose answer is lost, once.
	lost    string
	cut     bool // vCenter does not answer any more
	watches []io.Closer
}

// endWatches ends the watches that are open, as servers do now and then.
func (w *wire) endWatches() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, body := range w.watches {
		_ = body.Close()
	}
	w.watches = nil
}

func (w *wire) follow(body io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watches = append(w.watches, body)
}

func (w *wire) note(request string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, request)
}

// take lists the requests since it was last asked.
func (w *wire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.requests
	w.requests = nil
	return out
}

func (w *wire) refuse(part string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = part
}

func (w *wire) refuses(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused != "" && strings.Contains(path, w.refused)
}

func (w *wire) cutOff() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
}

func (w *wire) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// transport is the way to the Supervisor.
type transport struct {
	wire *wire
	next http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !r.URL.Query().Has("watch") { // watches come on their own, at any time
		t.wire.note(r.Method + " " + r.URL.Path)
	}
	if t.wire.refuses(r.URL.Path) {
		body := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`
		return &http.Response{
			StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
	answer, err := t.next.RoundTrip(r)
	if err == nil && r.URL.Query().Has("watch") {
		t.wire.follow(answer.Body)
	}
	return answer, err
}

// counting is a connection to vCenter, whose requests begin with their method.
type counting struct {
	net.Conn
	wire *wire
	deaf atomic.Bool // the next answer is lost
}

var errCut = errors.New("the wire is cut")

func (w *wire) lose(part string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = part
}

// loses says whether the answer to a request is to be lost.
func (w *wire) loses(line string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost == "" || !strings.Contains(line, w.lost) {
		return false
	}
	w.lost = ""
	return true
}

// Read gives the answer, unless that is to be lost.
func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.deaf.Load() && n > 0 {
		return 0, errors.Join(errCut, c.Close())
	}
	return n, err
}

func (c *counting) Write(b []byte) (int, error) {
	if c.wire.isCut() {
		return 0, errCut
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if bytes.HasPrefix(b, []byte(method+" /")) {
			line, _, _ := bytes.Cut(b, []byte(" HTTP/"))
			c.wire.note("vCenter " + string(line))
			if c.wire.loses(string(line)) {
				c.deaf.Store(true)
			}
			if c.wire.refuses(string(line)) {
				return 0, errCut
			}
		}
	}
	return c.Conn.Write(b)
}

func desired(t testing.TB, manifests ...string) *resource.Set {
	t.Helper()
	files := fstest.MapFS{}
	for i, m := range manifests {
		files[fmt.Sprintf("%04d.yaml", i)] = &fstest.MapFile{Data: []byte(m)}
	}
	d, problems := schema.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return &d.Resources
}

const teamA = `
apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-a}
spec:
  supervisor: lab
  storagePolicies: [{name: vks-gold}]
  vmClasses: [best-effort-small, best-effort-medium]
  contentLibraries: [vks-releases]
`

// clusterOf is a cluster of one control-plane machine and one worker in team-a.
func clusterOf(name string, variables ...string) string {
	return fmt.Sprintf(`
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: %s, namespace: team-a}
spec:
  clusterNetwork:
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: v1.34
    controlPlane: {replicas: 1}
    workers:
      machineDeployments:
      - {class: node-pool, name: np, replicas: 1}
    variables:
    - {name: vmClass, value: best-effort-small}
    - {name: storageClass, value: vks-gold}
`, name) + strings.Join(variables, "")
}
