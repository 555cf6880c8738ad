package vcenter

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/vpx"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/simulate/inventory"
)

// namespacesName is what the Supervisor calls its folder and its resource pools.
const namespacesName = "Namespaces"

// segmentName is the NSX segment that the network adapters of all VMs are on.
// What subnet an address is from is not vCenter's business.
const segmentName = "workload-segment"

// site is where the parts of the inventory are in vcsim, by name.
type site struct {
	datacenter types.ManagedObjectReference
	namespaces types.ManagedObjectReference // the folder of all vSphere Namespaces
	networks   []string                     // names a network adapter may ask for
	segment    types.ManagedObjectReference // the network of all VMs
	zones      map[string]*zoneSite
	hosts      map[string]types.ManagedObjectReference
	datastores map[string]types.ManagedObjectReference
}

type zoneSite struct {
	cluster    types.ManagedObjectReference
	namespaces types.ManagedObjectReference // the pool of all vSphere Namespaces
}

// serviceContent is vcsim's, but of the vCenter version that the inventory names.
func serviceContent(inv *inventory.Inventory) types.ServiceContent {
	version := inv.Version()
	parts := append(strings.Split(version, "."), "0", "0", "0")
	content := vpx.ServiceContent
	content.About.Version = version
	content.About.FullName = "VMware vCenter Server " + version + " (simulated by vksync)"
	content.About.Build = "0"
	content.About.ApiVersion = strings.Join(parts[:3], ".") + ".0"
	content.About.InstanceUuid = stableID("vcenter", inv.Metadata.Name)
	content.About.LicenseProductVersion = parts[0] + ".0"
	// Admission lets nobody use these; the first shares state with every other
	// vcsim of the process, the second looks at every event.
	content.LicenseManager, content.AlarmManager = nil, nil
	return content
}

// rootFolder is a root folder that shares nothing with another one in the process.
func rootFolder() mo.Folder {
	root := vpx.RootFolder
	root.ChildType = slices.Clone(root.ChildType)
	root.Permission = slices.Clone(root.Permission)
	return root
}

// buildSite makes datacenter, clusters with hosts, datastores, network, and the
// Supervisor's folder and pools. Hosts and datastores are put into the registry
// as they are: vcsim's own way reads 275 KB of host template and a task tick each.
func (v *VCenter) buildSite() (*site, error) {
	ctx := v.context()
	root, err := find[*simulator.Folder](v, v.rootRef())
	if err != nil {
		return nil, err
	}
	made := root.CreateDatacenter(ctx, &types.CreateDatacenter{This: root.Self, Name: v.inv.Spec.Datacenter})
	if made.Fault() != nil {
		return nil, faultError("creating the datacenter", made)
	}
	dc, err := find[*simulator.Datacenter](v, made.(*methods.CreateDatacenterBody).Res.Returnval)
	if err != nil {
		return nil, err
	}
	s := &site{
		datacenter: dc.Self,
		zones:      map[string]*zoneSite{},
		hosts:      map[string]types.ManagedObjectReference{},
		datastores: map[string]types.ManagedObjectReference{},
	}
	if s.segment, err = v.addSegment(ctx, dc, s); err != nil {
		return nil, err
	}
	for _, zone := range v.inv.Spec.Zones {
		if err := v.addZone(ctx, dc, zone, s); err != nil {
			return nil, err
		}
	}
	for _, d := range v.inv.Spec.Datastores {
		if err := v.addDatastore(ctx, dc, d, s); err != nil {
			return nil, err
		}
	}
	s.namespaces, err = v.createFolder(ctx, dc.VmFolder, namespacesName)
	return s, err
}

func (v *VCenter) rootRef() types.ManagedObjectReference { return vpx.RootFolder.Self }

