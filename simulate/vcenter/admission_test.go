package vcenter_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/task"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/simulate/vcenter"
)

// site is what a client such as govc finds.
type site struct {
	client *vim25.Client
	folder *object.Folder
	pool   *object.ResourcePool
	host   *object.HostSystem
}

func lookAround(t *testing.T, v *vcenter.VCenter) site {
	t.Helper()
	c := soapClient(t, v.Handler())
	finder := find.NewFinder(c)
	s := site{client: c}
	var err error
	if s.folder, err = finder.Folder(t.Context(), "/dc-lab/vm"); err != nil {
		t.Fatal(err)
	}
	if s.pool, err = finder.ResourcePool(t.Context(), "/dc-lab/host/compute-a/Resources"); err != nil {
		t.Fatal(err)
	}
	if s.host, err = finder.HostSystem(t.Context(), "/dc-lab/host/compute-a/esx-a1.lab.example"); err != nil {
		t.Fatal(err)
	}
	return s
}

// request is a good CreateVM call.
func (s site) request(name string) *types.CreateVM_Task {
	disk := &types.VirtualDisk{CapacityInKB: 1 << 20}
	disk.Key, disk.ControllerKey, disk.UnitNumber = -2, -1, types.NewInt32(0)
	disk.Backing = &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: "[vsan-a]"}, DiskMode: "persistent",
	}
	controller := &types.ParaVirtualSCSIController{}
	controller.Key, controller.SharedBus = -1, types.VirtualSCSISharingNoSharing
	card := &types.VirtualVmxnet3{}
	card.Key = -3
	card.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "workload-segment"},
	}
	host := s.host.Reference()
	r := &types.CreateVM_Task{This: s.folder.Reference(), Pool: s.pool.Reference(), Host: &host, Config: types.VirtualMachineConfigSpec{
		Name: name, NumCPUs: 2, MemoryMB: 2048, GuestId: "otherGuest",
		Files: &types.VirtualMachineFileInfo{VmPathName: "[vsan-a]"},
	}}
	for _, d := range []types.BaseVirtualDevice{controller, disk, card} {
		spec := &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: d}
		if d == types.BaseVirtualDevice(disk) {
			spec.FileOperation = types.VirtualDeviceConfigSpecFileOperationCreate
		}
		r.Config.DeviceChange = append(r.Config.DeviceChange, spec)
	}
	return r
}

func (s site) create(t *testing.T, r *types.CreateVM_Task) (types.ManagedObjectReference, error) {
	t.Helper()
	res, err := methods.CreateVM_Task(t.Context(), s.client, r)
	if err != nil {
		return types.ManagedObjectReference{}, err
	}
	info, err := object.NewTask(s.client, res.Returnval).WaitForResult(t.Context(), nil)
	if err != nil {
		return types.ManagedObjectReference{}, err
	}
	return info.Result.(types.ManagedObjectReference), nil
}

// faultName is the type of the fault that a call or a task ended with.
func faultName(err error) string {
	switch e, isTask := err.(task.Error); {
	case err == nil:
		return ""
	case isTask:
		return reflect.TypeOf(e.LocalizedMethodFault.Fault).Elem().Name()
	case soap.IsSoapFault(err):
		f := soap.ToSoapFault(err).VimFault()
		return strings.TrimPrefix(reflect.TypeOf(f).String(), "types.")
	}
	return err.Error()
}

