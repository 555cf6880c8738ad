package vsphere_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/reconcile/vsphere"
)

func vmOf(admin *vim25.Client, moid string) *object.VirtualMachine {
	return object.NewVirtualMachine(admin, types.ManagedObjectReference{Type: "VirtualMachine", Value: moid})
}

func waited(t *testing.T, task *object.Task, err error) {
	t.Helper()
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestEventsTellWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	moid := makeVM(t, s.VCenter, "prod-1")
	c := s.dial(t, vsphere.Config{})
	if _, err := c.Inventory(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := s.admin(t)
	vm := vmOf(admin, moid)
	since := time.Now()
	task, err := vm.PowerOff(t.Context())
	waited(t, task, err)
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: "mine"})
	waited(t, task, err)
	task, err = vm.Destroy(t.Context())
	waited(t, task, err)
	if _, err := c.Inventory(t.Context()); err != nil { // the machine is gone from it, its folder is still known
		t.Fatal(err)
	}
	events, err := c.Events(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Type)
		if e.User != `LAB\alice` || e.MoID != moid || e.VM != "prod-1" || !strings.HasSuffix(e.Folder, "/team-a/prod") || e.Time.Before(since) || e.Message == "" {
			t.Errorf("event %+v", e)
		}
	}
	if want := []string{"VmPoweredOffEvent", "VmReconfiguredEvent", "VmRemovedEvent"}; !slices.Equal(kinds, want) {
		t.Errorf("events %q, want %q", kinds, want)
	}
	if all, err := c.Events(t.Context(), time.Time{}); err != nil || len(all) <= len(events) {
		t.Errorf("%d events since ever, %v; want those of the creation as well", len(all), err)
	}
	if later, err := c.Events(t.Context(), time.Now().Add(time.Hour)); err != nil || len(later) != 0 {
		t.Errorf("%d events of the future, %v", len(later), err)
	}
	closed(t, c)
}

func TestEventsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	moid := makeVM(t, s.VCenter, "prod-1")
	since := time.Now()
	for range 240 { // vcsim keeps 1000 events, of which half are read here
		if _, err := s.PowerOff(moid); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PowerOn(moid); err != nil {
			t.Fatal(err)
		}
	}
	c := s.dial(t, vsphere.Config{})
	events, err := c.Events(t.Context(), since)
	if err != nil || len(events) != 480 {
		t.Errorf("%d events, %v; want 480", len(events), err)
	}
	if !slices.IsSortedFunc(events, func(a, b vsphere.Event) int { return a.Time.Compare(b.Time) }) {
		t.Error("the events are not in order")
	}
	if made, gone := s.count("CreateCollectorForEvents"), s.count("DestroyCollector"); made != 1 || gone != 1 {
		t.Errorf("%d collectors made and %d destroyed", made, gone)
	}
	closed(t, c)
}

// Each call is the one after which the session ends, and the collector with it.
func TestASessionThatEndsWhileReadingEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	makeVM(t, s.VCenter, "prod-1")
	admin := s.admin(t)
	for _, at := range []string{"CreateCollectorForEvents", "ReadNextEvents"} {
		c := s.dial(t, vsphere.Config{})
		s.follow(func(call string) {
			if call == at {
				s.follow(nil)
				terminate(t, admin)
			}
		})
		if events, err := c.Events(t.Context(), time.Time{}); err != nil || len(events) == 0 {
			t.Errorf("the session ended after %s: %d events, %v", at, len(events), err)
		}
		closed(t, c)
	}
}

func TestFailedTasksSayWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	moid := makeVM(t, s.VCenter, "prod-1")
	c := s.dial(t, vsphere.Config{})
	if tasks, err := c.FailedTasks(t.Context()); err != nil || len(tasks) != 0 {
		t.Fatalf("got %+v, %v before anything failed", tasks, err)
	}
	admin := s.admin(t)
	started, err := methods.PowerOnVM_Task(t.Context(), admin, &types.PowerOnVM_Task{This: vmOf(admin, moid).Reference()})
	if err != nil {
		t.Fatal(err)
	}
	if err := object.NewTask(admin, started.Returnval).Wait(t.Context()); err == nil {
		t.Fatal("a machine was powered on twice")
	}
	tasks, err := c.FailedTasks(t.Context())
	if err != nil || len(tasks) != 1 {
		t.Fatalf("got %+v, %v; want one task", tasks, err)
	}
	got := tasks[0] // vcsim has its own name for every user, and an identifier for the name of the machine
	if got.Fault != "InvalidPowerState" || got.MoID != moid || got.VM == "" || got.User == "" || got.Ended.IsZero() || !strings.Contains(got.Name, "PowerOn") {
		t.Errorf("got %+v", got)
	}
	closed(t, c)
}
