package vcenter

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vksync/vksync/simulate/inventory"
)

// The rules by which the ledger says that something fits. They are modelled:
// vCenter's own admission control depends on HA, DRS and reservations in ways
// that no reader of an inventory can know.
const (
	// overheadPercent of a host's memory is the hypervisor's.
	overheadPercent = 5
	// overcommit is how many virtual CPUs share a core where none are reserved.
	overcommit = 4
)

// ledger is who has taken what of which host and datastore. It has its own lock.
type ledger struct {
	mu    sync.Mutex
	zones []*zoneBook
	hosts map[string]*hostBook
	disks map[string]*diskBook
	// policies are the names of the datastores that comply.
	policies map[string][]string
	used     map[string]Usage // by namespace
}

// Usage is what VMs take, whether they are on or off.
type Usage struct {
	VMs, CPUs int
	MemoryMiB int64
	DiskGiB   int64
}

// Usage is what the VMs of a namespace take, for quotas to be checked against.
func (v *VCenter) Usage(namespace string) Usage { return v.ledger.usage(namespace) }

func (l *ledger) usage(namespace string) Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used[namespace]
}

// total is what all VMs take.
func (l *ledger) total() (sum Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.used {
		sum = Usage{sum.VMs + u.VMs, sum.CPUs + u.CPUs, sum.MemoryMiB + u.MemoryMiB, sum.DiskGiB + u.DiskGiB}
	}
	return sum
}

type zoneBook struct {
	name  string
	hosts []*hostBook // by name
	disks []*diskBook // mounted by the zone's hosts, by name
	// vms counts the VMs of each namespace in the zone.
	vms map[string]int
}

type hostBook struct {
	name, zone  string
	memoryMiB   int64 // that VMs may use
	usedMiB     int64
	shares      int // overcommit per core
	usedShares  int
	maintenance bool
}

type diskBook struct {
	name    string
	freeGiB int64
}

func newLedger(inv *inventory.Inventory) *ledger {
	l := &ledger{hosts: map[string]*hostBook{}, disks: map[string]*diskBook{}, policies: map[string][]string{}, used: map[string]Usage{}}
	for _, d := range inv.Spec.Datastores {
		l.disks[d.Name] = &diskBook{name: d.Name, freeGiB: d.Free()}
	}
	for _, p := range inv.Spec.StoragePolicies {
		l.policies[p.Name] = p.Datastores
	}
	for _, z := range inv.Spec.Zones {
		book := &zoneBook{name: z.Name, vms: map[string]int{}}
		for _, h := range z.Hosts {
			host := &hostBook{
				name: h.Name, zone: z.Name, maintenance: h.Maintenance,
				memoryMiB: h.MemoryMiB * (100 - overheadPercent) / 100,
				shares:    h.Cores * overcommit,
			}
			book.hosts = append(book.hosts, host)
			l.hosts[h.Name] = host
		}
		for _, d := range inv.Spec.Datastores {
			if slices.Contains(d.Zones, z.Name) {
				book.disks = append(book.disks, l.disks[d.Name])
			}
		}
		slices.SortFunc(book.hosts, func(a, b *hostBook) int { return strings.Compare(a.name, b.name) })
		slices.SortFunc(book.disks, func(a, b *diskBook) int { return strings.Compare(a.name, b.name) })
		l.zones = append(l.zones, book)
	}
	slices.SortFunc(l.zones, func(a, b *zoneBook) int { return strings.Compare(a.name, b.name) })
	return l
}

// need is what one VM takes.
type need struct {
	namespace string
	cpus      int
	memoryMiB int64
	shares    int
	diskGiB   int64
}

// needOf turns virtual CPUs into shares: a reserved one takes a whole core.
func needOf(namespace string, cpus int, memoryMiB, diskGiB int64, reserved bool) need {
	n := need{namespace: namespace, cpus: cpus, memoryMiB: memoryMiB, shares: cpus, diskGiB: diskGiB}
	if reserved {
		n.shares *= overcommit
	}
	return n
}

