package reconcile

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// A poller asks vCenter what happened to machines for as long as a run listens:
// vCenter has no watch for that.
type poller struct {
	mu    sync.Mutex // guards what is below
	users int
	stop  context.CancelFunc
	done  chan struct{}
	err   string

	// The rest belongs to whoever polls.
	since time.Time
	seen  map[string]time.Time
}

// begin polls from now on, as often as the first who begins wants. What happened
// before is only noted.
func (p *poller) begin(ctx context.Context, h *history, every time.Duration) {
	p.mu.Lock()
	if p.users++; p.users > 1 {
		p.mu.Unlock()
		return
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	p.stop, p.done = stop, done
	p.mu.Unlock()
	p.since, p.seen = time.Now().Add(-lookBack), map[string]time.Time{}
	p.fails(p.poll(ctx, h, func(journal.VM, string) {}))
	go p.run(running, h, every, done)
}

// fails notes why vCenter could not be asked, or with nil that it could.
func (p *poller) fails(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = errorText(err)
}

// lookBack is how far the clock of vCenter may be behind.
const lookBack = 15 * time.Minute

func (p *poller) run(ctx context.Context, h *history, every time.Duration, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := p.poll(ctx, h, h.tellVM)
		if ctx.Err() != nil {
			return
		}
		p.fails(err)
	}
}

// release ends polling with the last of those who began it.
func (p *poller) release() {
	p.mu.Lock()
	last := p.users == 1
	p.users--
	p.mu.Unlock()
	if last {
		p.end()
	}
}

func (p *poller) end() {
	p.mu.Lock()
	stop, done := p.stop, p.done
	p.stop = nil
	p.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

func (p *poller) lastError() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// poll asks once and passes on what is new, by the machine's id in vCenter.
func (p *poller) poll(ctx context.Context, h *history, tell func(vm journal.VM, moid string)) error {
	events, err := h.engine.vcenter.Events(ctx, p.since)
	if err != nil {
		return err
	}
	for _, e := range events {
		op, known := operations[e.Type]
		if known && p.fresh(e.Time, e.Type, e.MoID) {
			vm := journal.VM{Op: op, Name: e.VM}
			if strings.Contains(e.Type, "Failed") {
				vm.Error = e.Message
			}
			tell(vm, e.MoID)
		}
	}
	tasks, err := h.engine.vcenter.FailedTasks(ctx)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if p.fresh(t.Ended, t.Name, t.MoID) {
			tell(journal.VM{Op: t.Name, Name: t.VM, Error: faultOf(t)}, t.MoID)
		}
	}
	p.forget()
	return nil
}

func faultOf(t vsphere.Task) string {
	if t.Message == "" {
		return t.Fault
	}
	return t.Fault + ": " + t.Message
}

// operations are the events that tell how a machine came, went or was switched, by
// the operation that leads to them. A failed one is told by its task as well.
var operations = map[string]string{
	"VmCreatedEvent": "CreateVM_Task", "VmDeployedEvent": "CreateVM_Task", "VmClonedEvent": "CreateVM_Task",
	"VmPoweredOnEvent": "PowerOnVM_Task", "DrsVmPoweredOnEvent": "PowerOnVM_Task", "VmPoweredOffEvent": "PowerOffVM_Task",
	"VmRemovedEvent": "Destroy_Task", "VmReconfiguredEvent": "ReconfigVM_Task",
	"VmMigratedEvent": "MigrateVM_Task", "DrsVmMigratedEvent": "MigrateVM_Task", "VmRelocatedEvent": "RelocateVM_Task",
	"VmFailedToPowerOnEvent": "PowerOnVM_Task", "VmFailedToPowerOffEvent": "PowerOffVM_Task", "VmFailedMigrateEvent": "MigrateVM_Task",
}

func (p *poller) fresh(at time.Time, what, moid string) bool {
	key := fmt.Sprint(at.UnixNano(), what, moid)
	_, known := p.seen[key]
	p.seen[key] = at
	if at.Add(-lookBack).After(p.since) {
		p.since = at.Add(-lookBack)
	}
	return !known
}

// forget drops what vCenter will not tell again.
func (p *poller) forget() {
	for key, at := range p.seen {
		if at.Before(p.since.Add(-time.Hour)) {
			delete(p.seen, key)
		}
	}
}

// tellVM records what happened to a machine, if the Supervisor knows it.
func (h *history) tellVM(vm journal.VM, moid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.machine(moid, vm.Name)
	if u == nil {
		return
	}
	vm.Namespace, vm.Name = u.GetNamespace(), u.GetName()
	vm.Cluster, vm.PhaseID = phase.Itself(u)
	vm.Error = resource.Redact(vm.Error)
	h.tell(place{vm.Namespace, vm.Cluster}, journal.Event{VM: &vm})
}

// machine is the VirtualMachine with an id in vCenter, or else the only one of its
// name: while it is made, the Supervisor does not know the id yet.
func (h *history) machine(moid, name string) *unstructured.Unstructured {
	if u := h.machines[moid]; u != nil {
		return u
	}
	var found *unstructured.Unstructured
	for addr, u := range h.objects {
		if addr.GroupKind() != kindVM || addr.Name != name {
			continue
		}
		if found != nil {
			return nil
		}
		found = u
	}
	return found
}