// TestCallsThatEndVcsimAreRefused has every way to end or hang the simulator that
// was found. Without admission most end the test binary itself.
func TestCallsThatEndVcsimAreRefused(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 2))
	s := lookAround(t, v)
	good, err := s.create(t, s.request("good"))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SetMaintenance("esx-a2.lab.example", true); err != nil {
		t.Fatal(err)
	}
	other, err := find.NewFinder(s.client).HostSystem(t.Context(), "/dc-lab/host/compute-b/esx-b1.lab.example")
	if err != nil {
		t.Fatal(err)
	}
	resting, err := find.NewFinder(s.client).HostSystem(t.Context(), "/dc-lab/host/compute-a/esx-a2.lab.example")
	if err != nil {
		t.Fatal(err)
	}
	device := func(r *types.CreateVM_Task, i int) *types.VirtualDeviceConfigSpec {
		return r.Config.DeviceChange[i].GetVirtualDeviceConfigSpec()
	}
	for name, test := range map[string]struct {
		change func(*types.CreateVM_Task)
		want   string
	}{
		"an unknown datastore":          {func(r *types.CreateVM_Task) { r.Config.Files.VmPathName = "[attic]" }, "InvalidArgument"},
		"a path that is none":           {func(r *types.CreateVM_Task) { r.Config.Files.VmPathName = "attic" }, "InvalidDatastorePath"},
		"a path out of the datastore":   {func(r *types.CreateVM_Task) { r.Config.Files.VmPathName = "[vsan-a] ../../x.vmx" }, "InvalidArgument"},
		"a datastore of another zone":   {func(r *types.CreateVM_Task) { r.Config.Files.VmPathName = "[vsan-b]" }, "InsufficientResourcesFault"},
		"no files":                      {func(r *types.CreateVM_Task) { r.Config.Files = nil }, "InvalidArgument"},
		"no name":                       {func(r *types.CreateVM_Task) { r.Config.Name = "" }, "InvalidArgument"},
		"a name that is taken":          {func(r *types.CreateVM_Task) { r.Config.Name = "good" }, "DuplicateName"},
		"no host":                       {func(r *types.CreateVM_Task) { r.Host = nil }, "InvalidArgument"},
		"an unknown host":               {func(r *types.CreateVM_Task) { r.Host.Value = "host-0" }, "InvalidArgument"},
		"a host of another cluster":     {func(r *types.CreateVM_Task) { *r.Host = other.Reference() }, "InvalidArgument"},
		"a host in maintenance":         {func(r *types.CreateVM_Task) { *r.Host = resting.Reference() }, "InsufficientResourcesFault"},
		"an unknown pool":               {func(r *types.CreateVM_Task) { r.Pool.Value = "resgroup-0" }, "InvalidArgument"},
		"a folder that is a host":       {func(r *types.CreateVM_Task) { r.This = *r.Host }, "InvalidArgument"},
		"the root folder":               {func(r *types.CreateVM_Task) { r.This = s.client.ServiceContent.RootFolder }, "InvalidArgument"},
		"more memory than the host has": {func(r *types.CreateVM_Task) { r.Config.MemoryMB = 300000 }, "InsufficientResourcesFault"},
		"more disk than the datastore":  {func(r *types.CreateVM_Task) { device(r, 1).Device.(*types.VirtualDisk).CapacityInKB = 1 << 35 }, "InsufficientResourcesFault"},
		"an unknown network":            {func(r *types.CreateVM_Task) { network(device(r, 2), "attic") }, "InvalidArgument"},
		"an adapter without a network":  {func(r *types.CreateVM_Task) { device(r, 2).Device.GetVirtualDevice().Backing = nil }, "InvalidArgument"},
		"a sparse disk": {func(r *types.CreateVM_Task) {
			device(r, 1).Device.GetVirtualDevice().Backing = &types.VirtualDiskSeSparseBackingInfo{}
		}, "NotSupported"},
		"a disk on an unknown datastore":  {func(r *types.CreateVM_Task) { disk(device(r, 1), "[attic] x.vmdk") }, "InvalidArgument"},
		"a device to edit that is none":   {func(r *types.CreateVM_Task) { device(r, 1).Operation = types.VirtualDeviceConfigSpecOperationEdit }, "InvalidArgument"},
		"a container to run":              {func(r *types.CreateVM_Task) { extra(r, "RUN.container") }, "InvalidArgument"},
		"a property written by its path":  {func(r *types.CreateVM_Task) { extra(r, "SET.runtime.host") }, "InvalidArgument"},
		"encryption without a key server": {func(r *types.CreateVM_Task) { r.Config.Crypto = &types.CryptoSpecEncrypt{} }, "NotSupported"},
	} {
		t.Run("creating with "+name, func(t *testing.T) {
			r := s.request("bad")
			test.change(r)
			if _, err := s.create(t, r); faultName(err) != test.want {
				t.Errorf("got %v (%s), want %s", err, faultName(err), test.want)
			}
		})
	}
	vm := object.NewVirtualMachine(s.client, good)
	cluster, err := find.NewFinder(s.client).ClusterComputeResource(t.Context(), "/dc-lab/host/compute-a")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		call func() error
		want string
	}{
		"cloning": {func() error {
			_, err := vm.Clone(t.Context(), s.folder, "clone", types.VirtualMachineCloneSpec{})
			return err
		}, "NotSupported"},
		"asking vcsim for a place": {func() error {
			_, err := cluster.PlaceVm(t.Context(), types.PlacementSpec{PlacementType: "create", ConfigSpec: &types.VirtualMachineConfigSpec{}, Hosts: []types.ManagedObjectReference{s.host.Reference()}})
			return err
		}, "NotSupported"},
		"searching a datastore for nothing": {func() error {
			_, err := methods.SearchDatastore_Task(t.Context(), s.client, &types.SearchDatastore_Task{This: browser(t, s), DatastorePath: "[vsan-a]"})
			return err
		}, "InvalidArgument"},
		"searching an unknown datastore": {func() error {
			_, err := methods.SearchDatastore_Task(t.Context(), s.client, &types.SearchDatastore_Task{
				This: browser(t, s), DatastorePath: "[attic]", SearchSpec: &types.HostDatastoreBrowserSearchSpec{},
			})
			return err
		}, "InvalidArgument"},
		"destroying a folder":                      {func() error { _, err := s.folder.Destroy(t.Context()); return err }, "NotSupported"},
		"moving a VM to a host of another cluster": {relocate(t, vm, types.VirtualMachineRelocateSpec{Host: ref(other)}), "InvalidArgument"},
		"moving a VM to a host in maintenance":     {relocate(t, vm, types.VirtualMachineRelocateSpec{Host: ref(resting)}), "InvalidState"},
		"moving a VM to what is no host":           {relocate(t, vm, types.VirtualMachineRelocateSpec{Host: ref(vm)}), "InvalidArgument"},
		"moving a VM to what is no pool":           {relocate(t, vm, types.VirtualMachineRelocateSpec{Pool: ref(vm)}), "InvalidArgument"},
		"moving a VM to what is no datastore":      {relocate(t, vm, types.VirtualMachineRelocateSpec{Datastore: ref(vm)}), "InvalidArgument"},
		"moving a VM to another folder":            {relocate(t, vm, types.VirtualMachineRelocateSpec{Folder: ref(s.folder)}), "NotSupported"},
		"moving what is no VM":                     {relocate(t, object.NewVirtualMachine(s.client, s.folder.Reference()), types.VirtualMachineRelocateSpec{}), "ManagedObjectNotFound"},
		"reconfiguring to a size that nothing has": {func() error {
			_, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{NumCPUs: 100_000})
			return err
		}, "InvalidArgument"},
		"renaming": {func() error {
			_, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Name: "other"})
			return err
		}, "NotSupported"},
		"powering on what is not there": {func() error {
			_, err := object.NewVirtualMachine(s.client, types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-0"}).PowerOn(t.Context())
			return err
		}, "ManagedObjectNotFound"},
		"a list view": {func() error {
			_, err := methods.CreateListView(t.Context(), s.client, &types.CreateListView{This: *s.client.ServiceContent.ViewManager})
			return err
		}, "NotSupported"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.call(); faultName(err) != test.want {
				t.Errorf("got %v (%s), want %s", err, faultName(err), test.want)
			}
		})
	}
	t.Run("and everything still answers", func(t *testing.T) {
		var c mo.ClusterComputeResource
		if err := cluster.Properties(t.Context(), cluster.Reference(), []string{"name", "host"}, &c); err != nil || len(c.Host) != 2 {
			t.Errorf("cluster %q with hosts %v, error %v", c.Name, c.Host, err)
		}
	})
}

