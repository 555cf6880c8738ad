package vsphere

// Observed is the inventory of a vCenter at one time. Every list is sorted by
// name, VMs by folder and name.
type Observed struct {
	Version         string // of the vCenter, 9.0.0
	Supervisors     []Supervisor
	Hosts           []Host
	Datastores      []Datastore
	VMs             []VM
	VMClasses       []VMClass
	StoragePolicies []string
	Libraries       []string
}

// Supervisor is an enabled Supervisor.
type Supervisor struct {
	ID, Name         string
	ConfigStatus     string // RUNNING, CONFIGURING, REMOVING or ERROR
	KubernetesStatus string // READY, WARNING or ERROR
	Zones            []Zone
}

// Zone is a vSphere Zone of a Supervisor with its vSphere clusters, by name.
type Zone struct {
	Name     string
	Clusters []string
}

// Host is an ESXi host.
type Host struct {
	Name, Cluster string
	Zone          string // empty when no Supervisor runs on the host's cluster
	Cores         int
	MHz           int // of one core
	MemoryMiB     int64
	Maintenance   bool
	Connected     bool
}

// Datastore is a datastore; sizes are in MiB.
type Datastore struct {
	Name                 string
	CapacityMiB, FreeMiB int64
	Accessible           bool
	// Local says that one host only has it.
	Local bool
	// Zones are those whose clusters mount the datastore.
	Zones []string
}

// VM is a virtual machine.
type VM struct {
	Name, MoID string
	Folder     string // inventory path: /dc-lab/vm/Namespaces/team-a/prod
	Host       string // empty when vCenter knows none
	Datastore  string // the first, where there are several
	CPUs       int
	MemoryMiB  int64
	On         bool
	Suspended  bool
	Template   bool // it cannot be powered on
	// Connection is connected, or why vCenter cannot reach the machine:
	// disconnected, orphaned, inaccessible or invalid.
	Connection string
	IP         string // the primary address, as VMware Tools report it
	// InstanceUUID is empty, and sizes are 0, when vCenter itself cannot read the
	// configuration of the VM (orphaned, inaccessible).
	InstanceUUID string
}

// VMClass is a size of virtual machine.
type VMClass struct {
	Name      string
	CPUs      int
	MemoryMiB int64
	Reserved  bool // all memory is reserved
}
