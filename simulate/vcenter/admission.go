package vcenter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Admission stands before every SOAP call. In vcsim a bad argument panics inside
// a task, which ends the process, or inside a method, which leaves the object
// locked for good; and it knows no capacity. So a call passes when it only reads,
// or when a check here knows it to be harmless; all others get NotSupported.

// reads never change anything, and are safe whatever they are asked.
// Left out on purpose: list views, which deadlock with a wait for updates, and
// FindByInventoryPath and FindChild, which panic on a VM that is just being made.
var reads = []string{
	"RetrieveServiceContent", "CurrentTime",
	"Login", "Logout", "SessionIsActive", "TerminateSession",
	"RetrieveProperties", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "Fetch",
	"CreatePropertyCollector", "DestroyPropertyCollector", "CreateFilter", "DestroyPropertyFilter",
	"WaitForUpdates", "WaitForUpdatesEx", "CancelWaitForUpdates",
	"CreateContainerView", "DestroyView",
	"FindAllByDnsName", "FindAllByIp", "FindAllByUuid", "FindByDnsName", "FindByIp", "FindByUuid",
	"QueryEvents", "CreateCollectorForEvents", "ReadNextEvents", "ReadPreviousEvents",
	"CreateCollectorForTasks", "ReadNextTasks", "ReadPreviousTasks", "DestroyCollector", "RewindCollector", "ResetCollector", "SetCollectorPageSize",
	"RetrieveAllPermissions", "RetrieveEntityPermissions", "RetrieveRolePermissions",
	"HasPrivilegeOnEntities", "HasPrivilegeOnEntity", "HasUserPrivilegeOnEntities", "FetchUserPrivilegeOnEntities",
	"QueryOptions", "FindExtension", "RetrieveUserGroups",
}

// logins are ways in that vcsim opens to anybody, without a password.
var logins = []string{"LoginByToken", "LoginExtensionByCertificate", "CloneSession"}

// admit is called by vcsim before it looks at a call. A fault refuses the call.
func (v *VCenter) admit(ctx *simulator.Context, m *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if ctx.Session == nil && slices.Contains(logins, m.Name) {
		return nil, new(types.InvalidLogin)
	}
	if ctx.Session == nil || slices.Contains(reads, m.Name) {
		return nil, nil // without a session vcsim refuses by itself what is not public
	}
	v.shared = true
	v.tasks.serve(ctx.Session.UserName)
	switch body := m.Body.(type) {
	case *types.CreateVM_Task:
		return nil, v.admitCreate(body)
	case *types.ReconfigVM_Task:
		return nil, v.admitReconfigure(body)
	case *types.PowerOnVM_Task, *types.PowerOffVM_Task, *types.SuspendVM_Task, *types.ResetVM_Task,
		*types.ShutdownGuest, *types.StandbyGuest, *types.RebootGuest:
		return nil, v.admitWhole(m.This)
	case *types.RelocateVM_Task:
		return nil, v.admitRelocate(body)
	case *types.Destroy_Task:
		if m.This.Type != "VirtualMachine" {
			return nil, notSupported("only virtual machines can be destroyed")
		}
		return nil, v.admitWhole(m.This)
	case *types.CreateFolder:
		return nil, v.admitFolder(m.This, body.Name)
	case *types.EnterMaintenanceMode_Task, *types.ExitMaintenanceMode_Task:
		if _, ok := v.registry.Get(m.This).(*simulator.HostSystem); !ok {
			return nil, gone(m.This)
		}
		return nil, nil
	case *types.SearchDatastore_Task:
		return nil, v.admitSearch(body.DatastorePath, body.SearchSpec)
	case *types.SearchDatastoreSubFolders_Task:
		return nil, v.admitSearch(body.DatastorePath, body.SearchSpec)
	}
	return nil, notSupported(m.Name + " is not simulated")
}

