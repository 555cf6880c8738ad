package vsphere_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/vcenter"
)

// A site is a simulated vCenter behind a TLS listener, whose calls are counted and
// which a test can break.
type site struct {
	*vcenter.VCenter
	server *httptest.Server

	mu    sync.Mutex // guards what is below
	calls map[string]int
	conns int
	next  http.Handler
	// before, when it returns true, has answered in place of the vCenter.
	before func(call string, w http.ResponseWriter) bool
	after  func(call string)
}

func oneHost() *inventory.Inventory {
	return &inventory.Inventory{Spec: inventory.Spec{
		Datacenter: "dc", Supervisor: inventory.Supervisor{Name: "lab"},
		Zones:           []inventory.Zone{{Name: "zone-a", Cluster: "compute-a", Hosts: []inventory.Host{{Name: "esx-1", Cores: 64, MHz: 2000, MemoryMiB: 1 << 20}}}},
		Datastores:      []inventory.Datastore{{Name: "vsan", CapacityGiB: 20480, Zones: []string{"zone-a"}}},
		StoragePolicies: []inventory.StoragePolicy{{Name: "vks-gold", Datastores: []string{"vsan"}}},
	}}
}

func newVCenter(t testing.TB) *vcenter.VCenter {
	t.Helper()
	v, err := vcenter.New(vcenter.Config{TempDir: t.TempDir(), Inventory: oneHost()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{VCenter: newVCenter(t), calls: map[string]int{}}
	s.next = s.Handler()
	s.server = httptest.NewUnstartedServer(s)
	s.server.Config.ErrorLog = quiet
	s.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
		}
	}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

var soapMethod = regexp.MustCompile(`<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)`)

// callOf names a request: "RetrievePropertiesEx", "GET /api/...".
func callOf(r *http.Request, body []byte) string {
	if m := soapMethod.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return r.Method + " " + r.URL.Path
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	call := callOf(r, body)
	s.mu.Lock()
	s.calls[call]++
	before, after, next := s.before, s.after, s.next
	s.mu.Unlock()
	if before != nil && before(call, w) {
		return
	}
	next.ServeHTTP(w, r)
	if after != nil {
		after(call)
	}
}

func (s *site) breakBy(before func(call string, w http.ResponseWriter) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *site) follow(after func(call string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = after
}

func (s *site) count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

// dial connects the shipping client. The caller closes it.
func (s *site) dial(t testing.TB, config vsphere.Config) *vsphere.Client {
	t.Helper()
	config.URL, config.Insecure = urlOf(t, s.server), true
	c, err := vsphere.Dial(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// admin is another client, such as govc, logged in as alice.
func (s *site) admin(t testing.TB) *vim25.Client {
	t.Helper()
	u := urlOf(t, s.server)
	u.Path = vim25.Path
	c, err := vim25.NewClient(t.Context(), soap.NewClient(u, true))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	if _, err := methods.Login(t.Context(), c, &types.Login{This: *c.ServiceContent.SessionManager, UserName: `LAB\alice`, Password: password}); err != nil {
		t.Fatal(err)
	}
	return c
}

// sessions are the keys of all SOAP sessions but that of the admin who asks.
func sessions(t testing.TB, admin *vim25.Client) []string {
	t.Helper()
	var m mo.SessionManager
	if err := mo.RetrieveProperties(t.Context(), admin, admin.ServiceContent.PropertyCollector, *admin.ServiceContent.SessionManager, &m); err != nil {
		t.Fatal(err)
	}
	var others []string
	for _, s := range m.SessionList {
		if s.UserName != `LAB\alice` {
			others = append(others, s.Key)
		}
	}
	return others
}

func terminate(t testing.TB, admin *vim25.Client) {
	t.Helper()
	keys := sessions(t, admin)
	if len(keys) == 0 {
		t.Fatal("there is no session to terminate")
	}
	if err := session.NewManager(admin).TerminateSession(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
}

// makeVM creates a machine and powers it on.
func makeVM(t testing.TB, v *vcenter.VCenter, name string) string {
	t.Helper()
	spot, err := v.Place(vcenter.PlaceRequest{Namespace: "team-a", CPUs: 2, MemoryMiB: 4096, DiskGiB: 20, StoragePolicy: "vks-gold"})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := v.CreateVM(vcenter.VMSpec{
		Namespace: "team-a", Cluster: "prod", Name: name, Spot: spot, CPUs: 2, MemoryMiB: 4096, DiskGiB: 20,
		BiosUUID: fmt.Sprintf("42000001-0000-4000-8000-%012x", []byte(name)[:6]), InstanceUUID: fmt.Sprintf("42000002-0000-4000-8000-%012x", []byte(name)[:6]),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.PowerOn(ref.MoID); err != nil {
		t.Fatal(err)
	}
	v.State() // waits until vcsim has done it, so that its events are older than what follows
	return ref.MoID
}

// eventually waits until met, and fails when that takes absurdly long.
func eventually(t testing.TB, what string, met func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); !met(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// unavailable answers as a vCenter that starts does.
func unavailable(w http.ResponseWriter) bool {
	http.Error(w, "starting", http.StatusServiceUnavailable)
	return true
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter) bool { panic(http.ErrAbortHandler) }

func hasVM(o *vsphere.Observed, name string) bool {
	for _, vm := range o.VMs {
		if vm.Name == name {
			return true
		}
	}
	return false
}

func namespaceOf(name string) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace",
		"metadata": map[string]any{"name": name}, "spec": map[string]any{"supervisor": "lab"},
	})
}

// thumbprint is the SHA-256 of a server's certificate, as govc prints it.
func thumbprint(s *httptest.Server) string {
	sum := sha256.Sum256(s.Certificate().Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}
