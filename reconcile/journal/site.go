package journal

// MeterKind says what a Meter measures.
type MeterKind string

// The kinds of meters, with the unit of Capacity and Used.
const (
	HostMemory    MeterKind = "host-memory" // MiB, of the machines that are powered on
	HostCPU       MeterKind = "host-cpu"    // MHz, likewise
	DatastoreRoom MeterKind = "datastore"   // MiB
	Quota         MeterKind = "quota"       // of a vSphere Namespace, in Unit
	Addresses     MeterKind = "addresses"   // of a pool, a subnet or a load balancer
)

// The units.
const (
	MiB         = "MiB"
	MHz         = "MHz"
	AddressUnit = "addresses"
	SubnetUnit  = "subnets"
)

// The names of meters that are not things with names of their own.
const (
	QuotaMemory  = "memory"
	QuotaCPU     = "cpu"
	QuotaStorage = "storage" // in all, or followed by a space and a storage class
	LoadBalancer = "load balancer"
	// PrivateAddresses are those that nodes get of a VPC, which is the Group, and
	// PrivateSubnets what they are given out in: each belongs to one cluster.
	PrivateAddresses = "private addresses"
	PrivateSubnets   = "private subnets"
	// IPPool is followed by a space and the name of a pool of a network of vSphere
	// Distributed Switch.
	IPPool = "IP pool"
)

// A Meter is something that a site has a limited amount of. Kind, Group and Name
// together name it.
type Meter struct {
	Kind MeterKind `json:"kind"`
	// Group is what Name is unique in: the zone of a host, the vSphere Namespace of
	// a quota, the VPC of addresses. Empty for what belongs to the whole site.
	Group string `json:"group,omitempty"`
	// Name is of the host, the datastore or the pool, or what a quota limits:
	// "memory", "storage vks-gold".
	Name string `json:"name"`
	// Unit is one of the units above.
	Unit string `json:"unit"`
	// Capacity is how much there is; 0 is without limit, or not known.
	Capacity int64 `json:"capacity"`
	Used     int64 `json:"used"`
}

// Usage is the present state of the meters that have changed. One with neither
// Capacity nor anything in use is not there any more.
type Usage struct {
	Meters []Meter `json:"meters"`
}
