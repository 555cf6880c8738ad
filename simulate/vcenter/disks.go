package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// disks is vcsim's manager of virtual disks, but has deleted one when it returns.
// vcsim, which destroys a VM and waits for the task that deletes its disk, would
// sleep for 10 ms before it looks whether that has ended.
type disks struct {
	simulator.VirtualDiskManager
	tasks *tasks
}

var _ simulator.VirtualDiskManagerInterface = (*disks)(nil)

// DeleteVirtualDiskTask returns the task when it has ended.
func (d *disks) DeleteVirtualDiskTask(ctx *simulator.Context, req *types.DeleteVirtualDisk_Task) soap.HasFault {
	body := d.VirtualDiskManager.DeleteVirtualDiskTask(ctx, req)
	d.tasks.await(body.(*methods.DeleteVirtualDisk_TaskBody).Res.Returnval)
	return body
}

// replaceDisks puts disks in the place of vcsim's own manager.
func (v *VCenter) replaceDisks() {
	own := v.registry.VirtualDiskManager().MO()
	v.registry.Put(&disks{VirtualDiskManager: simulator.VirtualDiskManager{VirtualDiskManager: own}, tasks: v.tasks})
}
