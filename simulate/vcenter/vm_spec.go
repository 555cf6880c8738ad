package vcenter

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/types"
)

// configSpec is what the VM Service asks vCenter for (domain.md 5.1), without
// the guest's user data, which nobody here reads.
func configSpec(spec VMSpec) types.VirtualMachineConfigSpec {
	dir := "[" + spec.Spot.Datastore + "] " + spec.InstanceUUID + "/"
	config := types.VirtualMachineConfigSpec{
		Name:         spec.Name,
		Uuid:         spec.BiosUUID,
		InstanceUuid: spec.InstanceUUID,
		GuestId:      string(types.VirtualMachineGuestOsIdentifierOther5xLinux64Guest),
		NumCPUs:      int32(spec.CPUs),
		MemoryMB:     spec.MemoryMiB,
		Files:        &types.VirtualMachineFileInfo{VmPathName: dir + spec.Name + ".vmx"},
		ManagedBy:    &types.ManagedByInfo{ExtensionKey: "com.vmware.vcenter.wcp", Type: "VirtualMachine"},
		DeviceChange: devices(spec, dir),
	}
	if spec.Reserved {
		config.MemoryReservationLockedToMax = types.NewBool(true)
		config.MemoryAllocation = &types.ResourceAllocationInfo{Reservation: types.NewInt64(spec.MemoryMiB)}
	}
	return config
}

// The keys of the devices that every VM here has. Negative keys would be
// assigned by vcsim; these are what vCenter gives them.
const (
	diskController = 1000
	bootDisk       = 2000
	adapter        = 4000
)

func devices(spec VMSpec, dir string) []types.BaseVirtualDeviceConfigSpec {
	controller := &types.ParaVirtualSCSIController{}
	controller.Key = diskController
	controller.SharedBus = types.VirtualSCSISharingNoSharing

	disk := &types.VirtualDisk{CapacityInBytes: spec.DiskGiB * units.GB}
	disk.Key, disk.ControllerKey, disk.UnitNumber = bootDisk, diskController, types.NewInt32(0)
	backing := &types.VirtualDiskFlatVer2BackingInfo{
		DiskMode: string(types.VirtualDiskModePersistent), ThinProvisioned: types.NewBool(true),
	}
	backing.FileName = dir + spec.Name + ".vmdk"
	disk.Backing = backing

	card := &types.VirtualVmxnet3{}
	card.Key = adapter
	card.AddressType = string(types.VirtualEthernetCardMacTypeManual)
	card.MacAddress = macAddress(spec.InstanceUUID)
	card.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: segmentName},
	}
	return []types.BaseVirtualDeviceConfigSpec{
		&types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: controller},
		&types.VirtualDeviceConfigSpec{
			Operation: types.VirtualDeviceConfigSpecOperationAdd, FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate,
			Device: disk,
		},
		&types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: card},
	}
}

// macAddress is in the range that vCenter hands out, 00:50:56:00 to 00:50:56:3f.
func macAddress(instanceUUID string) string {
	id := uuid.MustParse(stableID("mac", instanceUUID))
	return fmt.Sprintf("00:50:56:%02x:%02x:%02x", id[0]&0x3f, id[1], id[2])
}
