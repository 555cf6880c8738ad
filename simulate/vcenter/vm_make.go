package vcenter

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/types"
)

// A VM of the Supervisor is put into vcsim by a task that leaves there what vcsim's
// CreateVM_Task would (TestVMIsWhatVcsimMakes). That one takes ten times as long:
// it copies devices by way of XML, writes files to read them again, and looks up
// each field that it sets by its name.

// makeVM creates a VM with the folder and the pools of g.
func (v *VCenter) makeVM(g *group, spec VMSpec) (VMRef, error) {
	folder, err := find[*simulator.Folder](v, g.folder)
	if err != nil {
		return VMRef{}, err
	}
	at, err := v.homeOf(g, spec.Spot)
	if err != nil {
		return VMRef{}, err
	}
	var ref types.ManagedObjectReference
	task, err := v.perform(folder, "createVm", func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		dir := filepath.Join(v.datastoreDir(spec.Spot.Datastore), spec.InstanceUUID)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, &types.FileFault{File: dir}
		}
		ref = v.putVM(ctx, folder, at, spec)
		return ref, nil
	})
	return VMRef{MoID: ref.Value, Task: task}, err
}

// home is where a VM is, in vcsim.
type home struct {
	cluster   *simulator.ClusterComputeResource
	host      *simulator.HostSystem
	pool      *simulator.ResourcePool
	datastore *simulator.Datastore
}

// homeOf is the home of a new VM.
func (v *VCenter) homeOf(g *group, s Spot) (home, error) {
	return v.home(v.site.hosts[s.Host], g.pools[s.Zone], v.site.datastores[s.Datastore])
}

// homeNow is the home of a VM, which somebody may have moved.
func (v *VCenter) homeNow(vm *simulator.VirtualMachine) (home, error) {
	return v.home(*vm.Runtime.Host, *vm.ResourcePool, vm.Datastore[0])
}

func (v *VCenter) home(host, pool, datastore types.ManagedObjectReference) (at home, err error) {
	if at.host, err = find[*simulator.HostSystem](v, host); err != nil {
		return at, err
	}
	if at.cluster, err = find[*simulator.ClusterComputeResource](v, *at.host.Parent); err != nil {
		return at, err
	}
	if at.pool, err = find[*simulator.ResourcePool](v, pool); err != nil {
		return at, err
	}
	at.datastore, err = find[*simulator.Datastore](v, datastore)
	return at, err
}

// putVM puts a VM into its folder and lists it where it is. The folder is locked.
func (v *VCenter) putVM(ctx *simulator.Context, folder *simulator.Folder, at home, spec VMSpec) types.ManagedObjectReference {
	config := configSpec(spec, v.site, at.datastore.Self)
	vm := newVM(&config, at)
	ref := v.registry.NewEntity(vm).Reference()
	folder.ChildEntity = append(folder.ChildEntity, ref) // before Put, for views
	v.registry.PutEntity(folder, vm)

	v.registry.WithLock(ctx, at.host.Self, func() { at.host.Vm = append(at.host.Vm, ref) })
	v.registry.WithLock(ctx, at.pool.Self, func() { at.pool.Vm = append(at.pool.Vm, ref) })
	v.registry.WithLock(ctx, at.datastore.Self, func() {
		at.datastore.Vm = append(at.datastore.Vm, ref)
		at.datastore.Summary.FreeSpace -= spec.DiskGiB * units.GB
		at.datastore.Info.GetDatastoreInfo().FreeSpace = at.datastore.Summary.FreeSpace
	})
	event := v.vmEvent(vm, at)
	v.note(ctx,
		&types.VmBeingCreatedEvent{VmEvent: event, ConfigSpec: &config},
		&types.VmInstanceUuidAssignedEvent{VmEvent: event, InstanceUuid: spec.InstanceUUID},
		&types.VmUuidAssignedEvent{VmEvent: event, Uuid: spec.BiosUUID},
		&types.VmCreatedEvent{VmEvent: event},
	)
	return ref
}

// What vcsim replaces, but never writes into, all VMs share.
var (
	sharedResources   = types.DefaultResourceConfigSpec()
	sharedTools       = &types.ToolsConfigInfo{}
	sharedBoot        = &types.VirtualMachineBootOptions{}
	sharedSensitivity = &types.LatencySensitivity{Level: types.LatencySensitivitySensitivityLevelNormal}
)

