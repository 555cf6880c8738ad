package vcenter

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// group is a folder with one resource pool per zone, as the Supervisor makes
// them for a vSphere Namespace and for a cluster in it (domain.md 5.1).
type group struct {
	folder types.ManagedObjectReference
	pools  map[string]types.ManagedObjectReference // by zone name
	names  map[string]bool                         // of the VMs that we made in it
}

// groupKey names a group; without a cluster it is the namespace's own.
type groupKey struct{ namespace, cluster string }

func (g *group) placement() Placement {
	p := Placement{FolderMoID: g.folder.Value, PoolMoIDs: map[string]string{}}
	for zone, ref := range g.pools {
		p.PoolMoIDs[zone] = ref.Value
	}
	return p
}

// MakeNamespace makes the folder and, per zone, the resource pool of a vSphere
// Namespace. It returns the ones that are there when called again.
func (v *VCenter) MakeNamespace(name string) (Placement, error) {
	v.direct.Lock()
	defer v.direct.Unlock()
	g, err := v.makeGroup(groupKey{namespace: name})
	if err != nil {
		return Placement{}, fmt.Errorf("making folder and pools of namespace %s: %w", name, err)
	}
	return g.placement(), nil
}

// MakeClusterFolder makes folder and pools of a cluster below those of its
// namespace, which it makes when they are missing.
func (v *VCenter) MakeClusterFolder(ns, cluster string) (Placement, error) {
	v.direct.Lock()
	defer v.direct.Unlock()
	g, err := v.makeGroup(groupKey{ns, cluster})
	if err != nil {
		return Placement{}, fmt.Errorf("making folder and pools of cluster %s/%s: %w", ns, cluster, err)
	}
	return g.placement(), nil
}

// RemoveClusterFolder removes folder and pools of a cluster. It fails while a VM
// is in them, and does nothing when they are not there.
func (v *VCenter) RemoveClusterFolder(ns, cluster string) error {
	v.direct.Lock()
	defer v.direct.Unlock()
	if err := v.removeGroup(groupKey{ns, cluster}); err != nil {
		return fmt.Errorf("removing folder and pools of cluster %s/%s: %w", ns, cluster, err)
	}
	return nil
}

// makeGroup finds or makes a group; the caller holds direct.
func (v *VCenter) makeGroup(f groupKey) (*group, error) {
	if g, ok := v.groups[f]; ok {
		return g, nil
	}
	name := f.namespace
	parent := &group{folder: v.site.namespaces, pools: map[string]types.ManagedObjectReference{}}
	for zone, z := range v.site.zones {
		parent.pools[zone] = z.namespaces
	}
	if f.cluster != "" {
		name = f.cluster
		var err error
		if parent, err = v.makeGroup(groupKey{namespace: f.namespace}); err != nil {
			return nil, err
		}
	}
	ctx := v.context()
	folder, err := v.createFolder(ctx, parent.folder, name)
	if err != nil {
		return nil, err
	}
	g := &group{folder: folder, pools: map[string]types.ManagedObjectReference{}, names: map[string]bool{}}
	for _, zone := range v.inv.ZoneNames() {
		if g.pools[zone], err = v.createPool(ctx, parent.pools[zone], name); err != nil {
			return nil, err
		}
	}
	v.groups[f] = g
	return g, nil
}

func (v *VCenter) removeGroup(f groupKey) error {
	g, ok := v.groups[f]
	if !ok {
		return nil
	}
	folder, err := find[*simulator.Folder](v, g.folder)
	if err != nil {
		return err
	}
	ctx := v.context()
	if n := len(folder.ChildEntity); n > 0 {
		return fmt.Errorf("%d objects are still in folder %s", n, g.folder.Value)
	}
	for _, zone := range slices.Sorted(maps.Keys(g.pools)) {
		if err := v.removePool(ctx, g.pools[zone]); err != nil {
			return err
		}
	}
	if err := v.removeFolder(ctx, folder); err != nil {
		return err
	}
	delete(v.groups, f)
	return nil
}

func (v *VCenter) createFolder(ctx *simulator.Context, parent types.ManagedObjectReference, name string) (ref types.ManagedObjectReference, err error) {
	folder, err := find[*simulator.Folder](v, parent)
	if err != nil {
		return ref, err
	}
	v.registry.WithLock(ctx, folder.Self, func() {
		made := folder.CreateFolder(ctx, &types.CreateFolder{This: parent, Name: name})
		if made.Fault() != nil {
			err = faultError("creating folder "+name, made)
			return
		}
		ref = made.(*methods.CreateFolderBody).Res.Returnval
	})
	return ref, err
}

func (v *VCenter) removeFolder(ctx *simulator.Context, folder *simulator.Folder) error {
	parent, err := find[*simulator.Folder](v, *folder.Parent)
	if err != nil {
		return err
	}
	v.registry.WithLock(ctx, parent.Self, func() { simulator.RemoveReference(&parent.ChildEntity, folder.Self) })
	v.registry.Remove(ctx, folder.Self)
	return nil
}

// createPool makes a resource pool with the default configuration. It does what
// vcsim's CreateResourcePool does, except that there all pools of the process
// share one summary.
func (v *VCenter) createPool(ctx *simulator.Context, parent types.ManagedObjectReference, name string) (types.ManagedObjectReference, error) {
	up, err := find[*simulator.ResourcePool](v, parent)
	if err != nil {
		return types.ManagedObjectReference{}, err
	}
	config := types.DefaultResourceConfigSpec()
	pool := &simulator.ResourcePool{}
	pool.Name = name
	pool.Owner = up.Owner
	pool.Config = config
	pool.Summary = &types.ResourcePoolSummary{Name: name, Config: config}
	v.registry.WithLock(ctx, up.Self, func() {
		v.registry.PutEntity(up, v.registry.NewEntity(pool))
		// Clipped, because vcsim appends to the list where it only means to read it.
		up.ResourcePool.ResourcePool = slices.Clip(append(up.ResourcePool.ResourcePool, pool.Self))
	})
	return pool.Self, nil
}

func (v *VCenter) removePool(ctx *simulator.Context, ref types.ManagedObjectReference) error {
	pool, err := find[*simulator.ResourcePool](v, ref)
	if err != nil {
		return err
	}
	up, err := find[*simulator.ResourcePool](v, *pool.Parent)
	if err != nil {
		return err
	}
	v.registry.WithLock(ctx, up.Self, func() {
		simulator.RemoveReference(&up.ResourcePool.ResourcePool, ref)
	})
	v.registry.Remove(ctx, ref)
	return nil
}
