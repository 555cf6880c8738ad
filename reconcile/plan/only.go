package plan

import "github.com/vksync/vksync/reconcile/resource"

// Only is the part of the plan whose actions allow lets through. What is left
// out loses its goal as well: a run of the result neither does it nor waits for
// it. Findings stay, since they are about everything that is desired.
func (p *Plan) Only(allow func(Action) bool) *Plan {
	part := *p
	part.Actions, part.Goals = nil, nil
	left := map[resource.Addr]bool{}
	for _, a := range p.Actions {
		if allow(a) {
			part.Actions = append(part.Actions, a)
		} else {
			left[a.Addr] = true
		}
	}
	for _, g := range p.Goals {
		if !left[g.Addr] {
			part.Goals = append(part.Goals, g)
		}
	}
	return &part
}
