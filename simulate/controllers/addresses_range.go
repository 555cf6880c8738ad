package controllers

import (
	"fmt"
	"net/netip"

	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/vcenter"
)

// A rangePool hands out the addresses of ranges, the first free one in the order of
// the ranges.
type rangePool struct {
	what   string // "node address", for messages
	ranges []inventory.Range
	taken  map[netip.Addr]string // by UID
	owner  map[string]netip.Addr
	low    position // no address before it is free
}

// A position is an address of the range at an index. The zero address is the first.
type position struct {
	index   int
	address netip.Addr
}

func (p position) before(q position) bool {
	return p.index < q.index || p.index == q.index && p.address.Less(q.address)
}

func newRangePool(what string, ranges []inventory.Range) rangePool {
	return rangePool{what: what, ranges: ranges, taken: map[netip.Addr]string{}, owner: map[string]netip.Addr{}}
}

// lease gives uid the first free address. It fails when there is none.
func (p *rangePool) lease(uid string) (netip.Addr, error) {
	for i := p.low.index; i < len(p.ranges); i++ {
		address := p.ranges[i].First
		if i == p.low.index && p.low.address.IsValid() {
			address = p.low.address
		}
		for ; address.IsValid() && p.ranges[i].Contains(address); address = address.Next() {
			if _, taken := p.taken[address]; !taken {
				p.low = position{i, address}
				p.taken[address], p.owner[uid] = uid, address
				return address, nil
			}
		}
	}
	p.low = position{index: len(p.ranges)}
	if len(p.ranges) == 0 {
		return netip.Addr{}, fmt.Errorf("no free %s: the inventory has no range for it", p.what)
	}
	return netip.Addr{}, fmt.Errorf("no free %s: the pool has %s, all in use", p.what, counted(int(p.use().Capacity), "address"))
}

// release frees what uid had.
func (p *rangePool) release(uid string) {
	address, ok := p.owner[uid]
	if !ok {
		return
	}
	delete(p.owner, uid)
	delete(p.taken, address)
	for i, r := range p.ranges {
		if at := (position{i, address}); r.Contains(address) && at.before(p.low) {
			p.low = at
			return
		}
	}
}

// adopt notes the address that an object has already; text that is none is passed over.
func (p *rangePool) adopt(uid, text string) {
	if address, err := netip.ParseAddr(text); err == nil {
		p.taken[address], p.owner[uid] = uid, address
	}
}

func (p *rangePool) use() vcenter.Use {
	u := vcenter.Use{Used: int64(len(p.taken))}
	for _, r := range p.ranges {
		u.Capacity = saturating(u.Capacity, r.Count())
	}
	return u
}

// takenOf is how many addresses of r are taken.
func (p *rangePool) takenOf(r inventory.Range) int64 {
	var n int64
	for address := range p.taken {
		if r.Contains(address) {
			n++
		}
	}
	return n
}