// take books n at s, or says why it does not fit there. Where force is set it
// always fits: a restored VM is where it is.
func (l *ledger) take(n need, s Spot, force bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	zone, host, disk, err := l.at(s)
	if err != nil {
		return err
	}
	if !force {
		if reason, missing := host.lacks(n); reason != "" {
			return &PlaceError{Reason: reason, Message: fmt.Sprintf("%s: %s", host.name, missing)}
		}
		if disk.freeGiB < n.diskGiB {
			return &PlaceError{Reason: InsufficientStorage, Message: fmt.Sprintf("%s: free space %d GiB, needed %d GiB", disk.name, disk.freeGiB, n.diskGiB)}
		}
	}
	l.book(zone, host, disk, n, 1)
	return nil
}

// give frees what take booked.
func (l *ledger) give(n need, s Spot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if zone, host, disk, err := l.at(s); err == nil {
		l.book(zone, host, disk, n, -1)
	}
}

func (l *ledger) book(zone *zoneBook, host *hostBook, disk *diskBook, n need, sign int) {
	host.usedMiB += int64(sign) * n.memoryMiB
	host.usedShares += sign * n.shares
	disk.freeGiB -= int64(sign) * n.diskGiB
	zone.vms[n.namespace] += sign
	u := l.used[n.namespace]
	l.used[n.namespace] = Usage{
		VMs: u.VMs + sign, CPUs: u.CPUs + sign*n.cpus,
		MemoryMiB: u.MemoryMiB + int64(sign)*n.memoryMiB, DiskGiB: u.DiskGiB + int64(sign)*n.diskGiB,
	}
}

func (l *ledger) at(s Spot) (*zoneBook, *hostBook, *diskBook, error) {
	host, ok := l.hosts[s.Host]
	if !ok {
		return nil, nil, nil, &PlaceError{Reason: NoHost, Message: fmt.Sprintf("host %q is not in the inventory", s.Host)}
	}
	zone := l.zone(host.zone)
	if s.Zone != zone.name {
		return nil, nil, nil, &PlaceError{Reason: ZoneNotFound, Message: fmt.Sprintf("host %s is in zone %s, not in %q", host.name, zone.name, s.Zone)}
	}
	disk, ok := l.disks[s.Datastore]
	if !ok || !slices.Contains(zone.disks, disk) {
		return nil, nil, nil, &PlaceError{Reason: InsufficientStorage, Message: fmt.Sprintf("datastore %q is not mounted by host %s", s.Datastore, host.name)}
	}
	return zone, host, disk, nil
}

func (l *ledger) zone(name string) *zoneBook {
	for _, z := range l.zones {
		if z.name == name {
			return z
		}
	}
	return nil
}

// spotOf completes a host and a datastore that a client named to a Spot.
func (l *ledger) spotOf(host, datastore string) Spot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Spot{Host: host, Datastore: datastore}
	if h, ok := l.hosts[host]; ok {
		s.Zone = h.zone
	}
	return s
}

// fits reports whether take would succeed, without booking.
func (l *ledger) fits(n need, s Spot) error {
	if err := l.take(n, s, false); err != nil {
		return err
	}
	l.give(n, s)
	return nil
}

func (l *ledger) setMaintenance(host string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.hosts[host]; ok {
		h.maintenance = on
	}
}

// resting reports whether a host is in maintenance, or is none.
func (l *ledger) resting(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.hosts[host]
	return !ok || h.maintenance
}

func (h *hostBook) freeMiB() int64  { return h.memoryMiB - h.usedMiB }
func (h *hostBook) freeShares() int { return h.shares - h.usedShares }

// lacks says what a host has too little of; the reason is "" when n fits.
func (h *hostBook) lacks(n need) (reason, missing string) {
	switch {
	case h.maintenance:
		return NoHost, "in maintenance"
	case h.freeMiB() < n.memoryMiB:
		return InsufficientMemory, fmt.Sprintf("free memory %s, needed %s", gib(h.freeMiB()), gib(n.memoryMiB))
	case h.freeShares() < n.shares:
		return InsufficientCPU, fmt.Sprintf("free CPU %s cores, needed %s", cores(h.freeShares()), cores(n.shares))
	}
	return "", ""
}

// gib writes MiB as GiB with one decimal where there is one.
func gib(mib int64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(mib)/1024), ".0") + " GiB"
}

// cores writes shares as cores.
func cores(shares int) string {
	text := fmt.Sprintf("%.2f", float64(shares)/overcommit)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
