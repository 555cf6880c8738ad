package vcenter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// machine is a VM as the ledger and a saved world know it.
type machine struct {
	VMState
	// foreign is a VM that a client of the SOAP API made. It takes room, but no
	// Supervisor knows it.
	foreign bool
}

func (m *machine) need() need {
	return needOf(m.Namespace, m.CPUs, m.MemoryMiB, m.DiskGiB, m.Reserved)
}

// machines are the VMs by managed object id. It has its own lock.
type machines struct {
	mu   sync.Mutex
	byID map[string]*machine
}

func newMachines() *machines { return &machines{byID: map[string]*machine{}} }

func (m *machines) add(vm *machine) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byID[vm.MoID] = vm
}

// change calls f on the VM called moid, and reports whether there is one.
func (m *machines) change(moid string, f func(*machine)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	vm, ok := m.byID[moid]
	if ok {
		f(vm)
	}
	return ok
}

func (m *machines) setPower(moid string, on bool) {
	m.change(moid, func(vm *machine) { vm.On = on })
}

func (m *machines) setGuest(moid, ip, hostname string) {
	m.change(moid, func(vm *machine) { vm.IP, vm.HostName = ip, hostname })
}

// each calls f on all VMs, in no order.
func (m *machines) each(f func(*machine)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, vm := range m.byID {
		f(vm)
	}
}

// take removes the VM called moid and returns it, or nil.
func (m *machines) take(moid string) *machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	vm := m.byID[moid]
	delete(m.byID, moid)
	return vm
}

// states lists the VMs of the Supervisor in the order of their creation.
func (m *machines) states() []VMState {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []VMState
	for _, vm := range m.byID {
		if !vm.foreign {
			out = append(out, vm.VMState)
		}
	}
	slices.SortFunc(out, func(a, b VMState) int { return cmp.Compare(serial(a.MoID), serial(b.MoID)) })
	return out
}

// serial is the number that vcsim counts up for each object: 42 of vm-42.
func serial(moid string) int64 {
	n, err := strconv.ParseInt(moid[strings.LastIndexByte(moid, '-')+1:], 10, 64)
	if err != nil {
		return -1
	}
	return n
}
