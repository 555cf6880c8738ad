package controllers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
)

// An addressPlan is who has which address: the subnets that NSX carved from the
// private blocks of VPCs, and the load balancer's pool. It is a model; what it
// knows can be read back from SubnetPorts and Services (adopt).
type addressPlan struct {
	vpcs  map[string]*vpc
	ports map[string]*subnet // by UID of the SubnetPort
	vips  rangePool          // of the load balancer, by UID of the Service
	nodes rangePool          // of nodes without NSX, by UID of the NetworkInterface
}

// reservedAddresses of every NSX subnet are network, gateway, DHCP server and
// broadcast (domain.md V12).
const reservedAddresses = 4

// A vpc is a set of private blocks and the subnets in it.
type vpc struct {
	name    string
	blocks  []netip.Prefix
	bits    int // prefix length of a subnet
	subnets map[netip.Prefix]*subnet
	bySet   map[string][]*subnet
	next    netip.Prefix // the first never used; invalid when there is none left
	freed   []netip.Prefix
}

type subnet struct {
	vpc    *vpc
	prefix netip.Prefix
	set    string
	taken  map[netip.Addr]string // by UID
}

type lease struct {
	address, gateway netip.Addr
	subnet           netip.Prefix
}

func newAddressPlan(inv *inventory.Inventory) addressPlan {
	return addressPlan{
		vpcs:  map[string]*vpc{},
		ports: map[string]*subnet{},
		vips:  newRangePool("load-balancer address", inv.LoadBalancerRanges()),
		nodes: newRangePool("node address", inv.NodeRanges()),
	}
}

// vpc finds or makes the VPC called name.
func (p *addressPlan) vpc(name string, blocks []string, size int) *vpc {
	if v := p.vpcs[name]; v != nil {
		return v
	}
	v := newVPC(name, blocks, size)
	p.vpcs[name] = v
	return v
}

func newVPC(name string, blocks []string, size int) *vpc {
	v := &vpc{name: name, subnets: map[netip.Prefix]*subnet{}, bySet: map[string][]*subnet{}, bits: 32}
	for ; size > 1; size /= 2 {
		v.bits--
	}
	for _, text := range blocks {
		if block, err := netip.ParsePrefix(text); err == nil && block.Addr().Is4() {
			v.blocks = append(v.blocks, block.Masked())
		}
	}
	if len(v.blocks) > 0 && v.blocks[0].Bits() <= v.bits {
		v.next = netip.PrefixFrom(v.blocks[0].Addr(), v.bits)
	}
	return v
}

// lease gives uid an address of the SubnetSet, which may carve a subnet.
func (p *addressPlan) lease(v *vpc, set, uid string) (lease, error) {
	for _, s := range v.bySet[set] {
		if l, ok := s.take(uid); ok {
			p.ports[uid] = s
			return l, nil
		}
	}
	s := v.carve(set)
	if s == nil {
		return lease{}, v.exhausted()
	}
	l, _ := s.take(uid)
	p.ports[uid] = s
	return l, nil
}

// take gives the lowest free address of the subnet.
func (s *subnet) take(uid string) (lease, bool) {
	gateway := s.prefix.Addr().Next()
	count := 1<<(32-s.prefix.Bits()) - reservedAddresses
	for address := gateway.Next().Next(); count > 0; address, count = address.Next(), count-1 {
		if _, taken := s.taken[address]; !taken {
			s.taken[address] = uid
			return lease{address, gateway, s.prefix}, true
		}
	}
	return lease{}, false
}

// carve takes the next free subnet of the VPC for a set; nil when there is none.
func (v *vpc) carve(set string) *subnet {
	var prefix netip.Prefix
	switch {
	case len(v.freed) > 0:
		prefix, v.freed = v.freed[0], v.freed[1:]
	case v.next.IsValid():
		prefix = v.next
		v.advance()
	default:
		return nil
	}
	return v.add(prefix, set)
}

func (v *vpc) add(prefix netip.Prefix, set string) *subnet {
	s := &subnet{vpc: v, prefix: prefix, set: set, taken: map[netip.Addr]string{}}
	v.subnets[prefix] = s
	v.bySet[set] = append(v.bySet[set], s)
	return s
}