// admitCreate asks for everything that vcsim would otherwise draw at random or
// stumble over, and for room.
func (v *VCenter) admitCreate(c *types.CreateVM_Task) types.BaseMethodFault {
	folder, ok := v.registry.Get(c.This).(*simulator.Folder)
	if !ok || !slices.Contains(folder.ChildType, "VirtualMachine") {
		return invalid("folder", "%s is no folder for virtual machines", c.This.Value)
	}
	pool, ok := v.registry.Get(c.Pool).(*simulator.ResourcePool)
	if !ok {
		return invalid("pool", "%s is no resource pool", c.Pool.Value)
	}
	if c.Host == nil {
		return invalid("host", "name a host: none is chosen here")
	}
	host, ok := v.registry.Get(*c.Host).(*simulator.HostSystem)
	if !ok || host.Parent == nil || *host.Parent != pool.Owner {
		return invalid("host", "%s is no host of the cluster of pool %s", c.Host.Value, c.Pool.Value)
	}
	if c.Config.Name == "" || c.Config.Files == nil {
		return invalid("config", "a virtual machine needs a name and files.vmPathName")
	}
	if v.named(folder, c.Config.Name) {
		return &types.DuplicateName{Name: c.Config.Name, Object: folder.Self}
	}
	datastore, fault := v.knownPath("config.files.vmPathName", c.Config.Files.VmPathName)
	if fault != nil {
		return fault
	}
	if fault := v.admitConfig(&c.Config); fault != nil {
		return fault
	}
	return v.admitRoom(&c.Config, v.ledger.spotOf(host.Name, datastore))
}

func (v *VCenter) admitRoom(c *types.VirtualMachineConfigSpec, spot Spot) types.BaseMethodFault {
	var list []types.BaseVirtualDevice
	for _, change := range c.DeviceChange {
		list = append(list, change.GetVirtualDeviceConfigSpec().Device)
	}
	n := needOf("", int(c.NumCPUs), c.MemoryMB, diskGiB(list), false)
	if err := v.ledger.fits(n, spot); err != nil {
		f := new(types.InsufficientResourcesFault)
		f.FaultMessage = message(err.Error())
		return f
	}
	return nil
}

// admitReconfigure lets annotations, extraConfig and sizes be changed, of running
// VMs as well. Names, identifiers and devices stay as they are.
func (v *VCenter) admitReconfigure(c *types.ReconfigVM_Task) types.BaseMethodFault {
	if fault := v.admitWhole(c.This); fault != nil {
		return fault
	}
	s := c.Spec
	if s.Name != "" || s.Uuid != "" || s.InstanceUuid != "" || s.Files != nil || len(s.DeviceChange) > 0 || s.Crypto != nil || s.VAppConfig != nil {
		return notSupported("only CPUs, memory, annotation and extraConfig can be reconfigured")
	}
	if s.NumCPUs < 0 || s.NumCPUs > maxCPUs {
		return invalid("config.numCPUs", "%d is not between 1 and %d", s.NumCPUs, maxCPUs)
	}
	if s.MemoryMB < 0 || s.MemoryMB > maxMemoryMiB {
		return invalid("config.memoryMB", "%d is not between 1 and %d", s.MemoryMB, maxMemoryMiB)
	}
	return v.admitConfig(&s)
}

// The largest VM that vSphere 8 and 9 make.
const (
	maxCPUs      = 960
	maxMemoryMiB = 24 << 20
)

// admitRelocate lets a VM be moved to another host, with its pool, and to another
// datastore. What vcsim is not told stays as it is.
func (v *VCenter) admitRelocate(c *types.RelocateVM_Task) types.BaseMethodFault {
	if fault := v.admitWhole(c.This); fault != nil {
		return fault
	}
	s := c.Spec
	if s.Folder != nil || s.Service != nil || len(s.DeviceChange) > 0 || len(s.Disk) > 0 {
		return notSupported("only host, pool and datastore of a virtual machine can be changed")
	}
	vm, ok := v.registry.Get(c.This).(*simulator.VirtualMachine)
	if !ok {
		return gone(c.This)
	}
	to := s // where it will be, all told
	v.registry.WithLock(&simulator.Context{Map: v.registry}, vm.Self, func() {
		to.Host, to.Pool = cmp.Or(s.Host, vm.Runtime.Host), cmp.Or(s.Pool, vm.ResourcePool)
		to.Datastore = cmp.Or(s.Datastore, &vm.Datastore[0])
	})
	return v.admitSpot(&to)
}

// admitSpot looks whether host, pool and datastore belong together.
func (v *VCenter) admitSpot(to *types.VirtualMachineRelocateSpec) types.BaseMethodFault {
	host, ok := v.registry.Get(*to.Host).(*simulator.HostSystem)
	if !ok {
		return invalid("spec.host", "%s is no host", to.Host.Value)
	}
	if host.Runtime.InMaintenanceMode {
		return new(types.InvalidState)
	}
	pool, ok := v.registry.Get(*to.Pool).(*simulator.ResourcePool)
	if !ok || host.Parent == nil || pool.Owner != *host.Parent {
		return invalid("spec.pool", "%s is no resource pool of the cluster of host %s", to.Pool.Value, to.Host.Value)
	}
	if !slices.Contains(host.Datastore, *to.Datastore) {
		return invalid("spec.datastore", "%s is no datastore that host %s mounts", to.Datastore.Value, to.Host.Value)
	}
	return nil
}

