package vsphere

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// vmGate is read of every VM each time: what changes without config.changeVersion,
// and config.changeVersion itself, which tells whether vmDetails changed.
var vmGate = []string{
	"name", "parent", "runtime.host", "runtime.powerState", "runtime.connectionState",
	"summary.guest.ipAddress", "config.template", "config.changeVersion",
}

// vmDetailPaths are read only of VMs whose config.changeVersion is new.
var vmDetailPaths = []string{"config.hardware.numCPU", "config.hardware.memoryMB", "config.instanceUuid", "datastore"}

// viewPaths are what is read of everything in the inventory, by type. On a large
// vCenter the paths decide what an observation costs, so there are few.
var viewPaths = []types.PropertySpec{
	{Type: "Datacenter", PathSet: []string{"name", "parent"}},
	{Type: "Folder", PathSet: []string{"name", "parent"}},
	{Type: "ClusterComputeResource", PathSet: []string{"name", "datastore"}},
	{Type: "HostSystem", PathSet: []string{
		"name", "parent", "runtime.inMaintenanceMode", "runtime.connectionState",
		"summary.hardware.numCpuCores", "summary.hardware.cpuMhz", "summary.hardware.memorySize",
	}},
	{Type: "Datastore", PathSet: []string{"name", "summary.capacity", "summary.freeSpace", "summary.accessible", "summary.multipleHostAccess"}},
	{Type: "VirtualMachine", PathSet: vmGate},
}

// vmDetails is what vmDetailPaths said at a changeVersion.
type vmDetails struct {
	version      string
	cpus         int32
	memoryMB     int32
	instanceUUID string
	datastores   []types.ManagedObjectReference
}

// Inventory observes the vCenter. A second call reads of each VM a few cheap
// properties only, and the rest of those that were reconfigured since.
func (c *Client) Inventory(ctx context.Context) (*Observed, error) {
	o, err := c.inventory(ctx)
	return o, c.wrap("observing the inventory", err)
}

func (c *Client) inventory(ctx context.Context) (*Observed, error) {
	o, err := c.site(ctx)
	if err != nil {
		return nil, err
	}
	if o.VMClasses, err = c.vmClasses(ctx); err != nil {
		return nil, err
	}
	policies, err := c.policies(ctx)
	if err != nil {
		return nil, err
	}
	libraries, err := c.libraryNames(ctx)
	if err != nil {
		return nil, err
	}
	o.StoragePolicies, o.Libraries = policies.sorted(), libraries.sorted()
	return o, nil
}

// Site observes what machines run on, and the machines: of an Inventory the
// Supervisors, Hosts, Datastores and VMs.
func (c *Client) Site(ctx context.Context) (*Observed, error) {
	o, err := c.site(ctx)
	return o, c.wrap("observing the site", err)
}

func (c *Client) site(ctx context.Context) (*Observed, error) {
	o := &Observed{Version: c.vim.ServiceContent.About.Version}
	supervisors, err := c.supervisors(ctx)
	if err != nil {
		return nil, err
	}
	tree, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	o.Supervisors = tree.supervisors(supervisors)
	o.Hosts, o.Datastores, o.VMs = tree.hosts(o.Supervisors), tree.datastores(o.Supervisors), tree.vms()
	c.mu.Lock()
	c.remember(o.VMs)
	c.mu.Unlock()
	return o, nil
}

// read looks at all objects. It looks a second time when the session had ended,
// since the view ended with it, or when a VM went away between the two reads.
func (c *Client) read(ctx context.Context) (*tree, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.session.logins()
	t, err := c.readOnce(ctx)
	if lostSession(err) {
		if err := c.session.renew(ctx, before); err != nil {
			return nil, err
		}
		return c.readOnce(ctx)
	}
	if _, deleted := faultOf(err).(*types.ManagedObjectNotFound); deleted {
		return c.readOnce(ctx)
	}
	return t, err
}

func (c *Client) readOnce(ctx context.Context) (*tree, error) {
	found, err := c.readView(ctx)
	if err != nil {
		return nil, err
	}
	t := &tree{objects: map[types.ManagedObjectReference]properties{}}
	for _, p := range found {
		if property[string](p, "name") == "" {
			return nil, &missingError{ref: p.ref, path: "name", fault: new(types.NotFound)}
		}
		t.objects[p.ref] = p
	}
	if err := c.refreshDetails(ctx, t); err != nil {
		return nil, err
	}
	t.details = maps.Clone(c.vms) // the client's own may change once the lock is released
	return t, nil
}

// readView reads viewPaths through a view that lives no longer than that: a view
// costs the server work at every change, and ends with the session anyway.
func (c *Client) readView(ctx context.Context) (found []properties, err error) {
	var kinds []string
	for _, p := range viewPaths {
		kinds = append(kinds, p.Type)
	}
	view, err := methods.CreateContainerView(ctx, c.vim, &types.CreateContainerView{
		This: *c.vim.ServiceContent.ViewManager, Container: c.vim.ServiceContent.RootFolder, Type: kinds, Recursive: true,
	})
	if err != nil {
		return nil, err
	}
	found, err = c.retrieve(ctx, inView(view.Returnval, viewPaths))
	if _, closing := methods.DestroyView(ctx, c.vim, &types.DestroyView{This: view.Returnval}); err == nil {
		err = closing
	}
	return found, err
}

