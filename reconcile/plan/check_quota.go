package plan

import (
	"github.com/vksync/vksync/reconcile/resource"
)

// rootDiskMiB is the root disk of a node whose image says nothing else (V10).
const rootDiskMiB = 20 * 1024

// demand is what clusters ask for. rolling is with the machines that a rolling
// replacement adds.
type demand struct{ steady, rolling int64 }

func (d *demand) add(machines, more, each int64) {
	d.steady += machines * each
	d.rolling += (machines + more) * each
}

// eachPart visits every part of the clusters; more is 1 for a part that has machines.
func eachPart(clusters []resource.Object, visit func(p part, machines, more int64)) {
	for _, o := range clusters {
		for _, p := range topologyOf(o).parts() {
			visit(p, p.replicas(), min(1, p.replicas()))
		}
	}
}

// limit is a limit of a vSphere Namespace; 0 is none.
func (f *preflight) limit(namespace string, path ...string) (resource.Object, int64) {
	ns, _ := f.catalog.namespace(namespace)
	if ns.Unstructured == nil {
		return ns, 0
	}
	return ns, resource.Int(ns.Object, append([]string{"spec", "resources"}, path...)...)
}

// judge compares a demand with a limit.
func (f *preflight) judge(code string, ns resource.Object, clusters []resource.Object, d demand, limit int64, what, unit string) {
	at := ns
	for _, o := range clusters {
		if verb := f.touched[o.Addr()]; verb != "" && f.touched[ns.Addr()] == "" {
			at = o
			break
		}
	}
	hint := "raise the limit of the vSphere Namespace or ask for less"
	switch {
	case d.steady > limit:
		f.fail(code, at, hint, "the clusters of vSphere Namespace %s ask for %d %s of %s; its limit is %d", ns.GetName(), d.steady, unit, what, limit)
	case d.rolling > limit:
		f.warn(code, at, hint, "the clusters of vSphere Namespace %s ask for %d %s of %s, and for %d while all roll; its limit is %d",
			ns.GetName(), d.steady, unit, what, d.rolling, limit)
	}
}

func (f *preflight) checkMemory(namespace string, clusters []resource.Object) {
	ns, limit := f.limit(namespace, "memoryLimitMiB")
	if limit == 0 {
		return
	}
	d, known := f.sum(CodeMemory, clusters, func(s size) int64 { return s.memoryMiB })
	if known {
		f.judge(CodeMemory, ns, clusters, d, limit, "memory", "MiB")
	}
}

// checkCPU counts cores at the clock of the slowest host. A limit holds back
// machines without a reservation too, so both families count (V9).
func (f *preflight) checkCPU(namespace string, clusters []resource.Object) {
	ns, limit := f.limit(namespace, "cpuLimitMHz")
	if limit == 0 {
		return
	}
	mhz := f.hostMHz()
	if mhz == 0 {
		f.unknown(CodeCPU, "no inventory says how fast the hosts are, so cores cannot be compared with a limit in MHz")
		return
	}
	reserved, known := f.sum(CodeCPU, clusters, func(s size) int64 {
		if s.reserved {
			return s.cpus * mhz
		}
		return 0
	})
	if !known {
		return
	}
	f.judge(CodeCPU, ns, clusters, reserved, limit, "reserved CPU", "MHz")
	if all, _ := f.sum(CodeCPU, clusters, func(s size) int64 { return s.cpus * mhz }); reserved.rolling <= limit && all.steady > limit {
		f.warn(CodeCPU, ns, "machines without a reservation will be slowed down under load",
			"the clusters of vSphere Namespace %s have cores for %d MHz; its limit is %d", ns.GetName(), all.steady, limit)
	}
}

// sum adds up a measure of the VM classes. It is false when a class's size is
// not known, which it notes.
func (f *preflight) sum(code string, clusters []resource.Object, measure func(size) int64) (demand, bool) {
	var d demand
	known := true
	eachPart(clusters, func(p part, machines, more int64) {
		if p.vmClass() == "" {
			return
		}
		s, ok := f.sizes[p.vmClass()]
		if !ok {
			known = false
			f.unknown(code, "the size of VM class %s is not known", p.vmClass())
			return
		}
		d.add(machines, more, measure(s))
	})
	return d, known
}

// checkStorage compares node disks with the storage limit of the namespace and
// with that of every policy. What the clusters' own volumes take comes on top
// and cannot be known (V10).
func (f *preflight) checkStorage(namespace string, clusters []resource.Object) {
	var all demand
	byClass := map[string]*demand{}
	eachPart(clusters, func(p part, machines, more int64) {
		disk := func(class string, size int64) {
			if class == "" {
				class = p.storageClass()
			}
			if byClass[class] == nil {
				byClass[class] = &demand{}
			}
			byClass[class].add(machines, more, size)
			all.add(machines, more, size)
		}
		disk("", rootDiskMiB)
		for _, v := range p.volumes() {
			disk(resource.Text(v, "storageClass"), volumeMiB(v))
		}
	})
	ns, limit := f.limit(namespace, "storageLimitMiB")
	if ns.Unstructured == nil {
		return
	}
	if limit > 0 {
		f.judge(CodeCapacity, ns, clusters, all, limit, "node disks", "MiB")
	}
	for _, policy := range resource.Items(ns.Object, "spec", "storagePolicies") {
		name, limit := resource.Text(policy, "name"), resource.Int(policy, "limitMiB")
		if d := byClass[storageClassOf(name)]; d != nil && limit > 0 {
			f.judge(CodeCapacity, ns, clusters, *d, limit, "node disks in "+name, "MiB")
		}
	}
}

// volumeMiB reads a volume's size: "capacity" is a quantity, in the legacy
// variables below "storage".
func volumeMiB(volume any) int64 {
	if text := resource.Text(volume, "capacity"); text != "" {
		return mebibytes(text)
	}
	return mebibytes(resource.Text(volume, "capacity", "storage"))
}