// newVM is the VM that config describes, off, with only those devices that a client
// of a simulated world reads, and without a list of its files.
func newVM(config *types.VirtualMachineConfigSpec, at home) *simulator.VirtualMachine {
	made := now()
	vm := &simulator.VirtualMachine{}
	vm.Name = config.Name
	vm.Datastore = []types.ManagedObjectReference{at.datastore.Self}
	vm.EnvironmentBrowser = *at.cluster.EnvironmentBrowser
	vm.ResourcePool = &at.pool.Self
	vm.Capability.ChangeTrackingSupported = true
	vm.Config = configOf(config, made)
	vm.Layout, vm.LayoutEx = new(types.VirtualMachineFileLayout), new(types.VirtualMachineFileLayoutEx)
	vm.Runtime.Host = &at.host.Self
	vm.Runtime.ConnectionState = types.VirtualMachineConnectionStateConnected
	vm.Runtime.PowerState = types.VirtualMachinePowerStatePoweredOff
	vm.Guest = &types.GuestInfo{
		ToolsStatus:        types.VirtualMachineToolsStatusToolsNotInstalled,
		ToolsVersion:       "0",
		ToolsRunningStatus: string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning),
		GuestFamily:        string(types.VirtualMachineGuestOsFamilyLinuxGuest),
	}
	for _, d := range vm.Config.Hardware.Device {
		if card, ok := d.(*types.VirtualVmxnet3); ok {
			backing := card.Backing.(*types.VirtualEthernetCardNetworkBackingInfo)
			vm.Network = append(vm.Network, *backing.Network)
			vm.Guest.Net = append(vm.Guest.Net, types.GuestNicInfo{
				Network: backing.DeviceName, MacAddress: card.MacAddress, Connected: true, DeviceConfigId: card.Key,
			})
		}
	}
	committed := diskGiB(vm.Config.Hardware.Device) * units.GB
	vm.Storage = &types.VirtualMachineStorageInfo{
		PerDatastoreUsage: []types.VirtualMachineUsageOnDatastore{{Datastore: at.datastore.Self, Uncommitted: committed}},
		Timestamp:         made,
	}
	vm.Summary = types.VirtualMachineSummary{
		Vm:      &vm.Self,
		Runtime: vm.Runtime,
		Guest:   &types.VirtualMachineGuestSummary{GuestId: config.GuestId, ToolsStatus: vm.Guest.ToolsStatus},
		Config: types.VirtualMachineConfigSummary{
			Name: config.Name, VmPathName: config.Files.VmPathName,
			MemorySizeMB: int32(config.MemoryMB), NumCpu: config.NumCPUs, NumEthernetCards: 1, NumVirtualDisks: 1,
			Uuid: config.Uuid, InstanceUuid: config.InstanceUuid, GuestId: config.GuestId, GuestFullName: config.GuestId,
			ManagedBy: config.ManagedBy, HwVersion: vm.Config.Version,
		},
		Storage:       &types.VirtualMachineStorageSummary{Uncommitted: committed, Timestamp: made},
		QuickStats:    types.VirtualMachineQuickStats{GuestHeartbeatStatus: types.ManagedEntityStatusGray},
		OverallStatus: types.ManagedEntityStatusGreen,
	}
	return vm
}

func configOf(config *types.VirtualMachineConfigSpec, made time.Time) *types.VirtualMachineConfigInfo {
	dir := path.Dir(config.Files.VmPathName)
	info := &types.VirtualMachineConfigInfo{
		ChangeVersion: strconv.FormatInt(made.UnixNano(), 10),
		Modified:      made,
		CreateDate:    &made,
		Name:          config.Name,
		GuestId:       config.GuestId,
		GuestFullName: config.GuestId,
		Version:       esx.HardwareVersion,
		Uuid:          config.Uuid,
		InstanceUuid:  config.InstanceUuid,
		Files: types.VirtualMachineFileInfo{
			VmPathName: config.Files.VmPathName, SnapshotDirectory: dir, SuspendDirectory: dir, LogDirectory: dir,
		},
		Hardware:                     types.VirtualHardware{NumCPU: config.NumCPUs, NumCoresPerSocket: types.NewInt32(1), MemoryMB: int32(config.MemoryMB)},
		Tools:                        sharedTools,
		CpuAllocation:                &sharedResources.CpuAllocation,
		MemoryAllocation:             cmp.Or(config.MemoryAllocation, &sharedResources.MemoryAllocation),
		MemoryReservationLockedToMax: config.MemoryReservationLockedToMax,
		LatencySensitivity:           sharedSensitivity,
		ExtraConfig:                  []types.BaseOptionValue{&types.OptionValue{Key: "govcsim", Value: "TRUE"}},
		BootOptions:                  sharedBoot,
		Firmware:                     string(types.GuestOsDescriptorFirmwareTypeBios),
		ManagedBy:                    config.ManagedBy,
	}
	for _, change := range config.DeviceChange {
		info.Hardware.Device = append(info.Hardware.Device, change.GetVirtualDeviceConfigSpec().Device)
	}
	return info
}
