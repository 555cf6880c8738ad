package vcenter

// Use is how much there is of something and how much of it is in use; Capacity 0
// is without limit.
type Use struct{ Capacity, Used int64 }

// HostUse is what the VMs that are powered on take of a host. A host in maintenance
// on which none is, has nothing to give.
type HostUse struct {
	Name, Zone string
	MemoryMiB  Use
	CPUMHz     Use // a virtual CPU counts as a whole core, though cores are shared
}

// DatastoreUse is what is taken of a datastore, in MiB.
type DatastoreUse struct {
	Name string
	Use
}

// NamespaceUse is what the VMs of a vSphere Namespace take: of memory and CPU
// those that are powered on, of storage all.
type NamespaceUse struct {
	Name                          string
	CPUMHz, MemoryMiB, StorageMiB Use
	// Policies are the storage policies it may use. The VMs are counted by whoever
	// knows the policy of each.
	Policies []PolicyLimit
}

// SiteUse is what is in use of a site, in the order of the inventory, and of
// namespaces by name. Making it costs a look at each VM.
type SiteUse struct {
	Hosts      []HostUse
	Datastores []DatastoreUse
	Namespaces []NamespaceUse
}

// Use is what is in use of the site now.
func (v *VCenter) Use() SiteUse {
	var site SiteUse
	hosts := map[string]*HostUse{}
	mhz := map[string]int64{}
	for _, z := range v.inv.Spec.Zones {
		for _, h := range z.Hosts {
			mhz[h.Name] = int64(h.MHz)
			hosts[h.Name] = &HostUse{Name: h.Name, Zone: z.Name,
				MemoryMiB: Use{Capacity: h.MemoryMiB}, CPUMHz: Use{Capacity: int64(h.Cores) * int64(h.MHz)}}
		}
	}
	on := map[string]*NamespaceUse{}
	v.machines.each(func(m *machine) {
		host := hosts[m.Spot.Host]
		if !m.On || host == nil {
			return
		}
		ns := on[m.Namespace]
		if ns == nil {
			ns = &NamespaceUse{}
			on[m.Namespace] = ns
		}
		cpu := int64(m.CPUs) * mhz[m.Spot.Host]
		for _, use := range []*Use{&host.MemoryMiB, &ns.MemoryMiB} {
			use.Used += m.MemoryMiB
		}
		for _, use := range []*Use{&host.CPUMHz, &ns.CPUMHz} {
			use.Used += cpu
		}
	})
	for _, z := range v.inv.Spec.Zones {
		for _, h := range z.Hosts {
			if host := hosts[h.Name]; host.MemoryMiB.Used > 0 || !v.ledger.inMaintenance(h.Name) {
				site.Hosts = append(site.Hosts, *host)
			}
		}
	}
	for _, d := range v.inv.Spec.Datastores {
		capacity := d.CapacityGiB * mibPerGiB
		site.Datastores = append(site.Datastores, DatastoreUse{d.Name, Use{capacity, capacity - v.ledger.freeGiB(d.Name)*mibPerGiB}})
	}
	for _, spec := range v.namespaces.list() {
		ns := NamespaceUse{Name: spec.Name, Policies: spec.StoragePolicies}
		if used := on[spec.Name]; used != nil {
			ns.CPUMHz, ns.MemoryMiB = used.CPUMHz, used.MemoryMiB
		}
		ns.StorageMiB.Used = v.ledger.usage(spec.Name).DiskGiB * mibPerGiB
		limits := spec.Resources
		ns.CPUMHz.Capacity, ns.MemoryMiB.Capacity, ns.StorageMiB.Capacity = limits.CPULimitMHz, limits.MemoryLimitMiB, limits.StorageLimitMiB
		site.Namespaces = append(site.Namespaces, ns)
	}
	return site
}

// mibPerGiB: disks have whole GiB.
const mibPerGiB = 1024

// freeGiB is the room left of a datastore.
func (l *ledger) freeGiB(datastore string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disks[datastore].freeGiB
}

func (l *ledger) inMaintenance(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hosts[host].maintenance
}
