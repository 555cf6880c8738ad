package plan

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
	rules "github.com/vksync/vksync/reconcile/topology"
)

// A control plane changes one machine at a time. The one that goes is the oldest in
// the failure domain that has most of them; without failure domains, the oldest
// (domain.md 3.1, observed.md 6.3).

// fullestFirst are the n machines that go, one after the other.
func (e *explanation) fullestFirst(all []map[string]any, n int) []map[string]any {
	left := byAge(all)
	var out []map[string]any
	for len(out) < n && len(left) > 0 {
		victim := e.nextToGo(left, left)
		out = append(out, victim)
		left = slices.DeleteFunc(left, func(m map[string]any) bool { return nameOf(m) == nameOf(victim) })
	}
	return out
}

// replacedControlPlane are the machines that a replacement of the outdated ones
// deletes, in order. New ones come to the emptiest failure domains meanwhile.
func (e *explanation) replacedControlPlane(outdated, all []map[string]any, c *PartChange) []map[string]any {
	left, there := byAge(outdated), byAge(all)
	var out []map[string]any
	for made := 0; len(left) > 0; {
		if int64(len(there)) < c.To+c.Surge {
			there = append(there, e.newcomer(there, left))
			if made++; made > len(all)+int(c.To)+int(c.Surge) {
				break
			}
			continue
		}
		victim := e.nextToGo(left, there)
		out = append(out, victim)
		is := func(m map[string]any) bool { return nameOf(m) == nameOf(victim) }
		left, there = slices.DeleteFunc(left, is), slices.DeleteFunc(there, is)
	}
	return out
}

// nextToGo is the next of eligible, which is sorted by age. All are those that there
// are, eligible or not.
func (e *explanation) nextToGo(eligible, all []map[string]any) map[string]any {
	if marked := slices.IndexFunc(eligible, func(m map[string]any) bool { return rank(m) == 0 }); marked >= 0 {
		return eligible[marked]
	}
	domains := rules.Domains(e.live.Object)
	var best map[string]any
	most, mostOfAll := 0, 0
	for _, machine := range eligible {
		domain := resource.Text(machine, "spec", "failureDomain")
		if len(domains) > 0 && !slices.Contains(domains, domain) {
			return machine
		}
		n, ofAll := inDomain(eligible, domain), inDomain(all, domain)
		if n > most || n == most && ofAll > mostOfAll {
			best, most, mostOfAll = machine, n, ofAll
		}
	}
	return best
}

// newcomer is a machine as it is made next: in the failure domain with the fewest
// that are not to go, then with the fewest.
func (e *explanation) newcomer(there, outdated []map[string]any) map[string]any {
	current := slices.DeleteFunc(slices.Clone(there), func(m map[string]any) bool {
		return slices.ContainsFunc(outdated, func(o map[string]any) bool { return nameOf(o) == nameOf(m) })
	})
	best, fewest, fewestOfAll := "", 0, 0
	for i, domain := range rules.Domains(e.live.Object) {
		n, all := inDomain(current, domain), inDomain(there, domain)
		if i == 0 || n < fewest || n == fewest && all < fewestOfAll {
			best, fewest, fewestOfAll = domain, n, all
		}
	}
	return map[string]any{"spec": map[string]any{"failureDomain": best}}
}

func inDomain(machines []map[string]any, domain string) (n int) {
	for _, machine := range machines {
		if resource.Text(machine, "spec", "failureDomain") == domain {
			n++
		}
	}
	return n
}
