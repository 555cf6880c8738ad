package dashboard

import (
	"fmt"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/paint"
)

// A scale is a unit that people read, of so many of the meter's own.
type scale struct {
	name string
	of   float64
}

// scaleOf is the unit for values of a meter up to most.
func scaleOf(unit string, most int64) scale {
	switch {
	case unit == journal.MiB && most >= 10<<20:
		return scale{"TiB", 1 << 20}
	case unit == journal.MiB && most >= 1<<10:
		return scale{"GiB", 1 << 10}
	case unit == journal.MHz && most >= 1000:
		return scale{"GHz", 1000}
	case unit == journal.AddressUnit || unit == journal.SubnetUnit:
		return scale{"", 1} // the name of the meter says it
	}
	return scale{paint.Clean(unit), 1}
}

// figure is a value in a unit, with one decimal where that matters.
func (u scale) figure(value int64) string {
	v := float64(value) / u.of
	switch {
	case value == 0 || u.of == 1 || v >= 100:
		return paint.Count(int(v + 0.5))
	case v < 0.05:
		return "<0.1"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}

// amountOf is "90.5/192 GiB", "4/16", and without limit "12 GiB".
func amountOf(m journal.Meter) string {
	u := scaleOf(m.Unit, max(m.Used, m.Capacity))
	text := u.figure(m.Used)
	if m.Capacity > 0 {
		text += "/" + u.figure(m.Capacity)
	}
	return strings.TrimSpace(text + " " + u.name)
}

// valueOf is one value of a meter with its unit.
func valueOf(m journal.Meter, value int64) string {
	u := scaleOf(m.Unit, value)
	text := u.figure(value)
	if u.name != "" {
		text += " " + u.name
	}
	return text
}

// percentOf is how much of the capacity is in use: "47%", of a host's CPU how many
// virtual CPUs there are for a core: "1.6:1". It is "" without limit.
func percentOf(m journal.Meter) string {
	share, limited := m.Share()
	switch {
	case !limited:
		return ""
	case m.Kind == journal.HostCPU && share < 99.95:
		return fmt.Sprintf("%.1f:1", share)
	case m.Kind == journal.HostCPU:
		return ">99:1"
	case share >= 9.995:
		return ">999%"
	case m.Used > 0 && share < 0.005:
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", 100*share)
}

// verdict is how a meter stands in a word; "" when there is nothing to say.
func (e meterEntry) verdict() string {
	switch {
	case e.level == journal.Full:
		return "full"
	case e.level == journal.Tight && e.worst == journal.Full:
		return "full later"
	case e.level == journal.Tight:
		return "tight"
	case e.worst == journal.Full:
		return "full later"
	case e.worst == journal.Tight:
		return "tight later"
	case !e.Told:
		return "to come"
	case e.Capacity == 0:
		return "no limit"
	}
	return ""
}

// subjectOf says what is measured, as a sentence begins.
func subjectOf(m journal.Meter) string {
	switch m.Kind {
	case journal.HostMemory:
		return "memory of the machines that are powered on"
	case journal.HostCPU:
		return "virtual CPUs of the machines that are powered on, for each core"
	case journal.DatastoreRoom:
		return "disks of machines and volumes"
	case journal.Quota:
		return "what the clusters of the vSphere Namespace take"
	case journal.Addresses:
		switch m.Name {
		case journal.LoadBalancer:
			return "one for the control plane of each cluster, one for each Service of type LoadBalancer"
		case journal.PrivateSubnets:
			return "each belongs to one cluster, full or not"
		case journal.PrivateAddresses:
			return "one for each machine"
		}
	}
	return ""
}

// remedy says what a full meter means and what helps.
func remedy(m journal.Meter) string {
	switch m.Kind {
	case journal.HostMemory, journal.HostCPU:
		return "What comes next goes to other hosts of the zone while they have room; then add hosts, or ask for less."
	case journal.DatastoreRoom:
		return "No further disk fits: make the datastore larger, or give the storage policy another one."
	case journal.Quota:
		if m.Unit == journal.MHz {
			return "Machines without a reservation are slowed down under load: raise spec.resources.cpuLimitMHz of the VSphereNamespace."
		}
		field := "spec.storagePolicies[].limitMiB"
		switch m.Name {
		case journal.QuotaMemory:
			field = "spec.resources.memoryLimitMiB"
		case journal.QuotaStorage:
			field = "spec.resources.storageLimitMiB"
		}
		return "The Supervisor refuses what goes beyond: raise " + field + " of the VSphereNamespace, or ask for less."
	case journal.Addresses:
		switch m.Name {
		case journal.LoadBalancer:
			return "The next cluster waits for an endpoint address: give the load balancer another range, or delete what holds one."
		case journal.PrivateSubnets:
			return "The next cluster, or one whose subnet is full, gets no subnet: give the VPC another private block."
		}
		return "The next machines get no address: give the network another block."
	}
	return ""
}

// copies are the name of the selected meter, and a command that tells more of it.
func (p *vspherePage) copies(*scene) (name, command string) {
	if !p.at(p.cursor) {
		return "", ""
	}
	m := p.entries[p.cursor].Meter
	name = paint.Clean(m.Name)
	switch m.Kind {
	case journal.HostMemory, journal.HostCPU:
		return name, "govc host.info -host " + shellWord(name)
	case journal.DatastoreRoom:
		return name, "govc datastore.info " + shellWord(name)
	case journal.Quota:
		group := paint.Clean(m.Group)
		if strings.HasPrefix(name, journal.QuotaStorage) {
			return group + " " + name, "kubectl -n " + shellWord(group) + " get storagepolicyquotas.cns.vmware.com -o yaml"
		}
		return group + " " + name, "govc namespace.info " + shellWord(group)
	case journal.Addresses:
		switch {
		case m.Name == journal.LoadBalancer:
			return name, "kubectl get services --all-namespaces"
		case strings.HasPrefix(m.Name, journal.IPPool):
			return name, "kubectl get ippools.netoperator.vmware.com -o yaml"
		}
		return name, "kubectl get subnetsets.crd.nsx.vmware.com --all-namespaces -o yaml"
	}
	return name, ""
}
