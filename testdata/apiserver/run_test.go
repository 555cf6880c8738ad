package apiserver

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile/drift"
	"github.com/vksync/vksync/reconcile/resource"
)

// syncedWithin is how long a fleet may take. It takes a few seconds on two
// idle cores.
const syncedWithin = 3 * time.Minute

var (
	clusters = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"}
	machines = schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"}
	vms      = schema.GroupVersionResource{Group: "vmoperator.vmware.com", Version: "v1alpha5", Resource: "virtualmachines"}
)

// list are the objects of a kind in team-a.
func (s *Site) list(t testing.TB, of schema.GroupVersionResource) []unstructured.Unstructured {
	t.Helper()
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Resource(of).Namespace("team-a").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// holds checks what there is: clusters, all of them available, and their machines,
// each with a virtual machine.
func (s *Site) holds(t testing.TB, wantClusters, wantMachines int) {
	t.Helper()
	found := s.list(t, clusters)
	for _, o := range found {
		if status := resource.ConditionOf(o.Object, "Available").Status; status != "True" {
			t.Errorf("cluster %s is available: %s", o.GetName(), status)
		}
	}
	got := [3]int{len(found), len(s.list(t, machines)), len(s.list(t, vms))}
	if want := [3]int{wantClusters, wantMachines, wantMachines}; got != want {
		t.Errorf("there are %d clusters, machines and virtual machines, want %d", got, want)
	}
}

// scaled is a cluster with more workers.
func scaled(manifest string, workers int) string {
	return strings.Replace(manifest, "name: np, replicas: 1", fmt.Sprintf("name: np, replicas: %d", workers), 1)
}

// Pushes create, scale and prune clusters on a real API server, what happens behind
// its back in vCenter is told and healed, and so does apply, without a daemon.
func TestPushesAndPeopleChangeARealSupervisor(t *testing.T) {
	s := StartSite(t, lab(t), 200)
	o := newOperator(t, s)
	prod, dev := clusterNamed("prod")+"---\n", clusterNamed("dev")+"---\n"

	d := o.follow(t, "--prune")
	d.synced(t, o.push(t, teamA+prod+dev))
	s.holds(t, 2, 4)
	d.synced(t, o.push(t, teamA+scaled(prod, 2)+dev))
	s.holds(t, 2, 5)
	d.synced(t, o.push(t, teamA+scaled(prod, 2)))
	s.holds(t, 1, 3)
	s.powerOff(t, s.list(t, vms)[0])
	Eventually(t, syncedWithin, "the daemon to tell who powered a machine off", func() error {
		l, err := d.loop()
		for _, i := range l.Drift {
			if i.Kind == drift.PoweredOff && strings.Contains(strings.ToLower(i.Who), "administrator") && strings.Contains(i.Message, "on again") {
				return nil
			}
		}
		return errors.Join(err, fmt.Errorf("the drift is %+v", l.Drift))
	})
	d.stop(t)
	if strings.Contains(d.text(), "level=ERROR") {
		t.Errorf("the daemon logged errors:\n%s", d.text())
	}

	o.write(t, teamA+prod+dev)
	o.run(t, o.work, o.vksync, "apply", ".", "--yes")
	s.holds(t, 2, 4)
	o.write(t, teamA+prod+scaled(dev, 3))
	o.run(t, o.work, o.vksync, "apply", ".", "--yes")
	s.holds(t, 2, 6)
	o.write(t, teamA)
	o.run(t, o.work, o.vksync, "apply", ".", "--yes", "--prune")
	s.holds(t, 0, 0)
}

// powerOff powers a virtual machine off in vCenter, as its administrator does.
func (s *Site) powerOff(t testing.TB, vm unstructured.Unstructured) {
	t.Helper()
	ctx := t.Context()
	transport := soap.NewClient(s.VSphere.URL, false)
	transport.DefaultTransport().TLSClientConfig.RootCAs = s.VSphere.RootCAs
	client, err := vim25.NewClient(ctx, transport)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.NewManager(client).Login(ctx, s.VSphere.URL.User); err != nil {
		t.Fatal(err)
	}
	ref := types.ManagedObjectReference{Type: "VirtualMachine", Value: resource.Text(vm.Object, "status", "uniqueID")}
	task, err := object.NewVirtualMachine(client, ref).PowerOff(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil {
		t.Fatalf("powering %s off: %v", ref.Value, err)
	}
}
