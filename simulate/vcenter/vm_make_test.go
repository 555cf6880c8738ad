package vcenter_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/simulate/vcenter"
)

// TestVMIsWhatVcsimMakes has one vCenter make a VM for the Supervisor, and vcsim
// make one for a client of another vCenter that asks for the same: all properties,
// events and tasks are the same, off, on, and off again.
func TestVMIsWhatVcsimMakes(t *testing.T) {
	t.Parallel()
	for _, reserved := range []bool{false, true} {
		t.Run(fmt.Sprintf("reserved=%v", reserved), func(t *testing.T) {
			t.Parallel()
			ours, theirs := start(t, lab(t, 1)), start(t, lab(t, 1))
			for _, v := range []*vcenter.VCenter{ours, theirs} {
				if _, err := v.MakeClusterFolder("team-a", "prod"); err != nil {
					t.Fatal(err)
				}
			}
			spec := specOf("team-a", "prod", "prod-cp-1", vcenter.Spot{Zone: "zone-a", Host: "esx-a1.lab.example", Datastore: "vsan-a"})
			spec.Reserved = reserved
			ref, err := ours.CreateVM(spec)
			if err != nil {
				t.Fatal(err)
			}
			of, with := soapClient(t, ours.Handler()), soapClient(t, theirs.Handler())
			made := readVM(t, of, ref.MoID)
			other := vcsimMakes(t, with, spec, made.Guest.Net[0].MacAddress)

			same := func(state string) {
				t.Helper()
				if diff := cmp.Diff(readVM(t, with, other.Reference().Value), readVM(t, of, ref.MoID), asVcsimHasIt); diff != "" {
					t.Errorf("%s (-vcsim's +ours):\n%s", state, diff)
				}
				if diff := cmp.Diff(readHistory(t, with), readHistory(t, of)); diff != "" {
					t.Errorf("%s, events and tasks (-vcsim's +ours):\n%s", state, diff)
				}
			}
			same("new")
			steps := []struct {
				state  string
				ours   func(string) (string, error)
				theirs func() (*object.Task, error)
			}{
				{"on", ours.PowerOn, func() (*object.Task, error) { return other.PowerOn(t.Context()) }},
				{"off", ours.PowerOff, func() (*object.Task, error) { return other.PowerOff(t.Context()) }},
			}
			for _, s := range steps {
				if _, err := s.ours(ref.MoID); err != nil {
					t.Fatal(err)
				}
				task, err := s.theirs()
				if err != nil {
					t.Fatal(err)
				}
				if err := task.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				same(s.state)
			}
		})
	}
}

// vcsimMakes has a client ask for a VM as a Supervisor does.
func vcsimMakes(t *testing.T, c *vim25.Client, spec vcenter.VMSpec, mac string) *object.VirtualMachine {
	t.Helper()
	finder := find.NewFinder(c)
	folder, err := finder.Folder(t.Context(), "/dc-lab/vm/Namespaces/team-a/prod")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := finder.ResourcePool(t.Context(), "/dc-lab/host/compute-a/Resources/Namespaces/team-a/prod")
	if err != nil {
		t.Fatal(err)
	}
	host, err := finder.HostSystem(t.Context(), "/dc-lab/host/compute-a/"+spec.Spot.Host)
	if err != nil {
		t.Fatal(err)
	}
	dir := "[" + spec.Spot.Datastore + "] " + spec.InstanceUUID + "/"
	config := types.VirtualMachineConfigSpec{
		Name: spec.Name, Uuid: spec.BiosUUID, InstanceUuid: spec.InstanceUUID, NumCPUs: int32(spec.CPUs), MemoryMB: spec.MemoryMiB,
		GuestId:   string(types.VirtualMachineGuestOsIdentifierOther5xLinux64Guest),
		Files:     &types.VirtualMachineFileInfo{VmPathName: dir + spec.Name + ".vmx"},
		ManagedBy: &types.ManagedByInfo{ExtensionKey: "com.vmware.vcenter.wcp", Type: "VirtualMachine"},
	}
	if spec.Reserved {
		config.MemoryReservationLockedToMax = types.NewBool(true)
		config.MemoryAllocation = &types.ResourceAllocationInfo{Reservation: types.NewInt64(spec.MemoryMiB)}
	}
	controller := &types.ParaVirtualSCSIController{}
	controller.Key, controller.SharedBus = 1000, types.VirtualSCSISharingNoSharing
	disk := &types.VirtualDisk{CapacityInBytes: spec.DiskGiB << 30}
	disk.Key, disk.ControllerKey, disk.UnitNumber = 2000, 1000, types.NewInt32(0)
	disk.Backing = &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: dir + spec.Name + ".vmdk"},
		DiskMode:                     string(types.VirtualDiskModePersistent), ThinProvisioned: types.NewBool(true),
	}
	card := &types.VirtualVmxnet3{}
	card.Key, card.AddressType, card.MacAddress = 4000, string(types.VirtualEthernetCardMacTypeManual), mac
	card.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "workload-segment"},
	}
	config.DeviceChange = []types.BaseVirtualDeviceConfigSpec{
		&types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: controller},
		&types.VirtualDeviceConfigSpec{
			Operation: types.VirtualDeviceConfigSpecOperationAdd, FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate, Device: disk,
		},
		&types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: card},
	}
	task, err := folder.CreateVM(t.Context(), config, pool, host)
	if err != nil {
		t.Fatal(err)
	}
	info, err := task.WaitForResult(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return object.NewVirtualMachine(c, info.Result.(types.ManagedObjectReference))
}