func (v *VCenter) admitConfig(c *types.VirtualMachineConfigSpec) types.BaseMethodFault {
	if c.Crypto != nil || c.VAppConfig != nil {
		return notSupported("encryption and vApp properties are not simulated")
	}
	for _, option := range c.ExtraConfig {
		// vcsim runs a container for the one, and writes any property by the other.
		key := option.GetOptionValue().Key
		if strings.HasPrefix(key, "RUN.") || strings.HasPrefix(key, "SET.") {
			return invalid("config.extraConfig", "%s is not allowed", key)
		}
	}
	for _, change := range c.DeviceChange {
		if fault := v.admitDevice(change.GetVirtualDeviceConfigSpec()); fault != nil {
			return fault
		}
	}
	return nil
}

func (v *VCenter) admitDevice(s *types.VirtualDeviceConfigSpec) types.BaseMethodFault {
	if s.Operation != types.VirtualDeviceConfigSpecOperationAdd || s.Device == nil {
		return invalid("config.deviceChange", "only devices to add are simulated")
	}
	switch device := s.Device.(type) {
	case types.BaseVirtualEthernetCard:
		return v.admitCard(device.GetVirtualEthernetCard())
	case *types.VirtualDisk:
		backing, ok := device.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if !ok || backing.Parent != nil || s.Backing != nil {
			return notSupported("only flat disks without a parent are simulated")
		}
		_, fault := v.knownPath("config.deviceChange", backing.FileName)
		return fault
	case types.BaseVirtualController, *types.VirtualCdrom:
		return nil
	}
	return notSupported(fmt.Sprintf("a device of type %T is not simulated", s.Device))
}

func (v *VCenter) admitCard(card *types.VirtualEthernetCard) types.BaseMethodFault {
	backing, ok := card.Backing.(*types.VirtualEthernetCardNetworkBackingInfo)
	if !ok || !slices.Contains(v.site.networks, backing.DeviceName) {
		return invalid("config.deviceChange", "name one of the networks %s", strings.Join(v.site.networks, ", "))
	}
	return nil
}

// knownPath is the datastore of a path such as "[vsan-a] dir/file".
func (v *VCenter) knownPath(property, text string) (string, types.BaseMethodFault) {
	var p object.DatastorePath
	if !p.FromString(text) {
		return "", &types.InvalidDatastorePath{DatastorePath: text}
	}
	if _, ok := v.site.datastores[p.Datastore]; !ok {
		return "", invalid(property, "there is no datastore %q", p.Datastore)
	}
	if strings.Contains(p.Path, "..") {
		return "", invalid(property, "%q leaves the datastore", text)
	}
	return p.Datastore, nil
}

// admitWhole refuses VMs that lack what every power operation goes through.
func (v *VCenter) admitWhole(ref types.ManagedObjectReference) types.BaseMethodFault {
	vm, ok := v.registry.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return gone(ref)
	}
	whole := false
	v.registry.WithLock(&simulator.Context{Map: v.registry}, vm.Self, func() {
		whole = vm.Runtime.Host != nil && len(vm.Datastore) > 0 && vm.Config != nil
	})
	if !whole {
		return new(types.InvalidState)
	}
	return nil
}

func (v *VCenter) admitFolder(parent types.ManagedObjectReference, name string) types.BaseMethodFault {
	if _, ok := v.registry.Get(parent).(*simulator.Folder); !ok {
		return gone(parent)
	}
	if name == "" {
		return &types.InvalidName{Name: name}
	}
	return nil
}

func (v *VCenter) admitSearch(path string, spec *types.HostDatastoreBrowserSearchSpec) types.BaseMethodFault {
	if spec == nil {
		return invalid("searchSpec", "give a searchSpec")
	}
	_, fault := v.knownPath("datastorePath", path)
	return fault
}

func notSupported(text string) types.BaseMethodFault {
	f := new(types.NotSupported)
	f.FaultMessage = message(text)
	return f
}

func invalid(property, format string, args ...any) types.BaseMethodFault {
	f := &types.InvalidArgument{InvalidProperty: property}
	f.FaultMessage = message(fmt.Sprintf(format, args...))
	return f
}

func gone(ref types.ManagedObjectReference) types.BaseMethodFault {
	return &types.ManagedObjectNotFound{Obj: ref}
}

func message(text string) []types.LocalizableMessage {
	return []types.LocalizableMessage{{Key: "vksync.simulated", Message: text}}
}
