package vcenter_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/vcenter"
)

func namespaceObject(name string, spec map[string]any) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace",
		"metadata": map[string]any{"name": name}, "spec": spec,
	})
}

// fullSpec has everything that can be asked for, in the order in which it is observed.
func fullSpec() map[string]any {
	return map[string]any{
		"supervisor":  "lab",
		"description": "payments, production",
		"resources":   map[string]any{"cpuLimitMHz": int64(40000), "memoryLimitMiB": int64(131072), "storageLimitMiB": int64(2097152)},
		"storagePolicies": []any{
			map[string]any{"name": "only-a"},
			map[string]any{"name": "vks-gold", "limitMiB": int64(1048576)},
		},
		"vmClasses":        []any{"best-effort-small", "guaranteed-medium"},
		"contentLibraries": []any{"golden", "vks-releases"},
		"permissions": []any{
			map[string]any{"subject": "alice", "domain": "lab.example", "type": "User", "role": "View"},
			map[string]any{"subject": "payments-admins", "domain": "lab.example", "type": "Group", "role": "Edit"},
		},
		"network": map[string]any{"provider": "VPC", "privateCIDRs": []any{"172.26.16.0/20"}, "subnetSize": int64(64)},
	}
}

func observe(t *testing.T, c *vsphere.Client) []map[string]any {
	t.Helper()
	list, err := c.Namespaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for _, o := range list {
		out = append(out, o.Object)
	}
	return out
}

func TestNamespaceIsObservedAsItWasAskedFor(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	c := dial(t, v.Handler())
	want := namespaceObject("team-a", fullSpec())
	if err := c.CreateNamespace(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	resource.SetField(want.Object, map[string]any{"configStatus": "RUNNING"}, "status")
	if diff := cmp.Diff([]map[string]any{want.Object}, observe(t, c)); diff != "" {
		t.Errorf("after creation (-want +got):\n%s", diff)
	}
	// What is not asked for any more goes away; the network stays.
	less := namespaceObject("team-a", map[string]any{"supervisor": "lab", "vmClasses": []any{"best-effort-small"}})
	if err := c.UpdateNamespace(t.Context(), less); err != nil {
		t.Fatal(err)
	}
	resource.SetField(less.Object, fullSpec()["network"], "spec", "network")
	resource.SetField(less.Object, map[string]any{"configStatus": "RUNNING"}, "status")
	if diff := cmp.Diff([]map[string]any{less.Object}, observe(t, c)); diff != "" {
		t.Errorf("after the update (-want +got):\n%s", diff)
	}
	if err := c.DeleteNamespace(t.Context(), "team-a"); err != nil {
		t.Fatal(err)
	}
	if got := observe(t, c); len(got) != 0 {
		t.Errorf("after deletion: %v", got)
	}
}

func TestNamespaceWithoutNetworkGetsTheLabs(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, lab(t, 1)).Handler())
	if err := c.CreateNamespace(t.Context(), namespaceObject("team-a", map[string]any{"supervisor": "lab"})); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"provider": "VPC", "privateCIDRs": []any{"172.26.0.0/16"}, "subnetSize": int64(32)}
	if diff := cmp.Diff(want, resource.Fields(observe(t, c)[0], "spec", "network")); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
}

func TestNamespaceStatesFollowTheHooks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls []string
	hook := func(what string) func(vcenter.NamespaceSpec) {
		return func(s vcenter.NamespaceSpec) {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, what+" "+s.Name+" "+s.ConfigStatus+" "+s.Description)
		}
	}
	v := startWith(t, vcenter.Config{Inventory: lab(t, 1), Namespaces: vcenter.NamespaceHooks{
		Created: hook("created"), Updated: hook("updated"), Deleted: hook("deleted"),
	}})
	c := dial(t, v.Handler())
	status := func() string {
		t.Helper()
		list := observe(t, c)
		if len(list) == 0 {
			return "gone"
		}
		words := []string{resource.Text(list[0], "status", "configStatus")}
		for _, m := range resource.Items(list[0], "status", "messages") {
			words = append(words, resource.Text(m, "severity")+" "+resource.Text(m, "message"))
		}
		return strings.Join(words, ": ")
	}
	check := func(want string) {
		t.Helper()
		if got := status(); got != want {
			t.Errorf("status %q, want %q", got, want)
		}
	}
	if err := c.CreateNamespace(t.Context(), namespaceObject("team-a", map[string]any{"supervisor": "lab"})); err != nil {
		t.Fatal(err)
	}
	check("CONFIGURING")
	v.SetNamespaceStatus("team-a", vcenter.Failed, "no subnet is left")
	check("ERROR: ERROR no subnet is left")
	v.SetNamespaceStatus("team-a", vcenter.Running)
	check("RUNNING")
	if err := c.UpdateNamespace(t.Context(), namespaceObject("team-a", map[string]any{"supervisor": "lab", "description": "new"})); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteNamespace(t.Context(), "team-a"); err != nil {
		t.Fatal(err)
	}
	check("REMOVING")
	if err := c.DeleteNamespace(t.Context(), "team-a"); vsphere.KindOf(err) != vsphere.Conflict {
		t.Errorf("deleting again: %v, want a conflict", err)
	}
	if err := v.RemoveNamespace("team-a"); err != nil {
		t.Fatal(err)
	}
	check("gone")
	want := []string{"created team-a CONFIGURING ", "updated team-a RUNNING new", "deleted team-a REMOVING new"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
}

