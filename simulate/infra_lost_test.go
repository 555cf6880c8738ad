package simulate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
)

// Somebody destroys a VM in vCenter: vm-operator makes another one and takes back
// nothing that it said of the first but that it was on, so CAPV goes back no further
// than to power on.
func TestALostVMIsMadeAgainWithoutAWord(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	name := names(p.machines())[0]
	vm := p.vm(name)
	p.events = nil
	for _, act := range []func() (*object.Task, error){
		func() (*object.Task, error) { return vm.PowerOff(t.Context()) },
		func() (*object.Task, error) { return vm.Destroy(t.Context()) },
	} {
		task, err := act()
		finish(t, task, err)
	}
	p.until("it to be lost", time.Minute, func() bool { return p.count(p.machines(), "Ready") == 0 })
	p.until("another VM", 30*time.Minute, func() bool { return p.count(p.machines(), "Ready") == 1 })

	for _, want := range []struct {
		kind, condition string
		values          []string
	}{
		{"VirtualMachine", "VirtualMachineCreated", nil},
		{"VirtualMachine", "VirtualMachineConditionPlacementReady", nil},
		{"VirtualMachine", "VirtualMachinePowerStateSynced", []string{"False/NotSynced", "True/Synced"}},
		{"VirtualMachine", "VirtualMachineGuestNetworkConfigSynced", []string{"False/NotSynced", "True/Synced"}},
		{"VSphereMachine", "VirtualMachineProvisioned", []string{"False/PoweringOn", "False/WaitingForNetworkAddress", "True/Provisioned"}},
	} {
		if got := p.events.sequence(want.kind, name, want.condition); !slices.Equal(got, want.values) {
			t.Errorf("%s of a %s whose VM was destroyed was %q, want %q", want.condition, want.kind, got, want.values)
		}
	}
	p.events.inOrder(t, "the other VM", operated("CreateVM_Task", name), operated("PowerOnVM_Task", name))
}
