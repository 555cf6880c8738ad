package simulate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate"
)

// An intruder works in vCenter behind the Supervisor's back, as with govc.
type intruder struct {
	*site
	client *vim25.Client
	finder *find.Finder

	mu   sync.Mutex
	seen []string
}

func intrude(t *testing.T, controlPlane, workers int) *intruder {
	t.Helper()
	i := &intruder{}
	i.site = connect(t, simulate.ServeOptions{User: "mallory@lab.example", OnInterference: func(c simulate.Interference) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.seen = append(i.seen, c.Op+" "+c.VM.Name+" "+c.User)
	}})
	i.create(t, controlPlane, workers)
	config, err := i.VSphereConfig()
	if err != nil {
		t.Fatal(err)
	}
	sc := soap.NewClient(config.URL, false)
	sc.DefaultTransport().TLSClientConfig.RootCAs = config.RootCAs
	if i.client, err = vim25.NewClient(t.Context(), sc); err != nil {
		t.Fatal(err)
	}
	if err := session.NewManager(i.client).Login(t.Context(), config.URL.User); err != nil {
		t.Fatal(err)
	}
	i.finder = find.NewFinder(i.client)
	return i
}

// worker is a VM of the cluster's workers, and its VirtualMachine.
func (i *intruder) worker(t *testing.T) (*object.VirtualMachine, string) {
	t.Helper()
	vms, err := i.finder.VirtualMachineList(t.Context(), "/dc-lab/vm/Namespaces/team-a/prod/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, vm := range vms {
		if strings.Contains(vm.Name(), "-np-") {
			return vm, vm.Name()
		}
	}
	t.Fatalf("no worker among %d VMs", len(vms))
	return nil, ""
}