func readVM(t *testing.T, c *vim25.Client, moid string) (vm mo.VirtualMachine) {
	t.Helper()
	ref := types.ManagedObjectReference{Type: "VirtualMachine", Value: moid}
	if err := mo.RetrieveProperties(t.Context(), c, c.ServiceContent.PropertyCollector, ref, &vm); err != nil {
		t.Fatal(err)
	}
	return vm
}

// asVcsimHasIt leaves out what a VM of the Supervisor does not have: the devices
// that every mainboard has, and files, which would take room in memory.
var asVcsimHasIt = cmp.Options{
	cmpopts.IgnoreTypes(time.Time{}, types.VirtualMachineFileLayout{}, types.VirtualMachineFileLayoutEx{}),
	cmpopts.IgnoreFields(types.VirtualMachineConfigInfo{}, "ChangeVersion"),
	cmpopts.IgnoreFields(types.VirtualMachineUsageOnDatastore{}, "Committed", "Unshared", "Uncommitted"),
	cmpopts.IgnoreFields(types.VirtualMachineStorageSummary{}, "Committed", "Unshared"),
	cmpopts.IgnoreSliceElements(func(d types.BaseVirtualDevice) bool {
		switch d.(type) {
		case *types.ParaVirtualSCSIController, *types.VirtualDisk, *types.VirtualVmxnet3:
			return false
		}
		return true
	}),
}

// readHistory is what a client reads of events and tasks, but of logins and users.
func readHistory(t *testing.T, c *vim25.Client) (list []string) {
	t.Helper()
	events, err := event.NewManager(c).QueryEvents(t.Context(), types.EventFilterSpec{})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(events, func(a, b types.BaseEvent) int { return int(a.GetEvent().Key - b.GetEvent().Key) })
	for _, e := range events {
		if e.GetEvent().Vm != nil {
			list = append(list, fmt.Sprintf("%T: %s", e, e.GetEvent().FullFormattedMessage))
		}
	}
	var manager mo.TaskManager
	if err := mo.RetrieveProperties(t.Context(), c, c.ServiceContent.PropertyCollector, *c.ServiceContent.TaskManager, &manager); err != nil {
		t.Fatal(err)
	}
	for _, ref := range manager.RecentTask {
		var task mo.Task
		if err := mo.RetrieveProperties(t.Context(), c, c.ServiceContent.PropertyCollector, ref, &task); err != nil {
			t.Fatal(err)
		}
		i := task.Info
		list = append(list, fmt.Sprintf("%s: %s %s of %v %s: %s, %v", i.Key, i.Name, i.DescriptionId, i.Entity, i.EntityName, i.State, i.Result))
	}
	return list
}
