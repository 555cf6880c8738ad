package journal

import "github.com/vksync/vksync/reconcile/resource"

// goals are the goals of a Timeline in the order in which they came. Each change
// costs the same however many there are.
type goals struct {
	// list has a zero Goal where one was forgotten.
	list      []Goal
	at        map[resource.Addr]int
	forgotten int
}

func goalsOf(b *Begin) goals {
	g := goals{list: make([]Goal, 0, len(b.Goals)), at: make(map[resource.Addr]int, len(b.Goals))}
	for _, goal := range b.Goals {
		g.put(goal)
	}
	return g
}

// put adds a goal, or puts it in the place of the one of its Addr.
func (g *goals) put(goal Goal) {
	if at, known := g.at[goal.Addr]; known {
		g.list[at] = goal
		return
	}
	if g.at == nil {
		g.at = map[resource.Addr]int{}
	}
	g.at[goal.Addr] = len(g.list)
	g.list = append(g.list, goal)
}

func (g *goals) forget(a resource.Addr) {
	at, known := g.at[a]
	if !known {
		return
	}
	g.list[at] = Goal{}
	delete(g.at, a)
	if g.forgotten++; g.forgotten > len(g.list)/2 {
		g.compact()
	}
}

// compact closes the gaps.
func (g *goals) compact() {
	left := g.list[:0]
	for _, goal := range g.list {
		if goal != (Goal{}) {
			g.at[goal.Addr] = len(left)
			left = append(left, goal)
		}
	}
	clear(g.list[len(left):])
	g.list, g.forgotten = left, 0
}

// all are the goals without gaps.
func (g *goals) all() []Goal {
	if g.forgotten > 0 {
		g.compact()
	}
	return g.list
}
