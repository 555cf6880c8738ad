package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// siteUse is what was last read of how much of a site is in use. What cannot be
// read stays as it was last; what never could be is left out of the meters. It is
// safe for concurrent use.
type siteUse struct {
	reading    sync.Mutex        // held while reading; guards what is read
	observed   *vsphere.Observed // hosts, datastores and machines; nil was never read
	namespaces namespacesRead
	quotas     []resource.Object // StoragePolicyQuotas
	pools      []resource.Object // IPPools; none where the network has no such thing

	mu sync.Mutex // guards what came of it
	// read is when the meters were made; the zero Time before.
	read   time.Time
	meters []journal.Meter
	unread []plan.Unread // what could not be read the last time
}

// namespacesRead are the vSphere Namespaces. Reading them takes a request for each,
// so it is done anew only when some came or went, and now and then.
type namespacesRead struct {
	list  []resource.Object
	names []string // of the Kubernetes Namespaces at that time
	at    time.Time
}

// limitsGood is for how long limits of vSphere Namespaces are taken for what they were.
const limitsGood = 5 * time.Minute

// Meters is how much of the site there is, and how much of it is in use, read now:
// machines that are powered on by host and by vSphere Namespace, room of datastores,
// quotas of storage, and addresses as far as the Supervisor and the Inventory of the
// last plan tell them. With an error there are the meters of what could be read, and
// of what was read before.
func (e *Engine) Meters(ctx context.Context) ([]journal.Meter, error) {
	e.use.reading.Lock()
	defer e.use.reading.Unlock()
	return e.use.refresh(ctx, e)
}

// metersSince is Meters, or those read before if they are no older than that. Health
// says what could not be read.
func (e *Engine) metersSince(ctx context.Context, age time.Duration) []journal.Meter {
	e.use.reading.Lock()
	defer e.use.reading.Unlock()
	meters := e.use.recent(age)
	if meters == nil {
		meters, _ = e.use.refresh(ctx, e)
	}
	return meters
}

// recent are the meters, if they were read and are no older than that. It waits for
// no reading.
func (u *siteUse) recent(age time.Duration) []journal.Meter {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.read.IsZero() || time.Since(u.read) > age {
		return nil
	}
	return u.meters
}

// missing is what could not be read the last time.
func (u *siteUse) missing() []plan.Unread {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.unread
}

// The parts of a reading, as Health calls them.
const (
	partSite       = "hosts and datastores"
	partNamespaces = "limits of vSphere Namespaces"
	partQuotas     = "StoragePolicyQuota.cns.vmware.com"
	partPools      = "IPPool.netoperator.vmware.com"
)

// kindQuota is listed, and kindIPPool, besides what is followed anyway.
var kindQuota = schema.GroupKind{Group: "cns.vmware.com", Kind: "StoragePolicyQuota"}

func (u *siteUse) refresh(ctx context.Context, e *Engine) ([]journal.Meter, error) {
	failed := map[string]error{}
	var mu sync.Mutex // guards failed
	var reading errgroup.Group
	part := func(name string, read func() error) {
		reading.Go(func() error {
			if err := read(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = err
			}
			return nil
		})
	}
	part(partSite, func() error {
		observed, err := e.vcenter.Site(ctx)
		if err == nil {
			u.observed = observed
		}
		return err
	})
	part(partNamespaces, func() error { return u.namespaces.refresh(ctx, e) })
	part(partQuotas, func() error { return e.list(ctx, kindQuota, &u.quotas) })
	part(partPools, func() error { return e.list(ctx, kindIPPool, &u.pools) })
	_ = reading.Wait() // what failed is in failed
	meters := u.compose(e)
	if ctx.Err() != nil {
		return meters, ctx.Err()
	}
	unread, err := mistakes(failed)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read, u.meters, u.unread = time.Now(), meters, unread
	return meters, err
}

// list reads the objects of a kind. There are none of one that is not served.
func (e *Engine) list(ctx context.Context, kind schema.GroupKind, into *[]resource.Object) error {
	list, err := e.kube.List(ctx, kind)
	var refusal *supervisor.Error
	if errors.As(err, &refusal) && refusal.Class == supervisor.NotServed {
		list, err = nil, nil
	}
	if err == nil {
		*into = list
	}
	return err
}

// mistakes are what could not be read, for Health and for who asked.
func mistakes(failed map[string]error) ([]plan.Unread, error) {
	var unread []plan.Unread
	var all []error
	for _, name := range []string{partSite, partNamespaces, partQuotas, partPools} {
		if err := failed[name]; err != nil {
			unread = append(unread, plan.Unread{Kind: "use of the site: " + name, Reason: reasonUnread(err)})
			all = append(all, fmt.Errorf("reading %s: %w", name, err))
		}
	}
	return unread, errors.Join(all...)
}