// advance moves next to the following subnet that is free, of this block or a later one.
func (v *vpc) advance() {
	for {
		after := lastOf(v.next).Next()
		block := slices.IndexFunc(v.blocks, func(b netip.Prefix) bool { return b.Contains(v.next.Addr()) })
		switch {
		case after.IsValid() && v.blocks[block].Contains(after):
			v.next = netip.PrefixFrom(after, v.bits)
		case block+1 < len(v.blocks):
			v.next = netip.PrefixFrom(v.blocks[block+1].Addr(), v.bits)
		default:
			v.next = netip.Prefix{}
			return
		}
		if v.subnets[v.next] == nil {
			return
		}
	}
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

func (v *vpc) exhausted() error {
	used, blocks := 0, make([]string, len(v.blocks))
	for _, s := range v.subnets {
		used += len(s.taken)
	}
	for i, b := range v.blocks {
		blocks[i] = b.String()
	}
	return fmt.Errorf("no free address: the private block %s of VPC %s is used up (%s of %d addresses each, %d in use)",
		strings.Join(blocks, ", "), v.name, counted(len(v.subnets), "subnet"), 1<<(32-v.bits)-reservedAddresses, used)
}

// release frees what an object had; a subnet without ports goes back to the VPC.
func (p *addressPlan) release(uid string) {
	p.vips.release(uid)
	p.nodes.release(uid)
	s := p.ports[uid]
	if s == nil {
		return
	}
	delete(p.ports, uid)
	for address, who := range s.taken {
		if who == uid {
			delete(s.taken, address)
		}
	}
	if len(s.taken) == 0 {
		delete(s.vpc.subnets, s.prefix)
		s.vpc.bySet[s.set] = slices.DeleteFunc(s.vpc.bySet[s.set], func(o *subnet) bool { return o == s })
		s.vpc.freed = append(s.vpc.freed, s.prefix)
		slices.SortFunc(s.vpc.freed, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	}
}

// counted is "1 subnet", "2 subnets", "2 addresses".
func counted(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// adoptPort notes the address that a SubnetPort or a VirtualNetworkInterface has
// already.
func (p *addressPlan) adoptPort(v *vpc, u *unstructured.Unstructured) {
	for _, item := range resource.Items(u.Object, "status", "networkInterfaceConfig", "ipAddresses") {
		if own, err := netip.ParsePrefix(resource.Text(item, "ipAddress")); err == nil {
			p.adopt(v, own, namespaceOf(u)+"/"+resource.Text(u.Object, "spec", "subnetSet"), uidOf(u))
		}
	}
	if own, ok := prefixOf(u); ok {
		p.adopt(v, own, namespaceOf(u)+"/"+resource.Text(u.Object, "spec", "virtualNetwork"), uidOf(u))
	}
}

// adopt notes that uid has own, in a subnet of set.
func (p *addressPlan) adopt(v *vpc, own netip.Prefix, set, uid string) {
	prefix := own.Masked()
	s := v.subnets[prefix]
	if s == nil {
		s = v.add(prefix, set)
	}
	s.taken[own.Addr()] = uid
	p.ports[uid] = s
	if v.next == prefix {
		v.advance()
	}
}

// sharedVPC is the one of all vSphere Namespaces that name no private blocks.
const sharedVPC = "default"

// vpcOf is the VPC of a namespace: its own where it names private blocks, else
// the one that the site's namespaces share.
func (m *Manager) vpcOf(namespace string) *vpc {
	return m.addresses.vpc(m.vpcNamed(namespace))
}

// vpcNamed is what the VPC of a namespace is made of.
func (m *Manager) vpcNamed(namespace string) (name string, blocks []string, subnetSize int) {
	if spec, ok := m.vsphere.Namespace(namespace); ok && len(spec.Network.PrivateCIDRs) > 0 {
		return namespace, spec.Network.PrivateCIDRs, m.subnetSize(namespace)
	}
	return sharedVPC, m.inventory.Spec.Networks.PrivateCIDRs, m.inventory.SubnetSize()
}

func (m *Manager) subnetSize(namespace string) int {
	if spec, ok := m.vsphere.Namespace(namespace); ok && spec.Network.SubnetSize > 0 {
		return int(spec.Network.SubnetSize)
	}
	return m.inventory.SubnetSize()
}

// adoptAddress takes over what a loaded object has of the address plan.
func (m *Manager) adoptAddress(u *unstructured.Unstructured) {
	switch keyOf(u).GK() {
	case kindService.GroupKind:
		m.addresses.vips.adopt(uidOf(u), ingressOf(u))
	case kindNetworkInterface.GroupKind:
		m.addresses.nodes.adopt(uidOf(u), firstIPConfig(u))
	case kindSubnetPort.GroupKind, kindVirtualNetworkInterface.GroupKind:
		m.addresses.adoptPort(m.vpcOf(namespaceOf(u)), u)
	}
}
