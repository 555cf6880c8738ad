package vcenter

import (
	"sync"

	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/types"
)

// slimMainboards has vcsim give new VMs no more than the controllers that a client
// may put something on. The devices that every other mainboard has too, such as a
// keyboard, are copied by way of XML for each VM, which is half of what a VM
// costs, and nobody looks at them.
var slimMainboards = sync.OnceFunc(func() {
	var keep []types.BaseVirtualDevice
	for _, d := range esx.VirtualDevice {
		switch d.(type) {
		case *types.VirtualIDEController, *types.VirtualPCIController:
			keep = append(keep, d)
		}
	}
	esx.VirtualDevice = keep
})