func (n *namespacesRead) refresh(ctx context.Context, e *Engine) error {
	var names []string
	for _, o := range e.cache.Objects() {
		if o.GetKind() == "Namespace" {
			names = append(names, o.GetName())
		}
	}
	slices.Sort(names)
	if !n.at.IsZero() && time.Since(n.at) < limitsGood && slices.Equal(names, n.names) {
		return nil
	}
	list, err := e.vcenter.Namespaces(ctx)
	if err == nil {
		*n = namespacesRead{list, names, time.Now()}
	}
	return err
}

// here are those of the Supervisor: a vCenter may have several.
func (n *namespacesRead) here() (out []resource.Object) {
	for _, o := range n.list {
		if _, found := slices.BinarySearch(n.names, o.GetName()); found {
			out = append(out, o)
		}
	}
	return out
}

// compose makes the meters of what was read.
func (u *siteUse) compose(e *Engine) []journal.Meter {
	var list journal.MeterList
	namespaces := u.namespaces.here()
	take := map[string]*taken{} // by vSphere Namespace
	for _, ns := range namespaces {
		take[ns.GetName()] = &taken{}
	}
	if u.observed != nil {
		addHosts(&list, u.observed, take)
		addDatastores(&list, u.observed)
	}
	for _, ns := range namespaces {
		used, limits := take[ns.GetName()], resource.Fields(ns.Object, "spec", "resources")
		if u.observed != nil {
			list.Add(quota(ns.GetName(), journal.QuotaCPU, journal.MHz, resource.Int(limits, "cpuLimitMHz"), used.mhz))
			list.Add(quota(ns.GetName(), journal.QuotaMemory, journal.MiB, resource.Int(limits, "memoryLimitMiB"), used.memoryMiB))
		}
	}
	addStorage(&list, u.quotas, namespaces)
	addAddresses(&list, e, namespaces)
	addPools(&list, u.pools)
	return list.Sorted()
}

// taken is what the machines take that are powered on.
type taken struct{ memoryMiB, mhz int64 }

func quota(namespace, name, unit string, limit, used int64) journal.Meter {
	return journal.Meter{Kind: journal.Quota, Group: namespace, Name: name, Unit: unit, Capacity: limit, Used: used}
}

// addHosts adds the hosts that machines of a Supervisor can run on, and adds up what
// the machines of its namespaces take. One that is not connected tells nothing, and
// one in maintenance has nothing to give, unless machines are still on it.
func addHosts(list *journal.MeterList, o *vsphere.Observed, namespaces map[string]*taken) {
	mhz := map[string]int64{}
	for _, h := range o.Hosts {
		mhz[h.Name] = int64(h.MHz)
	}
	on := map[string]taken{}
	for _, vm := range o.VMs {
		if !vm.On {
			continue
		}
		host := on[vm.Host]
		of := cmp.Or(namespaces[namespaceOfFolder(vm.Folder)], &taken{})
		for _, t := range []*taken{&host, of} {
			t.memoryMiB += vm.MemoryMiB
			t.mhz += int64(vm.CPUs) * mhz[vm.Host]
		}
		on[vm.Host] = host
	}
	for _, h := range o.Hosts {
		used := on[h.Name]
		if h.Zone == "" || !h.Connected || h.Maintenance && used == (taken{}) {
			continue
		}
		list.Add(journal.Meter{Kind: journal.HostMemory, Group: h.Zone, Name: h.Name, Unit: journal.MiB, Capacity: h.MemoryMiB, Used: used.memoryMiB})
		list.Add(journal.Meter{Kind: journal.HostCPU, Group: h.Zone, Name: h.Name, Unit: journal.MHz, Capacity: int64(h.Cores) * int64(h.MHz), Used: used.mhz})
	}
}

// addDatastores adds those that a Supervisor's zones mount. One that a single host
// has is for its own use, unless a machine is there nevertheless.
func addDatastores(list *journal.MeterList, o *vsphere.Observed) {
	inUse := map[string]bool{}
	for _, vm := range o.VMs {
		inUse[vm.Datastore] = true
	}
	for _, d := range o.Datastores {
		if len(d.Zones) == 0 || !d.Accessible || d.Local && !inUse[d.Name] {
			continue
		}
		list.Add(journal.Meter{Kind: journal.DatastoreRoom, Name: d.Name, Unit: journal.MiB, Capacity: d.CapacityMiB, Used: d.CapacityMiB - d.FreeMiB})
	}
}
