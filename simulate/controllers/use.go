package controllers

import (
	"maps"
	"slices"

	"github.com/vksync/vksync/simulate/vcenter"
)

// PoolUse is what is in use of a pool of addresses.
type PoolUse struct {
	// VPC whose private blocks they are from; empty without one.
	VPC string
	// Range is the pool of nodes' addresses without NSX; empty for another. The pool
	// that has neither VPC nor Range is the load balancer's.
	Range     string
	Addresses vcenter.Use
	// Subnets are what the blocks of a VPC are given out in: each belongs to one
	// SubnetSet, so there can be none left while addresses are free.
	Subnets vcenter.Use
}

// Pools are the load balancer's pool, those of nodes without NSX, and the private blocks of the VPCs that the
// namespaces are in or were, by name. Like the rest of a Manager it must not be
// called while the clock calls a function.
func (m *Manager) Pools(namespaces []string) []PoolUse {
	out := []PoolUse{{Addresses: m.addresses.vips.use()}}
	for i, r := range m.addresses.nodes.ranges {
		out = append(out, PoolUse{Range: poolName(i), Addresses: vcenter.Use{Capacity: r.Count(), Used: m.addresses.nodes.takenOf(r)}})
	}
	if p := m.networkProvider(); p != &networkVPC && p != &networkNSXT {
		return out
	}
	// A VPC is only made when somebody asks for an address: that one looks must
	// change nothing.
	vpcs := maps.Clone(m.addresses.vpcs)
	for _, namespace := range namespaces {
		if name, blocks, size := m.vpcNamed(namespace); vpcs[name] == nil {
			vpcs[name] = newVPC(name, blocks, size)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vpcs)) {
		out = append(out, vpcs[name].use())
	}
	return out
}

// StorageUsed is what node disks take of a storage class in a namespace, in MiB.
func (m *Manager) StorageUsed(namespace, class string) int64 {
	return m.usage[storageClass{namespace, class}]
}

func (v *vpc) use() PoolUse {
	u := PoolUse{VPC: v.name, Subnets: vcenter.Use{Used: int64(len(v.subnets))}}
	for _, block := range v.blocks {
		if block.Bits() <= v.bits {
			u.Subnets.Capacity += 1 << (v.bits - block.Bits())
		}
	}
	u.Addresses.Capacity = u.Subnets.Capacity * max(0, int64(1)<<(32-v.bits)-reservedAddresses)
	for _, s := range v.subnets {
		u.Addresses.Used += int64(len(s.taken))
	}
	return u
}

// saturating is a sum that does not overflow. Both are 0 or more.
func saturating(a, b int64) int64 {
	if sum := a + b; sum >= 0 {
		return sum
	}
	return 1<<63 - 1
}
