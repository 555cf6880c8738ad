package vcenter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The reasons of a PlaceError.
const (
	ZoneNotFound          = "ZoneNotFound"
	StoragePolicyNotFound = "StoragePolicyNotFound"
	InsufficientMemory    = "InsufficientMemory"
	InsufficientCPU       = "InsufficientCPU"
	InsufficientStorage   = "InsufficientStorage"
	NoHost                = "NoHost"                // every host of the zone is in maintenance, or there is none
	InsufficientResources = "InsufficientResources" // the zones lack different things
)

// Place finds the spot for a VM: the host with the most free memory in the zone
// that has the fewest VMs of the namespace and has room, and there the datastore
// with the most free space; names decide between equals. Nothing is booked.
// The error is a *PlaceError. It costs one look at each host.
func (v *VCenter) Place(r PlaceRequest) (Spot, error) { return v.ledger.place(r) }

func (l *ledger) place(r PlaceRequest) (Spot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	zones, err := l.candidates(r)
	if err != nil {
		return Spot{}, err
	}
	n := needOf(r.Namespace, r.CPUs, r.MemoryMiB, r.DiskGiB, r.Reserved)
	var shortages []shortage
	for _, zone := range zones {
		host, lack := zone.bestHost(n)
		disk, diskLack := zone.bestDisk(n, r.StoragePolicy, l.policies)
		if host != nil && disk != nil {
			return Spot{Zone: zone.name, Host: host.name, Datastore: disk.name}, nil
		}
		if host == nil {
			shortages = append(shortages, shortage{zone.name, lack.reason, lack.missing})
		} else {
			shortages = append(shortages, shortage{zone.name, diskLack.reason, diskLack.missing})
		}
	}
	return Spot{}, placeError(shortages)
}

// shortage is why a zone has no spot.
type shortage struct{ zone, reason, missing string }

// placeError puts the shortages of all zones into words, in the order of their names.
func placeError(shortages []shortage) error {
	slices.SortFunc(shortages, func(a, b shortage) int { return cmp.Compare(a.zone, b.zone) })
	e := &PlaceError{Reason: shortages[0].reason}
	var words []string
	for _, s := range shortages {
		if s.reason != e.Reason {
			e.Reason = InsufficientResources
		}
		words = append(words, s.zone+": "+s.missing)
	}
	e.Message = strings.Join(words, "; ")
	return e
}

// candidates are the zones asked for, the one with the fewest VMs of the namespace first.
func (l *ledger) candidates(r PlaceRequest) ([]*zoneBook, error) {
	if _, known := l.policies[r.StoragePolicy]; !known && r.StoragePolicy != "" {
		return nil, &PlaceError{Reason: StoragePolicyNotFound, Message: fmt.Sprintf("storage policy %q is not in the inventory", r.StoragePolicy)}
	}
	if r.Zone != "" {
		if zone := l.zone(r.Zone); zone != nil {
			return []*zoneBook{zone}, nil
		}
		return nil, &PlaceError{Reason: ZoneNotFound, Message: fmt.Sprintf("zone %q is not in the inventory", r.Zone)}
	}
	zones := slices.Clone(l.zones)
	slices.SortStableFunc(zones, func(a, b *zoneBook) int {
		return cmp.Compare(a.vms[r.Namespace], b.vms[r.Namespace])
	})
	return zones, nil
}

// bestHost is the host with room and the most free memory, or what all of them lack.
func (z *zoneBook) bestHost(n need) (*hostBook, shortage) {
	var best *hostBook
	var usable int
	var memory int64
	var shares int
	for _, h := range z.hosts {
		if h.maintenance {
			continue
		}
		usable++
		memory, shares = max(memory, h.freeMiB()), max(shares, h.freeShares())
		if reason, _ := h.lacks(n); reason == "" && (best == nil || h.freeMiB() > best.freeMiB()) {
			best = h
		}
	}
	hosts := fmt.Sprintf("%d hosts", usable)
	if usable == 1 {
		hosts = "1 host"
	}
	if usable < len(z.hosts) {
		hosts = fmt.Sprintf("%d of %d hosts not in maintenance", usable, len(z.hosts))
	}
	switch {
	case best != nil:
		return best, shortage{}
	case usable == 0:
		return nil, shortage{reason: NoHost, missing: hosts}
	case memory < n.memoryMiB:
		return nil, shortage{reason: InsufficientMemory, missing: fmt.Sprintf("%s, largest free memory %s, needed %s", hosts, gib(memory), gib(n.memoryMiB))}
	case shares < n.shares:
		return nil, shortage{reason: InsufficientCPU, missing: fmt.Sprintf("%s, most free CPU %s cores, needed %s", hosts, cores(shares), cores(n.shares))}
	}
	return nil, shortage{reason: InsufficientCPU, missing: fmt.Sprintf("%s, none with %s of memory and %s cores free at once", hosts, gib(n.memoryMiB), cores(n.shares))}
}

// bestDisk is the complying datastore with the most free space, or what is missing.
func (z *zoneBook) bestDisk(n need, policy string, policies map[string][]string) (*diskBook, shortage) {
	var best *diskBook
	for _, d := range z.disks {
		if policy != "" && !slices.Contains(policies[policy], d.name) {
			continue
		}
		if best == nil || d.freeGiB > best.freeGiB {
			best = d
		}
	}
	of := ""
	if policy != "" {
		of = fmt.Sprintf(" that complies with storage policy %s", policy)
	}
	switch {
	case best == nil:
		return nil, shortage{reason: InsufficientStorage, missing: "no datastore" + of}
	case best.freeGiB < n.diskGiB:
		return nil, shortage{reason: InsufficientStorage, missing: fmt.Sprintf("largest free space of a datastore%s %d GiB, needed %d GiB", of, best.freeGiB, n.diskGiB)}
	}
	return best, shortage{}
}
