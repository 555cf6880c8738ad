package dashboard

import (
	"cmp"
	"slices"

	"github.com/vksync/vksync/reconcile/journal"
)

// sectionOf is the head under which a meter is.
func sectionOf(m journal.Meter) string {
	what := ""
	switch m.Kind {
	case journal.HostMemory:
		what = "Hosts, memory"
	case journal.HostCPU:
		what = "Hosts, CPU"
	case journal.DatastoreRoom:
		what = "Datastores"
	case journal.Quota:
		what = "Quota of"
	case journal.Addresses:
		what = "Addresses"
		if m.Group != "" {
			what = "Addresses of VPC"
		}
	default: // of a later vksync
		what = string(m.Kind)
	}
	if m.Group == "" {
		return what
	}
	return what + " " + m.Group
}

// inSections appends shown to lines, each section below its head. What is tight or
// full is on top, whatever it is: sections are moved for nothing less, since who
// reads must find a section where it was. Within a section the fullest is first,
// unless all is by name.
func inSections(lines, shown []meterEntry, byName bool) []meterEntry {
	type section struct {
		meters []meterEntry
		worst  journal.Level
	}
	var sections []section
	for i, e := range shown {
		if i == 0 || shown[i-1].Kind != e.Kind || shown[i-1].Group != e.Group {
			sections = append(sections, section{})
		}
		last := &sections[len(sections)-1]
		last.meters = append(last.meters, e)
		last.worst = max(last.worst, e.worst)
	}
	if !byName {
		slices.SortStableFunc(sections, func(a, b section) int { return cmp.Compare(b.worst, a.worst) })
	}
	for _, one := range sections {
		if !byName {
			slices.SortStableFunc(one.meters, fullestFirst)
		}
		lines = append(lines, meterEntry{head: sectionOf(one.meters[0].Meter), total: totalOf(one.meters)})
		lines = append(lines, one.meters...)
	}
	return lines
}

// fullestFirst orders by what is in use, then by what will be; what has no limit
// comes after what has one.
func fullestFirst(a, b meterEntry) int {
	now := func(e meterEntry) float64 {
		if fill, limited := e.Fill(); limited {
			return fill
		}
		return -1
	}
	later := func(e meterEntry) float64 {
		if e.Forecast == nil {
			return 0
		}
		fill, _ := e.Forecast.Fill()
		return fill
	}
	return cmp.Or(cmp.Compare(b.level, a.level), cmp.Compare(b.worst, a.worst), cmp.Compare(now(b), now(a)), cmp.Compare(later(b), later(a)))
}

// totalOf is what a section has in all, of things that add up: hosts and datastores.
func totalOf(meters []meterEntry) string {
	switch meters[0].Kind {
	case journal.HostMemory, journal.HostCPU, journal.DatastoreRoom:
	default:
		return ""
	}
	sum := meters[0].Meter
	sum.Used, sum.Capacity = 0, 0
	for _, m := range meters {
		if m.Unit != sum.Unit || sum.Used+m.Used < sum.Used || sum.Capacity+m.Capacity < sum.Capacity {
			return "" // a foreign journal may say anything
		}
		sum.Used += m.Used
		sum.Capacity += m.Capacity
	}
	return amountOf(sum) + "  " + percentOf(sum)
}
