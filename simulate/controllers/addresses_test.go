package controllers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vksync/vksync/simulate/inventory"
)

func planOf(t *testing.T, ranges ...string) addressPlan {
	t.Helper()
	return newAddressPlan(&inventory.Inventory{Spec: inventory.Spec{LoadBalancer: inventory.LoadBalancer{Ranges: ranges}}})
}

func TestASubnetGivesItsSizeLessFour(t *testing.T) {
	t.Parallel()
	p := planOf(t)
	v := p.vpc("default", []string{"172.26.0.0/27"}, 16)
	var got []string
	for i := range 24 {
		l, err := p.lease(v, "ns/set", fmt.Sprint(i))
		if err != nil {
			t.Fatalf("address %d of 24: %v", i+1, err)
		}
		got = append(got, l.address.String())
	}
	if got[0] != "172.26.0.3" || got[11] != "172.26.0.14" || got[12] != "172.26.0.19" {
		t.Errorf("addresses are %v, want .3 to .14 of the first /28 and then .19 of the second", got)
	}
	_, err := p.lease(v, "ns/set", "one too many")
	if err == nil || !strings.Contains(err.Error(), "172.26.0.0/27") || !strings.Contains(err.Error(), "24 in use") {
		t.Errorf("a full VPC says %v, want the block and how much is in use", err)
	}
	p.release("5")
	if l, err := p.lease(v, "ns/set", "next"); err != nil || l.address.String() != "172.26.0.8" {
		t.Errorf("after a release the next address is %v, %v, want the released 172.26.0.8", l.address, err)
	}
}

func TestSetsHaveSubnetsOfTheirOwnThatGoBackWhenEmpty(t *testing.T) {
	t.Parallel()
	p := planOf(t)
	v := p.vpc("default", []string{"10.0.0.0/28", "10.9.0.0/28"}, 16)
	a, err := p.lease(v, "ns/a", "1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.lease(v, "ns/b", "2")
	if err != nil {
		t.Fatal(err)
	}
	if a.subnet == b.subnet || b.subnet.String() != "10.9.0.0/28" {
		t.Errorf("subnets of two sets are %s and %s, want one each", a.subnet, b.subnet)
	}
	if _, err := p.lease(v, "ns/c", "3"); err == nil {
		t.Error("a third set got a subnet, but both blocks are used up")
	}
	p.release("1")
	if c, err := p.lease(v, "ns/c", "3"); err != nil || c.subnet != a.subnet {
		t.Errorf("after the first set's last port went, the third got %v, %v, want %s", c.subnet, err, a.subnet)
	}
}

func TestTheLoadBalancerPoolRunsOut(t *testing.T) {
	t.Parallel()
	p := planOf(t, "10.20.0.10-10.20.0.11", "10.20.0.20")
	for i, want := range []string{"10.20.0.10", "10.20.0.11", "10.20.0.20"} {
		got, err := p.vips.lease(fmt.Sprint(i))
		if err != nil || got.String() != want {
			t.Errorf("address %d is %v, %v, want %s", i, got, err, want)
		}
	}
	if _, err := p.vips.lease("x"); err == nil || !strings.Contains(err.Error(), "the pool has 3 addresses, all in use") {
		t.Errorf("an empty pool says %v", err)
	}
	p.release("1")
	if got, err := p.vips.lease("x"); err != nil || got.String() != "10.20.0.11" {
		t.Errorf("after a release the next is %v, %v, want 10.20.0.11", got, err)
	}
}
