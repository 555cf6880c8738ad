package controllers

import (
	"cmp"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// countReplicas writes status.controlPlane and status.workers. A count is there
// once somebody has reported it, and goes with the last who could.
func countReplicas(d *draft, f family, n news) {
	if n.controlPlane {
		var controlPlane []*view
		if f.controlPlane != nil {
			controlPlane = []*view{f.controlPlane}
		}
		countSection(d, "controlPlane", controlPlane)
	}
	if n.deployments {
		countSection(d, "workers", f.deployments)
	}
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

// A versionCount is how many machines run a Kubernetes version.
type versionCount struct {
	version  string
	replicas int64
}

// countVersions adds up which versions the machines run.
func countVersions(d *draft, section string, from []*view) {
	var counts []versionCount
	for _, v := range from {
		for _, item := range resource.Items(v.status["versions"]) {
			version, replicas := resource.Text(item, "version"), resource.Int(item, "replicas")
			at := slices.IndexFunc(counts, func(c versionCount) bool { return c.version == version })
			if at < 0 {
				counts = append(counts, versionCount{version, replicas})
			} else {
				counts[at].replicas += replicas
			}
		}
	}
	slices.SortFunc(counts, func(a, b versionCount) int { return cmp.Compare(a.version, b.version) })
	known := resource.Items(d.root, "status", section, "versions")
	if slices.EqualFunc(counts, known, func(c versionCount, item any) bool {
		return c == versionCount{resource.Text(item, "version"), resource.Int(item, "replicas")}
	}) {
		return
	}
	if len(counts) == 0 {
		d.unset("status", section, "versions")
		return
	}
	list := make([]any, len(counts))
	for i, c := range counts {
		list[i] = map[string]any{"version": c.version, "replicas": c.replicas}
	}
	d.replace(list, "status", section, "versions")
}
