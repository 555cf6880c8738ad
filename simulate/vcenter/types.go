package vcenter

import "fmt"

// The states of a vSphere Namespace.
const (
	Configuring = "CONFIGURING"
	Running     = "RUNNING"
	Removing    = "REMOVING"
	Failed      = "ERROR"
)

// NamespaceHooks are called, outside all locks, after REST accepted a request.
// Each may be nil. Created is called with a namespace in state CONFIGURING,
// Deleted with one in state REMOVING; it is on the owner of the hooks to call
// SetNamespaceStatus and RemoveNamespace later. Without Created a namespace is
// RUNNING at once, without Deleted it is gone at once.
type NamespaceHooks struct {
	Created, Updated, Deleted func(NamespaceSpec)
}

// NamespaceSpec is a vSphere Namespace, with names where the API has identifiers.
// Slices are in the order they were given.
type NamespaceSpec struct {
	Name             string        `json:"name"`
	Supervisor       string        `json:"supervisor"`
	Description      string        `json:"description,omitempty"`
	Resources        Resources     `json:"resources,omitzero"`
	StoragePolicies  []PolicyLimit `json:"storagePolicies,omitempty"`
	VMClasses        []string      `json:"vmClasses,omitempty"`
	ContentLibraries []string      `json:"contentLibraries,omitempty"`
	Permissions      []Permission  `json:"permissions,omitempty"`
	Network          Network       `json:"network"`
	ConfigStatus     string        `json:"configStatus"`
	Messages         []string      `json:"messages,omitempty"`
}

// Resources are the limits of a namespace; 0 is no limit.
type Resources struct {
	CPULimitMHz     int64 `json:"cpuLimitMHz,omitempty"`
	MemoryLimitMiB  int64 `json:"memoryLimitMiB,omitempty"`
	StorageLimitMiB int64 `json:"storageLimitMiB,omitempty"`
}

// PolicyLimit is a storage policy that a namespace may use, up to LimitMiB; 0 is no limit.
type PolicyLimit struct {
	Name     string `json:"name"`
	LimitMiB int64  `json:"limitMiB,omitempty"`
}

// Permission is one entry of a namespace's access list.
type Permission struct {
	Subject string `json:"subject"`
	Domain  string `json:"domain"`
	Type    string `json:"type"` // USER or GROUP
	Role    string `json:"role"` // OWNER, EDIT or VIEW
}

// Network is how the workloads of a namespace are connected.
type Network struct {
	Provider     string   `json:"provider"` // NSX_VPC, NSXT_CONTAINER_PLUGIN or VSPHERE_NETWORK
	PrivateCIDRs []string `json:"privateCIDRs,omitempty"`
	SubnetSize   int64    `json:"subnetSize,omitempty"`
}

// Placement is where the VMs of a namespace or cluster go in vCenter: their
// folder, and the resource pool per zone, by managed object id.
type Placement struct {
	FolderMoID string            `json:"folder"`
	PoolMoIDs  map[string]string `json:"pools"` // by zone name
}

// PlaceRequest asks for a spot for one VM.
type PlaceRequest struct {
	Namespace string
	// Zone is the zone wished for; empty is any.
	Zone               string
	CPUs               int
	MemoryMiB, DiskGiB int64
	// Reserved asks for cores and memory of its own, as guaranteed-* classes do.
	Reserved bool
	// StoragePolicy restricts the datastores to those that comply; empty is any.
	StoragePolicy string
}

// Spot is where a VM runs and keeps its disks, all by name.
type Spot struct {
	Zone      string `json:"zone"`
	Host      string `json:"host"`
	Datastore string `json:"datastore"`
}

// PlaceError says why no spot was found.
type PlaceError struct {
	// Reason is one word, such as InsufficientMemory.
	Reason string
	// Message says per zone what is missing.
	Message string
}

// Error is the reason and the message.
func (e *PlaceError) Error() string { return fmt.Sprintf("%s: %s", e.Reason, e.Message) }

// VMSpec is a VM to create. Its folder and pool are those that MakeNamespace and
// MakeClusterFolder made for Namespace, Cluster and Spot.Zone.
type VMSpec struct {
	Namespace string `json:"namespace"`
	// Cluster is the cluster whose folder the VM goes to; empty is the namespace's own.
	Cluster      string `json:"cluster,omitempty"`
	Name         string `json:"name"`
	Spot         Spot   `json:"spot"`
	CPUs         int    `json:"cpus"`
	MemoryMiB    int64  `json:"memoryMiB"`
	DiskGiB      int64  `json:"diskGiB"`
	Reserved     bool   `json:"reserved,omitempty"`
	BiosUUID     string `json:"biosUUID"`
	InstanceUUID string `json:"instanceUUID"`
}

// VMRef is a VM that was created.
type VMRef struct {
	MoID string // vm-42
	Task string // task-43, finished
}

// State is what a saved world keeps of a VCenter. It holds neither extraConfig
// nor user data.
type State struct {
	Namespaces []NamespaceSpec `json:"namespaces,omitempty"`
	Folders    []Folder        `json:"folders,omitempty"`
	VMs        []VMState       `json:"vms,omitempty"`
	// Newest is the number of the newest managed object, from which the ids of
	// later ones follow.
	Newest int64 `json:"newest"`
}

// Folder is a folder with pools that was made for a namespace or, when Cluster
// is set, for a cluster.
type Folder struct {
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster,omitempty"`
	MoID      string `json:"moid"` // of the folder
}

// VMState is a VM as saved. Its MoID is what it was, and is so again after Restore.
type VMState struct {
	VMSpec
	MoID     string `json:"moid"`
	On       bool   `json:"on,omitempty"`
	IP       string `json:"ip,omitempty"`
	HostName string `json:"hostName,omitempty"`
}
