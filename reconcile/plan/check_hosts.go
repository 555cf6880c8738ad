package plan

import (
	"fmt"

	"github.com/vksync/vksync/reconcile/resource"
)

// checkHosts compares the memory of all machines with that of all hosts, and the
// largest machine with the largest host (V9). It counts every machine at its
// full size and every host not in maintenance: what fits here may still find no
// place, which only the forecast tells; what does not fit here cannot.
func (f *preflight) checkHosts(clusters []resource.Object) {
	if len(clusters) == 0 {
		return
	}
	if f.site == nil {
		f.unknown(CodeHosts, "no inventory says what the hosts have")
		return
	}
	all, largest := f.hostMemoryMiB()
	d, known := f.sum(CodeHosts, clusters, func(s size) int64 { return s.memoryMiB })
	if !known {
		return
	}
	eachPart(clusters, func(p part, machines, _ int64) {
		if each := f.sizes[p.vmClass()].memoryMiB; machines > 0 && each > largest {
			f.note(Finding{Severity: Fail, Code: CodeHosts, Hint: "choose a smaller VM class",
				Message: fmt.Sprintf("a machine of VM class %s needs %d MiB of memory; the largest host has %d", p.vmClass(), each, largest)})
		}
	})
	hint := "add hosts or ask for less"
	switch {
	case d.steady > all:
		f.note(Finding{Severity: Fail, Code: CodeHosts, Hint: hint,
			Message: fmt.Sprintf("all clusters together need %d MiB of memory; the hosts have %d", d.steady, all)})
	case d.rolling > all:
		f.note(Finding{Severity: Warn, Code: CodeHosts, Hint: hint,
			Message: fmt.Sprintf("all clusters together need %d MiB of memory, and %d while all roll; the hosts have %d", d.steady, d.rolling, all)})
	}
}

// hostMemoryMiB is the memory of all hosts that take machines, and of the largest.
func (c *catalog) hostMemoryMiB() (all, largest int64) {
	for _, zone := range resource.Items(c.site, "zones") {
		for _, host := range resource.Items(zone, "hosts") {
			if resource.Flag(host, "maintenance") {
				continue
			}
			memory := resource.Int(host, "memoryMiB")
			all, largest = all+memory, max(largest, memory)
		}
	}
	return all, largest
}