// refreshDetails reads the details of VMs that are new or were reconfigured, and
// forgets those that are gone.
func (c *Client) refreshDetails(ctx context.Context, t *tree) error {
	var stale []types.ManagedObjectReference
	for ref, p := range t.objects {
		if ref.Type == "VirtualMachine" {
			known, ok := c.vms[ref]
			if version := property[string](p, "config.changeVersion"); !ok || version == "" || version != known.version {
				stale = append(stale, ref)
			}
		}
	}
	maps.DeleteFunc(c.vms, func(ref types.ManagedObjectReference, _ vmDetails) bool {
		_, there := t.objects[ref]
		return !there
	})
	if len(stale) == 0 {
		return nil
	}
	slices.SortFunc(stale, func(a, b types.ManagedObjectReference) int { return cmp.Compare(a.Value, b.Value) })
	found, err := c.retrieve(ctx, of(stale, "VirtualMachine", vmDetailPaths...))
	if err != nil {
		return err
	}
	if len(found) != len(stale) {
		return &missingError{ref: stale[0], path: "details", fault: new(types.ManagedObjectNotFound)}
	}
	for _, p := range found {
		d := vmDetails{
			version:      property[string](t.objects[p.ref], "config.changeVersion"),
			cpus:         property[int32](p, "config.hardware.numCPU"),
			memoryMB:     property[int32](p, "config.hardware.memoryMB"),
			instanceUUID: property[string](p, "config.instanceUuid"),
		}
		d.datastores = property[types.ArrayOfManagedObjectReference](p, "datastore").ManagedObjectReference
		c.vms[p.ref] = d
	}
	return nil
}

// supervisors reads the Supervisors, with managed object ids for clusters.
func (c *Client) supervisors(ctx context.Context) ([]Supervisor, error) {
	var list struct {
		Items []struct {
			Supervisor string `json:"supervisor"`
			Info       struct {
				Name             string `json:"name"`
				ConfigStatus     string `json:"config_status"`
				KubernetesStatus string `json:"kubernetes_status"`
			} `json:"info"`
		} `json:"items"`
	}
	const path = "/api/vcenter/namespace-management/supervisors/"
	if err := c.rest.call(ctx, "GET", path+"summaries", nil, &list); err != nil {
		return nil, fmt.Errorf("reading the Supervisors: %w", err)
	}
	var out []Supervisor
	for _, item := range list.Items {
		s := Supervisor{ID: item.Supervisor, Name: item.Info.Name, ConfigStatus: item.Info.ConfigStatus, KubernetesStatus: item.Info.KubernetesStatus}
		var zones []struct {
			Zone     string   `json:"zone"`
			Clusters []string `json:"clusters"`
		}
		if err := c.rest.call(ctx, "GET", path+escape(s.ID)+"/topology", nil, &zones); err != nil {
			return nil, fmt.Errorf("reading the zones of Supervisor %s: %w", s.Name, err)
		}
		for _, z := range zones {
			s.Zones = append(s.Zones, Zone{Name: z.Zone, Clusters: z.Clusters})
		}
		slices.SortFunc(s.Zones, func(a, b Zone) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Supervisor) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Supervisor finds a Supervisor by name. The error is of kind NotFound when there
// is none. Its zones name clusters by managed object id.
func (c *Client) Supervisor(ctx context.Context, name string) (Supervisor, error) {
	op := "looking for Supervisor " + name
	list, err := c.supervisors(ctx)
	if err != nil {
		return Supervisor{}, c.wrap(op, err)
	}
	var names []string
	for _, s := range list {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Supervisor{}, &Error{Op: op, Address: c.address, Kind: NotFound, Detail: fmt.Sprintf("the vCenter has %s", orNone(names))}
}

func (c *Client) vmClasses(ctx context.Context) ([]VMClass, error) {
	var list []struct {
		ID                string `json:"id"`
		CPUs              int    `json:"cpu_count"`
		MemoryMiB         int64  `json:"memory_mb"`
		MemoryReservation int    `json:"memory_reservation"`
	}
	if err := c.rest.call(ctx, "GET", "/api/vcenter/namespace-management/virtual-machine-classes", nil, &list); err != nil {
		return nil, fmt.Errorf("reading the VM classes: %w", err)
	}
	var out []VMClass
	for _, k := range list {
		out = append(out, VMClass{Name: k.ID, CPUs: k.CPUs, MemoryMiB: k.MemoryMiB, Reserved: k.MemoryReservation == 100})
	}
	slices.SortFunc(out, func(a, b VMClass) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}
