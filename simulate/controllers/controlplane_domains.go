package controllers

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

func failureDomainOf(machine *unstructured.Unstructured) string {
	return resource.Text(machine.Object, "spec", "failureDomain")
}

// domains are the failure domains of the Cluster that take control-plane machines.
func (p *controlPlane) domains() []string {
	var out []string
	for _, domain := range resource.Items(p.cluster.Object, "status", "failureDomains") {
		if resource.Flag(domain, "controlPlane") {
			out = append(out, resource.Text(domain, "name"))
		}
	}
	slices.Sort(out)
	return out
}

// inDomain counts the machines of a failure domain.
func inDomain(machines []*unstructured.Unstructured, domain string) (n int) {
	for _, machine := range machines {
		if failureDomainOf(machine) == domain {
			n++
		}
	}
	return n
}

// emptiestDomain is where the next machine goes: where the fewest are that are up
// to date, then the fewest of all; "" where the Cluster has no failure domains.
func (p *controlPlane) emptiestDomain() string {
	current := which(p.machines, func(u *unstructured.Unstructured) bool {
		return !deleting(u) && len(p.outdated[nameOf(u)]) == 0
	})
	best, fewest, fewestOfAll := "", 0, 0
	for i, domain := range p.domains() {
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
func (p *controlPlane) oldestInFullestDomain(eligible []*unstructured.Unstructured) *unstructured.Unstructured {
	domains := p.domains()
	for _, machine := range eligible {
		if !slices.Contains(domains, failureDomainOf(machine)) {
			return machine
		}
	}
	var best *unstructured.Unstructured
	most, mostOfAll := 0, 0
	for _, machine := range eligible {
		domain := failureDomainOf(machine)
		n, all := inDomain(eligible, domain), inDomain(p.machines, domain)
		if n > most || n == most && all > mostOfAll {
			best, most, mostOfAll = machine, n, all
		}
	}
	return best
}