func TestNamespaceRequestsAreRefused(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	c := dial(t, v.Handler())
	create := func(name string, change func(spec map[string]any)) error {
		spec := fullSpec()
		change(spec)
		return c.CreateNamespace(t.Context(), namespaceObject(name, spec))
	}
	if err := create("team-a", func(map[string]any) {}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		err  error
		kind vsphere.Kind
		says string
	}{
		"a name that is taken": {create("team-a", func(map[string]any) {}), vsphere.Conflict, `already exists`},
		"a name that is none":  {create("Team_A", func(map[string]any) {}), vsphere.Invalid, `"Team_A"`},
		"an unknown Supervisor": {create("b", func(s map[string]any) { s["supervisor"] = "prod" }),
			vsphere.Invalid, `there is no Supervisor "prod"; the vCenter has lab`},
		"an unknown storage policy": {create("b", func(s map[string]any) { s["storagePolicies"] = []any{map[string]any{"name": "tin"}} }),
			vsphere.Invalid, `there is no storage policy "tin"; the vCenter has only-a, vks-gold`},
		"an unknown content library": {create("b", func(s map[string]any) { s["contentLibraries"] = []any{"attic"} }),
			vsphere.Invalid, `there is no content library "attic"; the vCenter has golden, vks-releases`},
		"an unknown VM class": {create("b", func(s map[string]any) { s["vmClasses"] = []any{"huge"} }),
			vsphere.Invalid, `INVALID_ARGUMENT: There is no VM class "huge"`},
		"a role that is none": {create("b", func(s map[string]any) {
			s["permissions"] = []any{map[string]any{"subject": "a", "domain": "d", "type": "User", "role": "King"}}
		}), vsphere.Invalid, `"KING" is not OWNER, EDIT or VIEW`},
		"a subnet that is none": {create("b", func(s map[string]any) { s["network"] = map[string]any{"privateCIDRs": []any{"172.26.0.0"}} }),
			vsphere.Invalid, `"172.26.0.0" is not a CIDR`},
		"an update of nothing":  {c.UpdateNamespace(t.Context(), namespaceObject("b", map[string]any{"supervisor": "lab"})), vsphere.NotFound, `"b"`},
		"a deletion of nothing": {c.DeleteNamespace(t.Context(), "b"), vsphere.NotFound, `"b"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := vsphere.KindOf(test.err); test.err == nil || got != test.kind {
				t.Fatalf("got %v, of kind %q, want kind %q", test.err, got, test.kind)
			}
			if !strings.Contains(test.err.Error(), test.says) || !strings.Contains(test.err.Error(), "vSphere Namespace") {
				t.Errorf("error %q does not say %q", test.err, test.says)
			}
		})
	}
	if got := observe(t, c); len(got) != 1 {
		t.Errorf("%d namespaces are there, want the first one only", len(got))
	}
}

func TestSupervisorIsFoundByName(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, lab(t, 1)).Handler())
	s, err := c.Supervisor(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(s.Zones, func(z vsphere.Zone) bool { return z.Name == "zone-b" }); i != 1 || s.ConfigStatus != "RUNNING" {
		t.Errorf("got %+v", s)
	}
	if _, err := c.Supervisor(t.Context(), "other"); vsphere.KindOf(err) != vsphere.NotFound {
		t.Errorf("another Supervisor: %v, want not found", err)
	}
}