func (v *VCenter) addSegment(ctx *simulator.Context, dc *simulator.Datacenter, s *site) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	folder, err := find[*simulator.Folder](v, dc.NetworkFolder)
	if err != nil {
		return none, err
	}
	summary := types.OpaqueNetworkSummary{OpaqueNetworkId: stableID("segment", v.inv.Metadata.Name)}
	summary.Name = segmentName
	if err := folder.AddOpaqueNetwork(ctx, summary); err != nil {
		return none, fmt.Errorf("adding the network: %w", err)
	}
	segment, err := find[mo.Entity](v, dc.Network[len(dc.Network)-1])
	if err != nil {
		return none, err
	}
	segment.Entity().Name = segmentName // vcsim sets the other of a network's two names only
	for _, ref := range dc.Network {
		s.networks = append(s.networks, entityName(v.registry, ref))
	}
	return segment.Reference(), nil
}

// addZone makes the vSphere cluster of a zone, its hosts and its pool for namespaces.
func (v *VCenter) addZone(ctx *simulator.Context, dc *simulator.Datacenter, zone inventory.Zone, s *site) error {
	folder, err := find[*simulator.Folder](v, dc.HostFolder)
	if err != nil {
		return err
	}
	made := folder.CreateClusterEx(ctx, &types.CreateClusterEx{This: folder.Self, Name: zone.Cluster})
	if made.Fault() != nil {
		return faultError("creating cluster "+zone.Cluster, made)
	}
	cluster, err := find[*simulator.ClusterComputeResource](v, made.(*methods.CreateClusterExBody).Res.Returnval)
	if err != nil {
		return err
	}
	cluster.Network = append(slices.Clone(cluster.Network), s.segment)
	summary := cluster.Summary.GetComputeResourceSummary()
	summary.OverallStatus = types.ManagedEntityStatusGreen
	for _, h := range zone.Hosts {
		host := newHost(h, cluster.Network)
		v.registry.PutEntity(cluster, v.registry.NewEntity(host))
		host.Summary.Host = &host.Self
		cluster.Host = append(cluster.Host, host.Self)
		s.hosts[h.Name] = host.Self
		addCapacity(summary, h)
	}
	cluster.Host = slices.Clip(cluster.Host) // vcsim appends to it where it only means to read it
	pool, err := v.createPool(ctx, *cluster.ResourcePool, namespacesName)
	s.zones[zone.Name] = &zoneSite{cluster: cluster.Self, namespaces: pool}
	return err
}

func addCapacity(s *types.ComputeResourceSummary, h inventory.Host) {
	s.NumHosts++
	s.TotalCpu += int32(h.Cores * h.MHz)
	s.TotalMemory += h.MemoryMiB * units.MB
	s.NumCpuCores += int16(h.Cores)
	s.NumCpuThreads += int16(2 * h.Cores)
	if !h.Maintenance {
		s.NumEffectiveHosts++
		s.EffectiveCpu += int32(h.Cores * h.MHz)
		s.EffectiveMemory += h.MemoryMiB // the API has MB here, not bytes
	}
}

// newHost is a connected host with as many properties as a planner reads.
func newHost(h inventory.Host, networks []types.ManagedObjectReference) *simulator.HostSystem {
	id := stableID("host", h.Name)
	host := &simulator.HostSystem{}
	host.Name = h.Name
	host.Network = slices.Clone(networks)
	host.Runtime = types.HostRuntimeInfo{
		ConnectionState:   types.HostSystemConnectionStateConnected,
		PowerState:        types.HostSystemPowerStatePoweredOn,
		InMaintenanceMode: h.Maintenance,
	}
	cores, sockets := int16(h.Cores), int16(max(1, h.Cores/32))
	host.Hardware = &types.HostHardwareInfo{
		SystemInfo: types.HostSystemInfo{Vendor: "vksync", Model: "simulated", Uuid: id},
		CpuInfo: types.HostCpuInfo{
			NumCpuPackages: sockets, NumCpuCores: cores, NumCpuThreads: 2 * cores,
			Hz: int64(h.MHz) * 1_000_000,
		},
		MemorySize: h.MemoryMiB * units.MB,
	}
	host.Summary = types.HostListSummary{
		Hardware: &types.HostHardwareSummary{
			Vendor: "vksync", Model: "simulated", Uuid: id,
			MemorySize: h.MemoryMiB * units.MB,
			CpuMhz:     int32(h.MHz), NumCpuPkgs: sockets, NumCpuCores: cores, NumCpuThreads: 2 * cores,
		},
		Runtime:       &host.Runtime,
		Config:        types.HostConfigSummary{Name: h.Name, Port: 902},
		OverallStatus: types.ManagedEntityStatusGreen,
	}
	return host
}

