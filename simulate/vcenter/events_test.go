package vcenter_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/vim25/types"
)

// TestFollowerHearsOfEventsAtOnce has a client follow events as govc events -f does,
// of which some were there before it came.
func TestFollowerHearsOfEventsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, followEvents)
}

func followEvents(t *testing.T) {
	v := start(t, lab(t, 1))
	makeVM(t, v, "team-a", "prod", "before")
	c := soapClient(t, v.Handler())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	heard := make(chan string, 10)
	done := make(chan error)
	go func() {
		root := []types.ManagedObjectReference{c.ServiceContent.RootFolder}
		done <- event.NewManager(c).Events(ctx, root, 100, true, false, func(_ types.ManagedObjectReference, list []types.BaseEvent) error {
			for _, e := range list {
				if e, ok := e.(*types.VmPoweredOnEvent); ok {
					heard <- e.Vm.Name
				}
			}
			return nil
		})
	}()
	for i, want := range []string{"before", "second", "third", "fourth"} {
		if i > 0 {
			synctest.Wait() // until the client waits for updates
			makeVM(t, v, "team-a", "prod", want)
		}
		if name := <-heard; name != want {
			t.Errorf("heard of %s, want %s", name, want)
		}
	}
	stop()
	<-done
}
