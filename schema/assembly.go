package schema

import "github.com/vksync/vksync/reconcile/resource"

// assembly is all that is desired, put together. Where the next revision differs
// in a few files that stand for themselves, only they are exchanged.
type assembly struct {
	desired  *Desired // nobody else's
	outcomes []*outcome
	clashes  Problems
	round    uint64
}

// exchangedAtOnce is how many results are exchanged one by one at most.
const exchangedAtOnce = 500

// of is what manifests hold together, and what is wrong with it.
func (a *assembly) of(manifests []*manifest) (*Desired, Problems) {
	before := a.outcomes
	a.outcomes = make([]*outcome, 0, len(manifests))
	a.round++
	var come, gone []*outcome
	for _, m := range manifests {
		if m.latest == nil {
			continue
		}
		if m.latest.round != a.round-1 || a.round == 1 {
			come = append(come, m.latest)
		}
		m.latest.round = a.round
		a.outcomes = append(a.outcomes, m.latest)
	}
	for _, o := range before {
		if o.round != a.round {
			gone = append(gone, o)
		}
	}
	if !a.exchange(gone, come) {
		a.build()
	}
	return &Desired{Resources: a.desired.Resources.Clone(), Inventories: append([]resource.Object(nil), a.desired.Inventories...)}, a.clashes
}

// exchange takes out what is gone and puts in what has come. It reports false
// where that is not all there is to it: an address twice, an Inventory, a CUE
// package, which may hold what others hold as well. Then nothing is to be relied on.
func (a *assembly) exchange(gone, come []*outcome) bool {
	if a.desired == nil || len(a.clashes) > 0 || len(gone)+len(come) > exchangedAtOnce {
		return false
	}
	left := map[resource.Addr]bool{}
	for _, o := range gone {
		if o.unit.pkg != "" {
			return false
		}
		for _, object := range o.objects {
			left[object.Addr()] = true
		}
	}
	for _, o := range come {
		if o.unit.pkg != "" {
			return false
		}
		for _, object := range o.objects {
			addr := object.Addr()
			_, taken := a.desired.Resources.Get(addr)
			if taken && !left[addr] || addr.Kind == resource.KindInventory {
				return false
			}
			delete(left, addr)
			a.desired.Resources.Put(object)
		}
	}
	for addr := range left {
		if addr.Kind == resource.KindInventory {
			return false
		}
		a.desired.Resources.Delete(addr)
	}
	return true
}

// build puts everything together anew.
func (a *assembly) build() {
	units, results := make([]unit, len(a.outcomes)), make([]loaded, len(a.outcomes))
	for i, o := range a.outcomes {
		units[i], results[i] = o.unit, o.loaded
	}
	a.desired, a.clashes = assemble(units, results)
	for range a.desired.Resources.All() {
		break // it is in order from now on
	}
}