// addDatastore makes a datastore that the hosts of its zones mount.
func (v *VCenter) addDatastore(ctx *simulator.Context, dc *simulator.Datacenter, d inventory.Datastore, s *site) error {
	dir := v.datastoreDir(d.Name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	ds := &simulator.Datastore{}
	ds.Name = d.Name
	ds.Info = &types.LocalDatastoreInfo{
		DatastoreInfo: types.DatastoreInfo{Name: d.Name, Url: dir, FreeSpace: d.Free() * units.GB},
		Path:          dir,
	}
	ds.Summary = types.DatastoreSummary{
		Name: d.Name, Url: dir, Accessible: true, MultipleHostAccess: types.NewBool(true),
		Capacity: d.CapacityGiB * units.GB, FreeSpace: d.Free() * units.GB,
		Type:            string(types.HostFileSystemVolumeFileSystemTypeOTHER), // vsan would make vcsim draw random directory names
		MaintenanceMode: string(types.DatastoreSummaryMaintenanceModeStateNormal),
	}
	ds.Capability.DirectoryHierarchySupported = true
	ds.Capability.PerFileThinProvisioningSupported = true

	folder, err := find[*simulator.Folder](v, dc.DatastoreFolder)
	if err != nil {
		return err
	}
	v.registry.PutEntity(folder, v.registry.NewEntity(ds))
	folder.ChildEntity = append(folder.ChildEntity, ds.Self)
	dc.Datastore = append(dc.Datastore, ds.Self)
	ds.Summary.Datastore = &ds.Self
	s.datastores[d.Name] = ds.Self
	for _, zone := range v.inv.Spec.Zones {
		if slices.Contains(d.Zones, zone.Name) {
			if err := v.mount(ds, s.zones[zone.Name].cluster); err != nil {
				return err
			}
		}
	}
	browser := &simulator.HostDatastoreBrowser{}
	browser.Datastore = []types.ManagedObjectReference{ds.Self}
	ds.Browser = v.registry.Put(browser).Reference()
	return nil
}

func (v *VCenter) datastoreDir(name string) string {
	return filepath.Join(v.scratch.dir, stableID("datastore", name))
}

func (v *VCenter) mount(ds *simulator.Datastore, cluster types.ManagedObjectReference) error {
	c, err := find[*simulator.ClusterComputeResource](v, cluster)
	if err != nil {
		return err
	}
	c.Datastore = append(c.Datastore, ds.Self)
	for _, ref := range c.Host {
		host, err := find[*simulator.HostSystem](v, ref)
		if err != nil {
			return err
		}
		host.Datastore = append(host.Datastore, ds.Self)
		ds.Host = append(ds.Host, types.DatastoreHostMount{
			Key: ref,
			MountInfo: types.HostMountInfo{
				AccessMode: string(types.HostMountModeReadWrite),
				Mounted:    types.NewBool(true), Accessible: types.NewBool(true),
			},
		})
	}
	return nil
}

// entityName is the name of ref, or "".
func entityName(r *simulator.Registry, ref types.ManagedObjectReference) string {
	if e, ok := r.Get(ref).(mo.Entity); ok {
		return e.Entity().Name
	}
	return ""
}

// faultError says which operation got which fault.
func faultError(doing string, body soap.HasFault) error {
	f := body.Fault()
	return fmt.Errorf("%s: %T: %s", doing, f.VimFault(), cmp.Or(f.String, "refused by the simulator"))
}
