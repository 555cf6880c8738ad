package simulate_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// A guard follows the journal of a world and says when a rule is broken that
// must hold at every moment, whatever is asked for.
type guard struct {
	machines map[string]*watched // by name
	// most is how many machines a part of a cluster may have at once, by
	// "cluster" for control planes and "cluster/pool" for pools.
	most   map[string]int
	mayGo  map[string]bool // clusters that were asked to go
	going  map[string]bool // clusters that are being deleted
	broken []string
}

// A watched machine is what the guard knows of a Machine.
type watched struct {
	cluster, pool string // pool is empty in a control plane
	// member says that its etcd member has joined and was not removed; healthy that
	// it answers.
	member, healthy bool
	ready, deleting bool
}

func newGuard() *guard {
	return &guard{machines: map[string]*watched{}, most: map[string]int{}, mayGo: map[string]bool{}, going: map[string]bool{}}
}

// allow says how many machines the parts may have on the way from one fleet to another.
func (g *guard) allow(before, after fleet) {
	clear(g.most)
	clear(g.mayGo)
	for name := range before {
		_, stays := after[name]
		g.mayGo[name] = !stays
	}
	for _, f := range []fleet{before, after} {
		for name, s := range f {
			g.most[name] = max(g.most[name], s.controlPlane+1)
			for pool, p := range s.pools {
				surge := p.surge
				if p.surge+p.unavailable == 0 {
					surge = 1
				}
				g.most[name+"/"+pool] = max(g.most[name+"/"+pool], p.replicas+surge)
			}
		}
	}
	for name, s := range before { // a surge of before may meet the replicas of after
		for pool, p := range s.pools {
			if now, stays := after[name].pools[pool]; stays {
				g.most[name+"/"+pool] = max(g.most[name+"/"+pool], max(p.replicas, now.replicas)+max(now.surge, 1-min(1, now.unavailable)))
			}
		}
	}
}

func (g *guard) breaks(e journal.Event, format string, args ...any) {
	if len(g.broken) < 20 {
		g.broken = append(g.broken, fmt.Sprintf("%d ms: ", e.T)+fmt.Sprintf(format, args...))
	}
}

// hear takes in an event.
func (g *guard) hear(e journal.Event) {
	switch {
	case e.Object != nil:
		g.hearObject(e, e.Object)
	case e.VM != nil && (e.VM.Op == "PowerOffVM_Task" || e.VM.Op == "Destroy_Task"):
		if m := g.machines[e.VM.Name]; m != nil && m.member && !g.going[m.cluster] {
			g.breaks(e, "%s of %s, whose etcd member was not removed", e.VM.Op, e.VM.Name)
		}
	}
}

func (g *guard) hearObject(e journal.Event, o *journal.Object) {
	removed := o.Verb == resource.Deleted || o.Deleting
	if o.Present {
		removed = false
	}
	if removed && o.Kind == "Cluster" && !g.mayGo[o.Name] || removed && o.Cluster == outsider && (o.Actor == "vksync" || o.Kind == "Machine") {
		g.breaks(e, "%s deletes %s %s of cluster %s, which nobody asked for", o.Actor, o.Kind, o.Name, o.Cluster)
	}
	if o.Kind == "Cluster" {
		g.going[o.Name] = o.Deleting && o.Verb != resource.Deleted
	}
	if o.Kind != "Machine" {
		return
	}
	if o.Verb == resource.Deleted {
		delete(g.machines, o.Name)
		return
	}
	m := g.machines[o.Name]
	if m == nil {
		m = &watched{cluster: o.Cluster, pool: o.Labels["topology.cluster.x-k8s.io/deployment-name"]}
		g.machines[o.Name] = m
		g.count(e, m)
	}
	m.deleting = m.deleting || o.Deleting
	for _, c := range o.Conditions {
		switch c.Type {
		case "EtcdMemberHealthy":
			m.healthy = c.Status == "True" || c.Reason == "Deleting" // it answers until its VM goes
			m.member = m.member || m.healthy
		case "Ready":
			m.ready = c.Status == "True"
		case "Deleting":
			if !slices.Contains([]string{"NotDeleting", "Deleting", "DrainingNode", "WaitingForVolumeDetach", "WaitingForPreTerminateHook"}, c.Reason) {
				m.member = false
			}
		}
	}
	if m.pool == "" && !g.going[m.cluster] {
		g.quorum(e, m.cluster)
	}
}

// count compares the machines of a part with what it may have.
func (g *guard) count(e journal.Event, of *watched) {
	part := of.cluster
	if of.pool != "" {
		part += "/" + of.pool
	}
	n := 0
	for _, m := range g.machines {
		if m.cluster == of.cluster && m.pool == of.pool {
			n++
		}
	}
	if most, known := g.most[part]; known && n > most {
		g.breaks(e, "%s has %d machines, and %d at most were planned", part, n, most)
	}
}

// quorum asks that most etcd members answer, and that not more than one machine of
// the control plane comes or goes.
func (g *guard) quorum(e journal.Event, cluster string) {
	members, healthy := 0, 0
	var moving []string
	for name, m := range g.machines {
		if m.cluster != cluster || m.pool != "" {
			continue
		}
		if m.member {
			members++
		}
		if m.member && m.healthy {
			healthy++
		}
		if m.deleting || !m.member {
			moving = append(moving, name)
		}
	}
	if members > 0 && healthy < members/2+1 {
		g.breaks(e, "etcd of %s has %d healthy of %d members", cluster, healthy, members)
	}
	if len(moving) > 1 {
		slices.Sort(moving)
		g.breaks(e, "the control plane of %s changes in several machines at once: %s", cluster, strings.Join(moving, ", "))
	}
}
