package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/units"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
	"golang.org/x/sync/errgroup"
)

// floor is a program of its own: it creates VMs in vcsim and powers them on, the
// fastest way that vcsim itself has, and does nothing else. It is the measure of what
// a simulation takes that has all its VMs in vcsim.
//
// The way is a direct call of the objects, by as many workers as there are
// cores, with host, pool, datastore and devices given, on a file system in
// memory, and with garbage collected a quarter as often as usual. The time is that
// of the VMs alone; the inventory is there before.
func floor() {
	vms := flag.Int("vms", 800, "how many VMs")
	flag.Parse()
	debug.SetGCPercent(400)
	log.SetOutput(io.Discard)
	took, err := raise(*vms)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(floorDocument{*vms, took.Seconds()})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// floorDocument is what floor prints.
type floorDocument struct {
	VMs     int     `json:"vms"`
	Seconds float64 `json:"seconds"` // wall
}

// raise makes so many VMs and says how long that took.
func raise(vms int) (took time.Duration, err error) {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if err := os.Setenv("TMPDIR", "/dev/shm"); err != nil {
			return 0, err
		}
	}
	model := simulator.VPX()
	model.Cluster, model.ClusterHost, model.Host, model.Machine = 3, 8, 0, 0
	defer model.Remove()
	if err := model.Create(); err != nil {
		return 0, err
	}
	l := newFloorLab(model)
	workers := runtime.GOMAXPROCS(0)
	start := time.Now()
	var running errgroup.Group
	for w := range workers {
		running.Go(func() error {
			for n := w; n < vms; n += workers {
				if err := l.raise(n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = running.Wait()
	return time.Since(start), err
}

// floorLab is where VMs are made, and what each is told of its place.
type floorLab struct {
	registry  *simulator.Registry
	session   *simulator.Session
	folder    *simulator.Folder
	hosts     []*simulator.HostSystem
	datastore string
}

func newFloorLab(model *simulator.Model) *floorLab {
	l := &floorLab{registry: model.Map(), session: model.Service.Context.Session}
	datacenter := l.registry.Any("Datacenter").(*simulator.Datacenter)
	l.folder = l.registry.Get(datacenter.VmFolder).(*simulator.Folder)
	l.datastore = l.registry.Any("Datastore").(*simulator.Datastore).Name
	for _, host := range l.registry.All("HostSystem") {
		l.hosts = append(l.hosts, host.(*simulator.HostSystem))
	}
	slices.SortFunc(l.hosts, func(a, b *simulator.HostSystem) int { return strings.Compare(a.Name, b.Name) })
	return l
}

// raise creates VM n and powers it on.
func (l *floorLab) raise(n int) error {
	host := l.hosts[n%len(l.hosts)]
	pool := l.registry.Get(*host.Parent).(*simulator.ClusterComputeResource).ResourcePool
	ctx := l.context()
	var created *methods.CreateVM_TaskBody
	l.registry.WithLock(ctx, l.folder, func() {
		created = l.folder.CreateVMTask(ctx, &types.CreateVM_Task{
			This: l.folder.Self, Config: l.spec(n), Pool: *pool, Host: &host.Self,
		}).(*methods.CreateVM_TaskBody)
	})
	made, err := l.wait(created.Res.Returnval)
	if err != nil {
		return err
	}
	vm := l.registry.Get(made.(types.ManagedObjectReference)).(*simulator.VirtualMachine)
	ctx = l.context()
	var on *methods.PowerOnVM_TaskBody
	l.registry.WithLock(ctx, vm, func() {
		on = vm.PowerOnVMTask(ctx, &types.PowerOnVM_Task{This: vm.Self}).(*methods.PowerOnVM_TaskBody)
	})
	_, err = l.wait(on.Res.Returnval)
	return err
}

// context is what every call needs anew: its address owns locks.
func (l *floorLab) context() *simulator.Context {
	return &simulator.Context{Context: context.Background(), Session: l.session, Map: l.registry}
}

// wait looks at a task until it has ended. vcsim's own wait would sleep for
// longer than the task takes.
func (l *floorLab) wait(ref types.ManagedObjectReference) (types.AnyType, error) {
	task := l.registry.Get(ref).(*simulator.Task)
	for {
		var info types.TaskInfo
		l.registry.WithLock(l.context(), task, func() { info = task.Info })
		switch info.State {
		case types.TaskInfoStateSuccess:
			return info.Result, nil
		case types.TaskInfoStateError:
			return nil, fmt.Errorf("%s of %s ended with %T", info.Name, info.EntityName, info.Error.Fault)
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// spec is VM n with its full list of devices, so that vcsim has none to find.
func (l *floorLab) spec(n int) types.VirtualMachineConfigSpec {
	name := fmt.Sprintf("vm-%05d", n)
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()
	dir := "[" + l.datastore + "] " + name + "/"

	controller := &types.ParaVirtualSCSIController{}
	controller.Key, controller.SharedBus = 1000, types.VirtualSCSISharingNoSharing
	disk := &types.VirtualDisk{CapacityInBytes: 10 * units.GB}
	disk.Key, disk.ControllerKey, disk.UnitNumber = 2000, 1000, types.NewInt32(0)
	file := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: string(types.VirtualDiskModePersistent), ThinProvisioned: types.NewBool(true)}
	file.FileName = dir + name + ".vmdk"
	disk.Backing = file
	cdrom := &types.VirtualCdrom{}
	cdrom.Key, cdrom.ControllerKey = 3000, 200
	cdrom.Backing = &types.VirtualCdromAtapiBackingInfo{}
	card := &types.VirtualVmxnet3{}
	card.Key = 4000
	card.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "VM Network"},
	}
	spec := types.VirtualMachineConfigSpec{
		Name: name, Uuid: id, InstanceUuid: id, NumCPUs: 2, MemoryMB: 4096,
		GuestId: string(types.VirtualMachineGuestOsIdentifierOther5xLinux64Guest),
		Files:   &types.VirtualMachineFileInfo{VmPathName: dir + name + ".vmx"},
	}
	for _, d := range []types.BaseVirtualDevice{controller, disk, cdrom, card} {
		change := &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: d}
		if d == types.BaseVirtualDevice(disk) {
			change.FileOperation = types.VirtualDeviceConfigSpecFileOperationCreate
		}
		spec.DeviceChange = append(spec.DeviceChange, change)
	}
	return spec
}
