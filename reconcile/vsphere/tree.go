package vsphere

import (
	"cmp"
	"slices"

	"github.com/vmware/govmomi/vim25/types"
)

// mebibyte is the unit of sizes here; vCenter has bytes.
const mebibyte = 1 << 20

// tree is everything that one look at the inventory found.
type tree struct {
	objects map[types.ManagedObjectReference]properties
	details map[types.ManagedObjectReference]vmDetails
}

// name is the name of ref, or "" for what is not in the tree.
func (t *tree) name(ref types.ManagedObjectReference) string {
	return property[string](t.objects[ref], "name")
}

// each calls f on all objects of a kind.
func (t *tree) each(kind string, f func(properties)) {
	for ref, p := range t.objects {
		if ref.Type == kind {
			f(p)
		}
	}
}

// path is the inventory path of ref.
func (t *tree) path(ref types.ManagedObjectReference) string {
	path := ""
	for {
		p, ok := t.objects[ref]
		if !ok {
			return path // the root folder is not in the view
		}
		path = "/" + property[string](p, "name") + path
		ref = property[types.ManagedObjectReference](p, "parent")
	}
}

// supervisors puts names in place of the ids of clusters.
func (t *tree) supervisors(list []Supervisor) []Supervisor {
	for _, s := range list {
		for i := range s.Zones {
			for j, moid := range s.Zones[i].Clusters {
				if name := t.name(types.ManagedObjectReference{Type: "ClusterComputeResource", Value: moid}); name != "" {
					s.Zones[i].Clusters[j] = name
				}
			}
			slices.Sort(s.Zones[i].Clusters)
		}
	}
	return list
}

func zoneOf(list []Supervisor, cluster string) string {
	for _, s := range list {
		for _, z := range s.Zones {
			if slices.Contains(z.Clusters, cluster) {
				return z.Name
			}
		}
	}
	return ""
}

func (t *tree) hosts(supervisors []Supervisor) []Host {
	var out []Host
	t.each("HostSystem", func(p properties) {
		cluster := t.name(property[types.ManagedObjectReference](p, "parent"))
		out = append(out, Host{
			Name: property[string](p, "name"), Cluster: cluster, Zone: zoneOf(supervisors, cluster),
			Cores:       int(property[int16](p, "summary.hardware.numCpuCores")),
			MHz:         int(property[int32](p, "summary.hardware.cpuMhz")),
			MemoryMiB:   property[int64](p, "summary.hardware.memorySize") / mebibyte,
			Maintenance: property[bool](p, "runtime.inMaintenanceMode"),
			Connected:   property[types.HostSystemConnectionState](p, "runtime.connectionState") == types.HostSystemConnectionStateConnected,
		})
	})
	slices.SortFunc(out, func(a, b Host) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (t *tree) datastores(supervisors []Supervisor) []Datastore {
	zones := map[types.ManagedObjectReference][]string{}
	t.each("ClusterComputeResource", func(p properties) {
		zone := zoneOf(supervisors, property[string](p, "name"))
		if zone == "" {
			return
		}
		for _, ref := range property[types.ArrayOfManagedObjectReference](p, "datastore").ManagedObjectReference {
			zones[ref] = append(zones[ref], zone)
		}
	})
	var out []Datastore
	t.each("Datastore", func(p properties) {
		in := zones[p.ref]
		shared, told := p.values["summary.multipleHostAccess"].(bool)
		slices.Sort(in)
		out = append(out, Datastore{
			Name:        property[string](p, "name"),
			CapacityMiB: property[int64](p, "summary.capacity") / mebibyte,
			FreeMiB:     property[int64](p, "summary.freeSpace") / mebibyte,
			Accessible:  property[bool](p, "summary.accessible"),
			Local:       told && !shared,
			Zones:       slices.Compact(in),
		})
	})
	slices.SortFunc(out, func(a, b Datastore) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// vms joins what was read of each VM this time with its details.
func (t *tree) vms() []VM {
	folders := map[types.ManagedObjectReference]string{}
	var out []VM
	t.each("VirtualMachine", func(p properties) {
		parent := property[types.ManagedObjectReference](p, "parent")
		if _, known := folders[parent]; !known {
			folders[parent] = t.path(parent)
		}
		d := t.details[p.ref]
		power := property[types.VirtualMachinePowerState](p, "runtime.powerState")
		vm := VM{
			Name: property[string](p, "name"), MoID: p.ref.Value, Folder: folders[parent],
			Host: t.name(property[types.ManagedObjectReference](p, "runtime.host")),
			CPUs: int(d.cpus), MemoryMiB: int64(d.memoryMB),
			On: power == types.VirtualMachinePowerStatePoweredOn, Suspended: power == types.VirtualMachinePowerStateSuspended,
			Template:     property[bool](p, "config.template"),
			Connection:   string(property[types.VirtualMachineConnectionState](p, "runtime.connectionState")),
			IP:           property[string](p, "summary.guest.ipAddress"),
			InstanceUUID: d.instanceUUID,
		}
		if len(d.datastores) > 0 {
			vm.Datastore = t.name(d.datastores[0])
		}
		out = append(out, vm)
	})
	slices.SortFunc(out, func(a, b VM) int {
		return cmp.Or(cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Name, b.Name), cmp.Compare(a.MoID, b.MoID))
	})
	return out
}
