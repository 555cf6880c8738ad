package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// countReplicas writes status.controlPlane and status.workers. A count is there
// once somebody has reported it, and goes with the last who could.
func countReplicas(d *draft, f family) {
	var controlPlane []*view
	if f.controlPlane != nil {
		controlPlane = []*view{f.controlPlane}
	}
	countSection(d, "controlPlane", controlPlane)
	countSection(d, "workers", f.deployments)
}

func countSection(d *draft, section string, from []*view) {
	before := resource.Fields(d.root, "status", section)
	count := func(as string, of func(*view) any) {
		total, known := addUp(from, of)
		switch {
		case !known:
			d.unset("status", section, as)
		case before[as] != any(total):
			d.replace(total, "status", section, as)
		}
	}
	count("desiredReplicas", func(v *view) any { return v.spec["replicas"] })
	for _, name := range []string{"replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"} {
		count(name, func(v *view) any { return v.status[name] })
	}
	countVersions(d, section, from)
}

// addUp is the sum of a count, if anybody has it.
func addUp(from []*view, count func(*view) any) (total int64, known bool) {
	for _, v := range from {
		if n := count(v); n != nil {
			total, known = total+resource.Int(n), true
		}
	}
	return total, known
}

// countVersions adds up how many machines run which Kubernetes version.
func countVersions(d *draft, section string, from []*view) {
	machines := map[string]int64{}
	var names []string
	for _, v := range from {
		for _, item := range resource.Items(v.status["versions"]) {
			name := resource.Text(item, "version")
			if machines[name] == 0 {
				names = append(names, name)
			}
			machines[name] += resource.Int(item, "replicas")
		}
	}
	if len(names) == 0 {
		d.unset("status", section, "versions")
		return
	}
	slices.Sort(names)
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = map[string]any{"version": name, "replicas": machines[name]}
	}
	application{d, true}.say(list, "status", section, "versions")
}
