package simulate

import (
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/simulate/vcenter"
)

// meterPace is how much model time passes at least between two looks at what is in
// use. What a machine takes it takes for minutes.
const meterPace = 30 * time.Second

// metering is how the meters stood when they were told last.
type metering struct {
	told []journal.Meter
	at   time.Time
}

// Meters is what the site has and how much of it is in use now, for the Begin of a
// run that is about to start: from then on the run is told of what changes. What has
// no limit, and of which nothing is in use, is left out. It must not be called while
// the world waits or is served.
func (w *World) Meters() []journal.Meter {
	w.metering = metering{told: w.meters(), at: w.clock.Now()}
	return w.metering.told
}

// Settle tells what is in use at the end of a run.
func (w *World) Settle() { w.tellUse() }

// tellUsePaced tells how use has changed, unless that was told a moment ago or
// nothing has happened since.
func (w *World) tellUsePaced() {
	if w.changes.stirred && w.clock.Now().Sub(w.metering.at) >= meterPace {
		w.tellUse()
	}
}

func (w *World) tellUse() {
	w.changes.stirred = false
	if w.changes.later == nil {
		return
	}
	before := w.metering.told
	w.metering = metering{told: w.meters(), at: w.clock.Now()}
	if changed := journal.ChangedMeters(before, w.metering.told); len(changed) > 0 {
		at := w.metering.at
		w.changes.later(func(record func(time.Time, journal.Event)) {
			record(at, journal.Event{Usage: &journal.Usage{Meters: changed}})
		})
	}
}

// meters are in the order of journal.CompareMeters.
func (w *World) meters() []journal.Meter {
	use := w.vcenter.Use()
	var list journal.MeterList
	for _, h := range use.Hosts {
		list.Add(meter(journal.HostMemory, h.Zone, h.Name, journal.MiB, h.MemoryMiB))
		list.Add(meter(journal.HostCPU, h.Zone, h.Name, journal.MHz, h.CPUMHz))
	}
	for _, d := range use.Datastores {
		list.Add(meter(journal.DatastoreRoom, "", d.Name, journal.MiB, d.Use))
	}
	var namespaces []string
	for _, ns := range use.Namespaces {
		namespaces = append(namespaces, ns.Name)
		list.Add(meter(journal.Quota, ns.Name, journal.QuotaCPU, journal.MHz, ns.CPUMHz))
		list.Add(meter(journal.Quota, ns.Name, journal.QuotaMemory, journal.MiB, ns.MemoryMiB))
		list.Add(meter(journal.Quota, ns.Name, journal.QuotaStorage, journal.MiB, ns.StorageMiB))
		for _, p := range ns.Policies {
			used := vcenter.Use{Capacity: p.LimitMiB, Used: w.controllers.StorageUsed(ns.Name, p.Name)}
			list.Add(meter(journal.Quota, ns.Name, journal.QuotaStorage+" "+p.Name, journal.MiB, used))
		}
	}
	for _, pool := range w.controllers.Pools(namespaces) {
		switch {
		case pool.Range != "":
			list.Add(meter(journal.Addresses, "", journal.IPPool+" "+pool.Range, journal.AddressUnit, pool.Addresses))
			continue
		case pool.VPC == "":
			list.Add(meter(journal.Addresses, "", journal.LoadBalancer, journal.AddressUnit, pool.Addresses))
			continue
		}
		list.Add(meter(journal.Addresses, pool.VPC, journal.PrivateAddresses, journal.AddressUnit, pool.Addresses))
		list.Add(meter(journal.Addresses, pool.VPC, journal.PrivateSubnets, journal.SubnetUnit, pool.Subnets))
	}
	return list.Sorted()
}

func meter(kind journal.MeterKind, group, name, unit string, use vcenter.Use) journal.Meter {
	return journal.Meter{Kind: kind, Group: group, Name: name, Unit: unit, Capacity: use.Capacity, Used: use.Used}
}
