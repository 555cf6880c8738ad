package reconcile_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/drift"
)

// alice is somebody with the vSphere Client.
func (s *site) alice(t *testing.T) *govmomi.Client {
	t.Helper()
	config := s.world.VSphereConfig()
	u := *config.URL
	if s.served == nil { // which takes anybody
		u.User = url.UserPassword("alice", "secret")
	}
	transport := soap.NewClient(&u, true)
	transport.DefaultTransport().DialContext = config.DialContext
	vim, err := vim25.NewClient(t.Context(), transport)
	if err != nil {
		t.Fatal(err)
	}
	c := &govmomi.Client{Client: vim, SessionManager: session.NewManager(vim)}
	if err := c.Login(t.Context(), u.User); err != nil {
		t.Fatal(err)
	}
	return c
}

// vm is the first virtual machine of cluster prod whose name matches a pattern.
func (s *site) vm(t *testing.T, c *govmomi.Client, pattern string) *object.VirtualMachine {
	t.Helper()
	list, err := find.NewFinder(c.Client).VirtualMachineList(t.Context(), "/*/vm/Namespaces/team-a/prod/"+pattern)
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func driftOf(t *testing.T, e *reconcile.Engine, since time.Time) drift.Report {
	t.Helper()
	report, err := e.Drift(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// summaries are the items without times and generated names.
func summaries(r drift.Report) []string {
	var out []string
	for _, i := range r.Items {
		name, _, _ := strings.Cut(i.Addr.Name, "-")
		out = append(out, strings.Join([]string{i.Addr.Kind, name, i.Cluster, string(i.Kind), i.Who, i.Corrects}, " "))
	}
	slices.Sort(out)
	return out
}

func TestDriftSaysWhoChangedWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	if _, err := e.Drift(t.Context(), time.Time{}); err == nil {
		t.Error("there is a drift before anything was planned")
	}
	s.bring(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	since := time.Now().Add(-time.Hour)
	if report := driftOf(t, e, since); len(report.Items) != 0 || len(report.Unknown) != 0 {
		t.Fatalf("drift after a run:\n%s", report.Text())
	}

	// In vCenter alice powers a machine off.
	task, err := s.vm(t, s.alice(t), "prod-np-*").PowerOff(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	// In the Supervisor somebody scales.
	scaled := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": map[string]any{"name": "prod", "namespace": "team-a"},
		"spec": map[string]any{"topology": map[string]any{"controlPlane": map[string]any{"replicas": int64(3)}}},
	}}
	clusters := s.dynamic(t).Resource(schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"})
	if _, err := clusters.Namespace("team-a").Apply(t.Context(), "prod", scaled, metav1.ApplyOptions{FieldManager: "night-shift", Force: true}); err != nil {
		t.Fatal(err)
	}
	fresh := s.engine(t, "fleet") // which has surely seen it
	s.plan(t, fresh, desired(t, teamA, clusterOf("prod")), reconcile.Options{ForceConflicts: true})
	want := []string{
		"Cluster prod prod changed night-shift vksync",
		"VirtualMachine prod prod powered off alice VM Service",
	}
	if diff := cmp.Diff(want, summaries(driftOf(t, fresh, since))); diff != "" {
		t.Errorf("drift (-want +got):\n%s\n%s", diff, driftOf(t, fresh, since).Text())
	}
	// Without the power to take fields over, nobody corrects it.
	s.plan(t, fresh, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	if got := summaries(driftOf(t, fresh, since)); len(got) != 2 || got[0] != "Cluster prod prod changed night-shift nobody" {
		t.Errorf("drift that vksync may not correct: %q", got)
	}
}

// What cannot be read is said, and nothing is taken for gone or for an orphan.
func TestDriftSaysWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for refused, unknown := range map[string]string{
		"/virtualmachines":       "virtual machines of the Supervisor: forbidden to list virtualmachines.vmoperator.vmware.com",
		"/virtualmachineclasses": "sizes of virtual machines: forbidden to list virtualmachineclasses.vmoperator.vmware.com",
	} {
		s := newSite(t)
		e := s.engine(t, "fleet")
		s.bring(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
		s.wire.refuse(refused)
		report := driftOf(t, e, time.Now().Add(-time.Hour))
		if len(report.Items) != 0 {
			t.Errorf("%s is refused, and that passes for drift:\n%s", refused, report.Text())
		}
		if !slices.Contains(report.Unknown, unknown) {
			t.Errorf("%s is refused, and the report says %q", refused, report.Unknown)
		}
	}
}
