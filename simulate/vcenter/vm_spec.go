package vcenter

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/types"
)

// configSpec is what the VM Service asks vCenter for (domain.md 5.1), without
// the guest's user data, which nobody here reads. Its devices are complete, as they
// are in the VM.
func configSpec(spec VMSpec, s *site, datastore types.ManagedObjectReference) types.VirtualMachineConfigSpec {
	dir := "[" + spec.Spot.Datastore + "] " + spec.InstanceUUID + "/"
	config := types.VirtualMachineConfigSpec{
		Name:         spec.Name,
		Uuid:         spec.BiosUUID,
		InstanceUuid: spec.InstanceUUID,
		GuestId:      string(types.VirtualMachineGuestOsIdentifierOther5xLinux64Guest),
		NumCPUs:      int32(spec.CPUs),
		MemoryMB:     spec.MemoryMiB,
		Files:        &types.VirtualMachineFileInfo{VmPathName: dir + spec.Name + ".vmx"},
		ManagedBy:    managedBySupervisor,
		DeviceChange: []types.BaseVirtualDeviceConfigSpec{
			&types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: controller},
			&types.VirtualDeviceConfigSpec{
				Operation: types.VirtualDeviceConfigSpecOperationAdd, FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate,
				Device: newDisk(dir+spec.Name+".vmdk", spec.DiskGiB, s.datacenter, datastore),
			},
			&types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: newCard(macAddress(spec.InstanceUUID), s.segment)},
		},
	}
	if spec.Reserved {
		config.MemoryReservationLockedToMax = types.NewBool(true)
		config.MemoryAllocation = &types.ResourceAllocationInfo{Reservation: types.NewInt64(spec.MemoryMiB)}
	}
	return config
}

// What vcsim replaces, but never writes into, all VMs share.
var (
	managedBySupervisor = &types.ManagedByInfo{ExtensionKey: "com.vmware.vcenter.wcp", Type: "VirtualMachine"}
	controller          = newController()
	no                  = types.NewBool(false)
	sharedBandwidth     = &types.VirtualEthernetCardResourceAllocation{
		Reservation: types.NewInt64(0), Limit: types.NewInt64(-1),
		Share: types.SharesInfo{Shares: 50, Level: types.SharesLevelNormal},
	}
)

// The keys of the devices that every VM here has, which are those that vCenter
// gives them.
const (
	pciController  = 100
	diskController = 1000
	bootDisk       = 2000
	adapter        = 4000
)

func newController() *types.ParaVirtualSCSIController {
	c := &types.ParaVirtualSCSIController{}
	c.Key = diskController
	c.DeviceInfo = &types.Description{Label: "pvscsi-1000", Summary: "pvscsi-1000"}
	c.SharedBus = types.VirtualSCSISharingNoSharing
	return c
}

// newDisk is a disk in the file called name.
func newDisk(name string, sizeGiB int64, datacenter, datastore types.ManagedObjectReference) *types.VirtualDisk {
	disk := &types.VirtualDisk{CapacityInBytes: sizeGiB * units.GB, CapacityInKB: sizeGiB * units.MB}
	disk.Key, disk.ControllerKey, disk.UnitNumber = bootDisk, diskController, types.NewInt32(0)
	disk.DeviceInfo = &types.Description{Label: "disk-1000-0", Summary: grouped(disk.CapacityInKB) + " KB"}
	backing := &types.VirtualDiskFlatVer2BackingInfo{
		DiskMode: string(types.VirtualDiskModePersistent), ThinProvisioned: types.NewBool(true),
		Split: no, WriteThrough: no, EagerlyScrub: no, DigestEnabled: no,
		Uuid: uuid.NewHash(sha256.New(), uuid.NameSpaceOID, []byte(datacenter.String()+name), 5).String(),
	}
	backing.FileName, backing.Datastore = name, &datastore
	disk.Backing = backing
	return disk
}

// newCard is a network adapter in segment, which is not connected.
func newCard(mac string, segment types.ManagedObjectReference) *types.VirtualVmxnet3 {
	card := &types.VirtualVmxnet3{}
	card.Key, card.ControllerKey, card.UnitNumber = adapter, pciController, types.NewInt32(7)
	card.DeviceInfo = &types.Description{Label: "ethernet--7", Summary: segmentName} // so named by vcsim
	card.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: true}
	card.AddressType = string(types.VirtualEthernetCardMacTypeManual)
	card.MacAddress = mac
	card.ResourceAllocation = sharedBandwidth
	card.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: segmentName},
		Network:                        &segment,
	}
	return card
}

// grouped is n with a comma before each three digits.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// macAddress is in the range that vCenter hands out, 00:50:56:00 to 00:50:56:3f.
func macAddress(instanceUUID string) string {
	id := uuid.MustParse(stableID("mac", instanceUUID))
	return fmt.Sprintf("00:50:56:%02x:%02x:%02x", id[0]&0x3f, id[1], id[2])
}
