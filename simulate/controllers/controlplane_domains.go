package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/topology"
)

// inDomain counts the machines of a failure domain.
func inDomain(machines []*replica, domain string) (n int) {
	for _, machine := range machines {
		if machine.failureDomain() == domain {
			n++
		}
	}
	return n
}

// emptiestDomain is where the next machine goes: where the fewest are that are up
// to date, then the fewest of all; "" where the Cluster has no failure domains.
func (p *controlPlane) emptiestDomain() string {
	current := which(p.machines, func(r *replica) bool { return !r.deleting && len(r.outdated) == 0 })
	best, fewest, fewestOfAll := "", 0, 0
	for i, domain := range topology.Domains(p.cluster.Object) {
		n, all := inDomain(current, domain), inDomain(p.machines, domain)
		if i == 0 || n < fewest || n == fewest && all < fewestOfAll {
			best, fewest, fewestOfAll = domain, n, all
		}
	}
	return best
}

// oldestInFullestDomain is the oldest of eligible, which is sorted by age, in the
// failure domain that has most of them, then most of all; real controllers draw
// between domains that have as many. Machines in a domain that the Cluster does
// not have go first.
func (p *controlPlane) oldestInFullestDomain(eligible []*replica) *replica {
	domains := topology.Domains(p.cluster.Object)
	for _, machine := range eligible {
		if !slices.Contains(domains, machine.failureDomain()) {
			return machine
		}
	}
	var best *replica
	most, mostOfAll := 0, 0
	for _, machine := range eligible {
		domain := machine.failureDomain()
		n, all := inDomain(eligible, domain), inDomain(p.machines, domain)
		if n > most || n == most && all > mostOfAll {
			best, most, mostOfAll = machine, n, all
		}
	}
	return best
}
