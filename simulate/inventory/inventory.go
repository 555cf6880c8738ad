// Package inventory is the Go form of the Inventory kind: the hosts, datastores,
// address ranges, VM classes, images and releases that a simulated site is built
// from. It hides how a name, a version prefix or an address range is looked up.
//
// The schema has already refused what is malformed; Decode only refuses what
// would make the lookups here meaningless. Everything in it is pure.
package inventory

// Inventory describes one site.
type Inventory struct {
	Metadata Metadata `json:"metadata"`
	Spec     Spec     `json:"spec"`
}

// Metadata names the Inventory.
type Metadata struct {
	Name string `json:"name"`
}

// Spec is what the site is made of.
type Spec struct {
	VCenter    VCenter    `json:"vcenter,omitempty"`
	Datacenter string     `json:"datacenter"`
	Supervisor Supervisor `json:"supervisor"`
	// Zones are the vSphere Zones, one vSphere cluster each, in the order written.
	Zones              []Zone              `json:"zones"`
	Datastores         []Datastore         `json:"datastores"`
	StoragePolicies    []StoragePolicy     `json:"storagePolicies,omitempty"`
	Networks           Networks            `json:"networks,omitempty"`
	LoadBalancer       LoadBalancer        `json:"loadBalancer,omitempty"`
	VMClasses          []VMClass           `json:"vmClasses,omitempty"`
	ContentLibraries   []ContentLibrary    `json:"contentLibraries,omitempty"`
	KubernetesReleases []KubernetesRelease `json:"kubernetesReleases,omitempty"`
	ClusterClasses     []string            `json:"clusterClasses,omitempty"`
}

// VCenter is the vCenter Server of the site.
type VCenter struct {
	// Version is the product version, such as 8.0.3; empty is DefaultVersion.
	Version string `json:"version,omitempty"`
}

// DefaultVersion is the vCenter version of an Inventory that names none.
const DefaultVersion = "9.0.0"

// Supervisor is the one Supervisor of the site.
type Supervisor struct {
	Name string `json:"name"`
	// ControlPlaneEndpoint is given to every cluster; nil has each one get its own
	// from the load balancer.
	ControlPlaneEndpoint *Endpoint `json:"controlPlaneEndpoint,omitempty"`
}

// Endpoint is where an API server is reached.
type Endpoint struct {
	Host string `json:"host"`
	Port int64  `json:"port"`
}

// Zone is a failure domain, which is one vSphere cluster.
type Zone struct {
	Name    string `json:"name"`
	Cluster string `json:"cluster"`
	Hosts   []Host `json:"hosts"`
}

// Host is an ESXi host.
type Host struct {
	Name      string `json:"name"`
	Cores     int    `json:"cores"`
	MHz       int    `json:"mhz"` // of one core
	MemoryMiB int64  `json:"memoryMiB"`
	// Maintenance keeps every VM away from the host.
	Maintenance bool `json:"maintenance,omitempty"`
}

// Datastore is storage that all hosts of its zones mount.
type Datastore struct {
	Name        string `json:"name"`
	CapacityGiB int64  `json:"capacityGiB"`
	// FreeGiB is what is free before anything is simulated; nil is all of it.
	FreeGiB *int64   `json:"freeGiB,omitempty"`
	Zones   []string `json:"zones"`
}

// Free is the free space in GiB before anything is simulated.
func (d Datastore) Free() int64 {
	if d.FreeGiB == nil {
		return d.CapacityGiB
	}
	return *d.FreeGiB
}

// StoragePolicy names the datastores that comply with it.
type StoragePolicy struct {
	Name       string   `json:"name"`
	Datastores []string `json:"datastores"`
}

// LoadBalancer is where the control-plane endpoints come from.
type LoadBalancer struct {
	// Ranges are "first-last", both inclusive, or single addresses.
	Ranges []string `json:"ranges,omitempty"`
}

// VMClass is a size of virtual machine.
type VMClass struct {
	Name      string `json:"name"`
	CPUs      int    `json:"cpus"`
	MemoryMiB int64  `json:"memoryMiB"`
	// Reserved is true for the guaranteed-* classes: all CPU and memory reserved.
	Reserved bool `json:"reserved,omitempty"`
}

// ContentLibrary holds node images.
type ContentLibrary struct {
	Name   string  `json:"name"`
	Images []Image `json:"images,omitempty"`
}

// Image is an item of a content library as the Supervisor shows it.
type Image struct {
	Name        string `json:"name"` // of the VirtualMachineImage, vmi-<id>
	DisplayName string `json:"displayName,omitempty"`
	OS          OS     `json:"os,omitempty"`
	DiskGiB     int64  `json:"diskGiB,omitempty"` // of the boot disk
}

// OS is the guest operating system of an image.
type OS struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// KubernetesRelease is a Kubernetes version that nodes can be made of.
type KubernetesRelease struct {
	Version string   `json:"version"` // v1.34.1+vmware.1-vkr.4
	Images  []string `json:"images,omitempty"`
	// Incompatible marks a release that this Supervisor does not run.
	Incompatible bool `json:"incompatible,omitempty"`
}
