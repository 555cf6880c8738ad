package vcenter_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/namespace"
	"github.com/vmware/govmomi/vapi/rest"
)

func restLogin(t *testing.T, handler http.Handler) *rest.Client {
	t.Helper()
	c := rest.NewClient(soapClient(t, handler))
	if err := c.Login(t.Context(), url.UserPassword("a", "b")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Logout(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestGovmomiClientsWork calls the endpoints as govc and Terraform do.
func TestGovmomiClientsWork(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	client := restLogin(t, v.Handler())
	m := namespace.NewManager(client)

	summaries, err := m.GetSupervisorSummaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	supervisor := summaries.Items[0]
	if supervisor.Info.Name != "lab" || supervisor.Info.ConfigStatus.String() != "RUNNING" {
		t.Errorf("Supervisor %+v", supervisor)
	}
	zones, err := m.GetSupervisorTopology(t.Context(), supervisor.Supervisor)
	if err != nil || len(zones) != 3 {
		t.Errorf("topology %v, error %v", zones, err)
	}
	classes, err := m.ListVmClasses(t.Context())
	if err != nil || len(classes) != 2 || classes[1].MemoryReservation != 100 {
		t.Errorf("VM classes %+v, error %v", classes, err)
	}
	lib, err := library.NewManager(client).GetLibraryByName(t.Context(), "golden")
	if err != nil {
		t.Fatal(err)
	}
	class := namespace.VmServiceSpec{VmClasses: []string{"best-effort-small"}, ContentLibraries: []string{lib.ID}}
	if err := m.CreateNamespaceV2(t.Context(), namespace.NamespaceInstanceCreateSpecV2{
		Namespace: "two", Supervisor: supervisor.Supervisor, VmServiceSpec: &class,
	}); err != nil {
		t.Fatal(err)
	}
	if err := m.CreateNamespace(t.Context(), namespace.NamespacesInstanceCreateSpec{Namespace: "one", Cluster: zones[0].Clusters[0]}); err != nil {
		t.Fatal(err)
	}
	if err := m.UpdateNamespace(t.Context(), "one", namespace.NamespacesInstanceUpdateSpec{VmServiceSpec: class}); err != nil {
		t.Fatal(err)
	}
	var names []string
	list, err := m.ListNamespacesV2(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		info, err := m.GetNamespaceV2(t.Context(), n.Namespace)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n.Namespace+" "+info.VmServiceSpec.VmClasses[0]+" "+info.NetworkSpec.VpcNetwork.VpcConfig.PrivateCidrs[0].Address)
	}
	if diff := cmp.Diff([]string{"one best-effort-small 172.26.0.0", "two best-effort-small 172.26.0.0"}, names); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	if _, err := m.GetNamespaceV2(t.Context(), "three"); !rest.IsStatusError(err, http.StatusNotFound) {
		t.Errorf("a namespace that is not there: %v, want status 404", err)
	}
	v.ExpireSessions()
	if _, err := m.ListNamespaces(t.Context()); !rest.IsStatusError(err, http.StatusUnauthorized) {
		t.Errorf("without a session: %v, want status 401", err)
	}
	if err := client.Login(t.Context(), url.UserPassword("a", "b")); err != nil {
		t.Fatal(err)
	}
}

func TestAccessOfOneSubject(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	client := restLogin(t, v.Handler())
	c := dial(t, v.Handler())
	if err := c.CreateNamespace(t.Context(), namespaceObject("team-a", map[string]any{"supervisor": "lab"})); err != nil {
		t.Fatal(err)
	}
	do := func(method, subject, role string) error {
		r := client.Resource("/api/vcenter/namespaces/instances/team-a/access/lab.example/"+subject).WithParam("type", "USER")
		return client.Do(t.Context(), r.Request(method, map[string]string{"role": role}), nil)
	}
	role := func() string {
		spec, _ := v.Namespace("team-a")
		if len(spec.Permissions) == 0 {
			return "none"
		}
		return spec.Permissions[0].Subject + " " + spec.Permissions[0].Role
	}
	steps := []struct {
		method, subject, role string
		ok                    bool
		want                  string
	}{
		{http.MethodPut, "alice", "EDIT", false, "none"},
		{http.MethodPost, "alice", "KING", false, "none"},
		{http.MethodPost, "alice", "EDIT", true, "alice EDIT"},
		{http.MethodPost, "alice", "VIEW", false, "alice EDIT"},
		{http.MethodPut, "alice", "VIEW", true, "alice VIEW"},
		{http.MethodDelete, "bob", "", false, "alice VIEW"},
		{http.MethodDelete, "alice", "", true, "none"},
	}
	for _, s := range steps {
		if err := do(s.method, s.subject, s.role); (err == nil) != s.ok || role() != s.want {
			t.Errorf("%s %s %s: error %v, then %q; want ok %v and %q", s.method, s.subject, s.role, err, role(), s.ok, s.want)
		}
	}
}