func finish(t *testing.T, task *object.Task, err error) {
	t.Helper()
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (i *intruder) virtualMachine(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	u, err := i.resource("VirtualMachine").Namespace("team-a").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// awaitHealed waits until the VirtualMachine is as it was when all is well.
func (i *intruder) awaitHealed(t *testing.T, name string, also func(*unstructured.Unstructured) bool) {
	t.Helper()
	await(t, name+" to be healed", func() bool {
		u := i.virtualMachine(t, name)
		return resource.Text(u.Object, "status", "powerState") == "PoweredOn" && resource.Text(u.Object, "status", "network", "primaryIP4") != "" &&
			resource.ConditionOf(u.Object, "VirtualMachinePowerStateSynced").Status == "True" && also(u)
	})
}

func always(*unstructured.Unstructured) bool { return true }

func (i *intruder) sawInterference(t *testing.T, want string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Contains(i.seen, want) {
		t.Errorf("interference %q, want %q in it", i.seen, want)
	}
}

func TestAVMThatIsPoweredOffIsPoweredOnAgain(t *testing.T) {
	t.Parallel()
	i := intrude(t, 1, 1)
	vm, name := i.worker(t)
	before := resource.Text(i.virtualMachine(t, name).Object, "status", "network", "primaryIP4")
	task, err := vm.PowerOff(t.Context())
	finish(t, task, err)
	awaitPower(t, vm, types.VirtualMachinePowerStatePoweredOn)
	i.awaitHealed(t, name, func(u *unstructured.Unstructured) bool {
		return resource.Text(u.Object, "status", "network", "primaryIP4") == before
	})
	i.awaitCluster(t, "True")
	i.sawInterference(t, "PowerOff "+name+` LAB.EXAMPLE\mallory`)
}

func TestSuspendedAndShutDownVMsAreHealedAsWell(t *testing.T) {
	t.Parallel()
	i := intrude(t, 1, 1)
	vm, name := i.worker(t)
	for what, f := range map[string]func() error{
		"Suspend":       func() error { task, err := vm.Suspend(t.Context()); finish(t, task, err); return nil },
		"Reset":         func() error { task, err := vm.Reset(t.Context()); finish(t, task, err); return nil },
		"ShutdownGuest": func() error { return vm.ShutdownGuest(t.Context()) },
		"StandbyGuest":  func() error { return vm.StandbyGuest(t.Context()) },
	} {
		if err := f(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		await(t, what+" to be noticed", func() bool {
			i.mu.Lock()
			defer i.mu.Unlock()
			return slices.Contains(i.seen, what+" "+name+` LAB.EXAMPLE\mallory`)
		})
		awaitPower(t, vm, types.VirtualMachinePowerStatePoweredOn)
		i.awaitHealed(t, name, always)
	}
}

func awaitPower(t *testing.T, vm *object.VirtualMachine, want types.VirtualMachinePowerState) {
	t.Helper()
	await(t, vm.Name()+" to be "+string(want), func() bool {
		state, err := vm.PowerState(t.Context())
		return err == nil && state == want
	})
}

func TestADestroyedVMIsMadeAgain(t *testing.T) {
	t.Parallel()
	i := intrude(t, 1, 1)
	vm, name := i.worker(t)
	before := i.virtualMachine(t, name)
	host, err := vm.HostSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Off and gone in one breath: while its host rests nothing powers it on.
	task, err := host.EnterMaintenanceMode(t.Context(), 0, false, nil)
	finish(t, task, err)
	task, err = vm.PowerOff(t.Context())
	finish(t, task, err)
	task, err = vm.Destroy(t.Context())
	finish(t, task, err)
	i.awaitHealed(t, name, func(u *unstructured.Unstructured) bool {
		return resource.Text(u.Object, "status", "uniqueID") != resource.Text(before.Object, "status", "uniqueID")
	})
	after := i.virtualMachine(t, name)
	for _, field := range []string{"instanceUUID", "biosUUID"} {
		if a, b := resource.Text(before.Object, "spec", field), resource.Text(after.Object, "spec", field); a != b {
			t.Errorf("%s was %s and is %s", field, a, b)
		}
	}
	if after.GetUID() != before.GetUID() {
		t.Error("the VirtualMachine is another one, want the same with a new VM")
	}
	made, _ := i.worker(t)
	if got, want := made.Reference().Value, resource.Text(after.Object, "status", "uniqueID"); got != want {
		t.Errorf("the VM in vCenter is %s, the VirtualMachine says %s", got, want)
	}
	i.awaitCluster(t, "True")
}

func TestAMovedOrResizedVMIsReportedOnly(t *testing.T) {
	t.Parallel()
	i := intrude(t, 1, 1)
	vm, name := i.worker(t)
	host, err := vm.HostSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from, err := host.ObjectName(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := i.finder.HostSystemList(t.Context(), "/dc-lab/host/*/*")
	if err != nil {
		t.Fatal(err)
	}
	to := hosts[slices.IndexFunc(hosts, func(h *object.HostSystem) bool {
		return h.Name() != from && strings.HasPrefix(h.Name(), from[:len("esx-a")])
	})]
	ref := to.Reference()
	task, err := vm.Relocate(t.Context(), types.VirtualMachineRelocateSpec{Host: &ref}, types.VirtualMachineMovePriorityDefaultPriority)
	finish(t, task, err)
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{NumCPUs: 6})
	finish(t, task, err)
	await(t, "the new host in the status", func() bool {
		return resource.Text(i.virtualMachine(t, name).Object, "status", "nodeName") == to.Name()
	})
	inventory, err := i.vcenter.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range inventory.VMs {
		if seen.Name == name && seen.CPUs != 6 {
			t.Errorf("the VM has %d CPUs, want the 6 it was given", seen.CPUs)
		}
	}
	i.sawInterference(t, "RelocateVm "+name+` LAB.EXAMPLE\mallory`)
	i.sawInterference(t, "ReconfigVm "+name+` LAB.EXAMPLE\mallory`)
}

func TestAVirtualMachineThatIsToBeOffIsOff(t *testing.T) {
	t.Parallel()
	i := intrude(t, 1, 1)
	vm, name := i.worker(t)
	power := func(state string) {
		patch := []byte(`{"spec":{"powerState":"` + state + `"}}`)
		if _, err := i.resource("VirtualMachine").Namespace("team-a").Patch(t.Context(), name, "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	power("PoweredOff")
	awaitPower(t, vm, types.VirtualMachinePowerStatePoweredOff)
	power("PoweredOn")
	awaitPower(t, vm, types.VirtualMachinePowerStatePoweredOn)
	i.awaitHealed(t, name, always)
}

func TestEventsSayWhoDidIt(t *testing.T) {
	t.Parallel()
	i := intrude(t, 1, 1)
	vm, name := i.worker(t)
	task, err := vm.PowerOff(t.Context())
	finish(t, task, err)
	awaitPower(t, vm, types.VirtualMachinePowerStatePoweredOn)
	i.awaitHealed(t, name, always)
	events, err := event.NewManager(i.client).QueryEvents(t.Context(), types.EventFilterSpec{
		Entity: &types.EventFilterSpecByEntity{Entity: vm.Reference(), Recursion: types.EventFilterSpecRecursionOptionSelf},
	})
	if err != nil {
		t.Fatal(err)
	}
	who := map[string][]string{}
	for _, e := range events {
		kind := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", e), "*types."), "Vm")
		who[kind] = append(who[kind], e.GetEvent().UserName)
	}
	if got := who["PoweredOffEvent"]; !slices.Equal(got, []string{`LAB.EXAMPLE\mallory`}) {
		t.Errorf("powered off by %q, want the intruder once", got)
	}
	for _, user := range who["PoweredOnEvent"] {
		if !strings.HasPrefix(user, `VSPHERE.LOCAL\wcp-`) {
			t.Errorf("powered on by %q, want the Supervisor", user)
		}
	}
	if got := who["PoweredOnEvent"]; len(got) != 2 {
		t.Errorf("powered on by %q, want it twice", got)
	}
}

// Everything that anybody may do at once goes through the same goroutine.
func TestManyInterfereAtOnce(t *testing.T) {
	t.Parallel()
	i := intrude(t, 3, 3)
	vms, err := i.finder.VirtualMachineList(t.Context(), "/dc-lab/vm/Namespaces/team-a/prod/*")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for _, vm := range vms {
		wait.Go(func() {
			for range 5 {
				if task, err := vm.PowerOff(t.Context()); err == nil {
					_ = task.Wait(t.Context()) // it may be off already
				}
				if _, err := i.vcenter.Inventory(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := i.resource("VirtualMachine").Namespace("team-a").List(t.Context(), metav1.ListOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for _, vm := range vms {
		awaitPower(t, vm, types.VirtualMachinePowerStatePoweredOn)
		i.awaitHealed(t, vm.Name(), always)
	}
	i.awaitCluster(t, "True")
}