func relocate(t *testing.T, vm *object.VirtualMachine, spec types.VirtualMachineRelocateSpec) func() error {
	return func() error {
		_, err := vm.Relocate(t.Context(), spec, types.VirtualMachineMovePriorityDefaultPriority)
		return err
	}
}

func ref(o mo.Reference) *types.ManagedObjectReference {
	r := o.Reference()
	return &r
}

func network(s *types.VirtualDeviceConfigSpec, name string) {
	s.Device.GetVirtualDevice().Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: name},
	}
}

func disk(s *types.VirtualDeviceConfigSpec, path string) {
	s.Device.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo).FileName = path
}

func extra(r *types.CreateVM_Task, key string) {
	r.Config.ExtraConfig = []types.BaseOptionValue{&types.OptionValue{Key: key, Value: "x"}}
}

func browser(t *testing.T, s site) types.ManagedObjectReference {
	t.Helper()
	ds, err := find.NewFinder(s.client).Datastore(t.Context(), "/dc-lab/datastore/vsan-a")
	if err != nil {
		t.Fatal(err)
	}
	var m mo.Datastore
	if err := ds.Properties(t.Context(), ds.Reference(), []string{"browser"}, &m); err != nil {
		t.Fatal(err)
	}
	return m.Browser
}

func TestVMsOfOtherClientsTakeRoom(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	s := lookAround(t, v)
	r := s.request("big")
	r.Config.MemoryMB = 240000
	ref, err := s.create(t, r)
	if err != nil {
		t.Fatal(err)
	}
	wish := vcenter.PlaceRequest{Namespace: "team-a", Zone: "zone-a", CPUs: 2, MemoryMiB: 16384, DiskGiB: 1}
	if spot, err := v.Place(wish); err == nil {
		t.Errorf("placed at %+v beside a VM that fills the host", spot)
	}
	vm := object.NewVirtualMachine(s.client, ref)
	for _, step := range []func() (*object.Task, error){
		func() (*object.Task, error) { return vm.PowerOn(t.Context()) },
		func() (*object.Task, error) { return vm.PowerOff(t.Context()) },
		func() (*object.Task, error) { return vm.Destroy(t.Context()) },
	} {
		task, err := step()
		if err != nil {
			t.Fatal(err)
		}
		if err := task.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Place(wish); err != nil {
		t.Errorf("after it is gone: %v", err)
	}
}

func TestMaintenanceOverSOAPKeepsVMsAway(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	s := lookAround(t, v)
	task, err := s.host.EnterMaintenanceMode(t.Context(), 0, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = v.Place(vcenter.PlaceRequest{Namespace: "team-a", Zone: "zone-a", CPUs: 1, MemoryMiB: 1, DiskGiB: 1})
	if want := "NoHost: zone-a: 0 of 1 hosts not in maintenance"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
