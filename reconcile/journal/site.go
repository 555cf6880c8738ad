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

// A Meter is something that a site has a limited amount of. Kind, Group and Name
// together name it.
type Meter struct {
	Kind MeterKind `json:"kind"`
	// Group is what Name is unique in: the zone of a host, the vSphere Namespace of
	// a quota. Empty for what belongs to the whole site.
	Group string `json:"group,omitempty"`
	// Name is of the host, the datastore or the pool, or what a quota limits:
	// "memory", "storage vks-gold".
	Name string `json:"name"`
	// Unit is "MiB", "MHz" or "addresses".
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
