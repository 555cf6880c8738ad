package vsphere

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// Event is something that happened to a virtual machine, and who did it.
type Event struct {
	Time time.Time
	User string // VSPHERE.LOCAL\alice; empty when vCenter did it itself
	Type string // the name in vCenter's API: VmPoweredOffEvent
	VM   string // the name of the machine at that time
	MoID string
	// Folder is the inventory path of the machine's folder when it was observed
	// last; empty when it never was.
	Folder  string
	Message string
}

// eventTypes are what says who changed a machine (vim.event.*), including the
// events that embed them.
var eventTypes = []string{
	"VmPoweredOnEvent", "VmPoweredOffEvent", "VmSuspendedEvent", "VmResettingEvent", "VmGuestShutdownEvent", "VmGuestRebootEvent",
	"VmCreatedEvent", "VmRegisteredEvent", "VmRemovedEvent", "VmClonedEvent", "VmDeployedEvent",
	"VmReconfiguredEvent", "VmRenamedEvent", "VmMigratedEvent", "VmRelocatedEvent", "DrsVmMigratedEvent", "DrsVmPoweredOnEvent",
	"VmResourcePoolMovedEvent", "VmResourceReallocatedEvent", "VmOrphanedEvent", "VmDisconnectedEvent", "VmFailedToPowerOnEvent", "VmFailedToPowerOffEvent",
	"VmFailedRelayoutEvent", "VmFailedMigrateEvent", "VmDiskFailedEvent", "VmNoNetworkAccessEvent", "VmInstanceUuidChangedEvent",
	"VmRestartedOnAlternateHostEvent", "VmFailoverFailed",
}

// eventPage is how many events one call reads.
const eventPage = 200

// Events reads what happened to virtual machines since a time, the oldest first.
func (c *Client) Events(ctx context.Context, since time.Time) ([]Event, error) {
	events, err := c.events(ctx, since)
	if _, gone := faultOf(err).(*types.ManagedObjectNotFound); gone { // the collector, with the session it belonged to
		events, err = c.events(ctx, since)
	}
	return events, c.wrap("reading the events of virtual machines", err)
}

func (c *Client) events(ctx context.Context, since time.Time) (out []Event, err error) {
	collector, err := methods.CreateCollectorForEvents(ctx, c.vim, &types.CreateCollectorForEvents{
		This: *c.vim.ServiceContent.EventManager,
		Filter: types.EventFilterSpec{
			Entity:      &types.EventFilterSpecByEntity{Entity: c.vim.ServiceContent.RootFolder, Recursion: types.EventFilterSpecRecursionOptionAll},
			Time:        &types.EventFilterSpecByTime{BeginTime: &since},
			EventTypeId: eventTypes,
		},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		_, closing := methods.DestroyCollector(ctx, c.vim, &types.DestroyCollector{This: collector.Returnval})
		if err == nil {
			err = closing
		}
	}()
	// A new collector stands before its oldest event.
	for {
		page, err := methods.ReadNextEvents(ctx, c.vim, &types.ReadNextEvents{This: collector.Returnval, MaxCount: eventPage})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Returnval {
			if found, ok := c.event(e); ok {
				out = append(out, found)
			}
		}
		if len(page.Returnval) == 0 {
			slices.SortStableFunc(out, func(a, b Event) int { return a.Time.Compare(b.Time) })
			return out, nil
		}
	}
}

// event is e, when it is about a machine.
func (c *Client) event(e types.BaseEvent) (Event, bool) {
	all := e.GetEvent()
	if all.Vm == nil {
		return Event{}, false
	}
	return Event{
		Time: all.CreatedTime, User: all.UserName, Type: reflect.TypeOf(e).Elem().Name(),
		VM: all.Vm.Name, MoID: all.Vm.Vm.Value, Folder: c.folderOf(all.Vm.Vm.Value), Message: c.hide(all.FullFormattedMessage),
	}, true
}

// folderOf is where a machine was when it was observed last.
func (c *Client) folderOf(moid string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.folders[moid]
}

// forgetGone is how many machines that are gone are remembered at most, for the
// events that tell who removed them.
const forgetGone = 5000

// remember keeps where machines are. It is called with mu held.
func (c *Client) remember(vms []VM) {
	if len(c.folders) > len(vms)+forgetGone {
		c.folders = map[string]string{}
	}
	for _, vm := range vms {
		c.folders[vm.MoID] = vm.Folder
	}
}

// Task is what vCenter did or tried for a virtual machine lately.
type Task struct {
	Name  string // of the API's method: PowerOnVM_Task
	VM    string
	MoID  string
	User  string // who asked for it; empty when vCenter did
	Fault string // the name of the fault in vCenter's API: InsufficientResourcesFault
	// Message is the fault in vCenter's words.
	Message string
	Ended   time.Time
}

// FailedTasks are the tasks on virtual machines that vCenter keeps in its list of
// recent ones and that failed, the oldest first. That list reaches back about
// ten minutes.
func (c *Client) FailedTasks(ctx context.Context) ([]Task, error) {
	tasks, err := c.failedTasks(ctx)
	if _, gone := faultOf(err).(*types.ManagedObjectNotFound); gone { // it left the list between the two reads
		tasks, err = c.failedTasks(ctx)
	}
	return tasks, c.wrap("reading the recent tasks", err)
}

func (c *Client) failedTasks(ctx context.Context) ([]Task, error) {
	manager := *c.vim.ServiceContent.TaskManager
	found, err := c.retrieve(ctx, of([]types.ManagedObjectReference{manager}, manager.Type, "recentTask"))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	refs := property[types.ArrayOfManagedObjectReference](found[0], "recentTask").ManagedObjectReference
	if len(refs) == 0 {
		return nil, nil
	}
	infos, err := c.retrieve(ctx, of(refs, "Task", "info"))
	if err != nil {
		return nil, err
	}
	var out []Task
	for _, p := range infos {
		info := property[types.TaskInfo](p, "info")
		if info.State != types.TaskInfoStateError || info.Entity == nil || info.Entity.Type != "VirtualMachine" {
			continue
		}
		t := Task{Name: info.Name, VM: info.EntityName, MoID: info.Entity.Value}
		if info.Error != nil {
			t.Fault, t.Message = reflect.TypeOf(info.Error.Fault).Elem().Name(), c.hide(info.Error.LocalizedMessage)
		}
		if by, ok := info.Reason.(*types.TaskReasonUser); ok {
			t.User = by.UserName
		}
		if info.CompleteTime != nil {
			t.Ended = *info.CompleteTime
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Task) int { return cmp.Or(a.Ended.Compare(b.Ended), cmp.Compare(a.MoID, b.MoID)) })
	return out, nil
}
