package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	labelControlPlane  = "cluster.x-k8s.io/control-plane"
	labelPool          = "topology.cluster.x-k8s.io/deployment-name"
	annotationDelete   = "cluster.x-k8s.io/delete-machine"
	annotationDefer    = "topology.cluster.x-k8s.io/defer-upgrade"
	annotationHold     = "topology.cluster.x-k8s.io/hold-upgrade-sequence"
	annotationParallel = "topology.cluster.x-k8s.io/upgrade-concurrency"
)

// machinesOf are the observed machines of a part that are not on their way out.
func (e *explanation) machinesOf(p part) []map[string]any {
	var out []map[string]any
	for _, machine := range e.parts.machines {
		labels := resource.Fields(machine, "metadata", "labels")
		_, controlPlane := labels[labelControlPlane]
		if resource.Field(machine, "metadata", "deletionTimestamp") != nil || controlPlane != (p.name == "") {
			continue
		}
		if controlPlane || labels[labelPool] == p.name {
			out = append(out, machine)
		}
	}
	return out
}

// deploymentOf is the MachineDeployment of a pool; nil when it is not known.
func (e *explanation) deploymentOf(p part) map[string]any {
	for _, md := range e.parts.deployments {
		if resource.Text(md, "metadata", "labels", labelPool) == p.name {
			return md
		}
	}
	return nil
}

// machines says which machines of a part go and how many come.
func (e *explanation) machines(p part, c *PartChange) {
	c.Peak = max(c.From, c.To)
	all := e.machinesOf(p)
	switch c.Effect {
	case Scale:
		c.Comes, c.Going = max(0, c.To-c.From), max(0, c.From-c.To)
		c.Goes = namesOf(e.scaledDown(p, all, c.Going))
	case Rolling:
		c.Surge, c.Unavailable, c.OnDelete = e.surge(p, c.To)
		old := e.outdated(all, c)
		c.Going, c.Comes = c.From-int64(len(all)-len(old)), c.To-int64(len(all)-len(old))
		if p.name == "" {
			c.Goes = namesOf(e.replacedControlPlane(old, all, c))
		} else {
			c.Goes = namesOf(e.inOrder(p, old))
		}
		if c.Going > 0 {
			c.Peak = max(c.From, c.To+c.Surge)
		}
	}
}

// outdated are the machines that are to be replaced: all of them, unless it is only
// for a time that they were made before.
func (e *explanation) outdated(all []map[string]any, c *PartChange) []map[string]any {
	var last time.Time
	for _, path := range c.Because {
		change := slices.IndexFunc(e.changes, func(ch Change) bool { return ch.Path == path })
		text, _ := e.changes[change].New.(string)
		at, err := time.Parse(time.RFC3339, text)
		if !strings.HasSuffix(path, "rollout.after") || err != nil {
			return all
		}
		last = at
	}
	c.NotBefore = last.Format(time.RFC3339)
	return slices.DeleteFunc(slices.Clone(all), func(machine map[string]any) bool { return !made(machine).Before(last) })
}

// scaledDown are the machines that a part with fewer of them loses, in order.
func (e *explanation) scaledDown(p part, all []map[string]any, n int64) []map[string]any {
	if p.name == "" {
		return e.fullestFirst(all, int(n))
	}
	ordered := e.inOrder(p, all)
	return ordered[:min(int(n), len(ordered))]
}

// inOrder are the machines of a pool in the order in which its MachineSet deletes
// them: marked ones first, then by name, or by age where the deletion order says so.
func (e *explanation) inOrder(p part, machines []map[string]any) []map[string]any {
	order := cmp.Or(resource.Text(p.content, "deletion", "order"), resource.Text(e.m.poolClass(e.want, p), "deletion", "order"),
		resource.Text(e.deploymentOf(p), "spec", "deletion", "order"))
	out := byName(machines)
	slices.SortStableFunc(out, func(a, b map[string]any) int {
		first := cmp.Compare(rank(a), rank(b))
		switch order {
		case "Newest":
			return cmp.Or(first, made(b).Compare(made(a)))
		case "Oldest":
			return cmp.Or(first, made(a).Compare(made(b)))
		}
		return first
	})
	return out
}

// rank puts machines that somebody has marked first, then those without a node.
func rank(machine map[string]any) int {
	switch {
	case resource.Fields(machine, "metadata", "annotations")[annotationDelete] != nil:
		return 0
	case resource.Text(machine, "status", "nodeRef", "name") == "":
		return 1
	}
	return 2
}

// surge is how many machines a replacement may have more than wanted, and lack.
func (e *explanation) surge(p part, replicas int64) (more, fewer int64, onDelete bool) {
	if p.name == "" {
		strategy := resource.Fields(e.parts.controlPlane, "spec", "rollout", "strategy")
		return scaled(resource.Field(strategy, "rollingUpdate", "maxSurge"), replicas, true, 1), 0, false
	}
	var strategy map[string]any
	for _, from := range []any{p.content, e.m.poolClass(e.want, p), resource.Field(e.deploymentOf(p), "spec")} {
		if strategy = resource.Fields(from, "rollout", "strategy"); strategy != nil {
			break
		}
	}
	if resource.Text(strategy, "type") == "OnDelete" {
		return 0, 0, true
	}
	more = scaled(resource.Field(strategy, "rollingUpdate", "maxSurge"), replicas, true, 1)
	fewer = scaled(resource.Field(strategy, "rollingUpdate", "maxUnavailable"), replicas, false, 0)
	if more == 0 && fewer == 0 {
		fewer = 1 // percentages that come to nothing: otherwise nothing would change
	}
	return more, min(fewer, replicas), false
}

// scaled is a number of machines, or a percentage of them, rounded up or down.
func scaled(v any, replicas int64, up bool, absent int64) int64 {
	text, isText := v.(string)
	switch {
	case v == nil:
		return absent
	case !isText:
		return max(0, int64(number(v)))
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "%"), 10, 32)
	switch {
	case err != nil || n < 0:
		return absent
	case !strings.HasSuffix(text, "%"):
		return n
	case up:
		return (n*replicas + 99) / 100
	}
	return n * replicas / 100
}

// poolClass is what the ClusterClass says of pools like this one; nil when it is not
// known.
func (m *maker) poolClass(o resource.Object, p part) map[string]any {
	for _, item := range resource.Items(m.classOf(o), "spec", "workers", "machineDeployments") {
		if resource.Text(item, "class") == resource.Text(p.content, "class") {
			return resource.Fields(item)
		}
	}
	return nil
}

// made is when a machine was created.
func made(machine map[string]any) time.Time {
	at, err := time.Parse(time.RFC3339, resource.Text(machine, "metadata", "creationTimestamp"))
	if err != nil {
		return time.Time{}
	}
	return at
}

func nameOf(machine map[string]any) string { return resource.Text(machine, "metadata", "name") }

func byName(machines []map[string]any) []map[string]any {
	out := slices.Clone(machines)
	slices.SortFunc(out, func(a, b map[string]any) int { return cmp.Compare(nameOf(a), nameOf(b)) })
	return out
}

func byAge(machines []map[string]any) []map[string]any {
	out := byName(machines)
	slices.SortStableFunc(out, func(a, b map[string]any) int { return made(a).Compare(made(b)) })
	return out
}

func namesOf(machines []map[string]any) []string {
	var out []string
	for _, machine := range machines {
		out = append(out, nameOf(machine))
	}
	return out
}
