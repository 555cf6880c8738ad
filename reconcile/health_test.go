package reconcile_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/link"
)

func TestHealthSaysWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	kube, vcenter := s.world.KubeConfig(), s.world.VSphereConfig()
	vcenter.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := s.world.DialContext(ctx, network, address)
		return &counting{Conn: conn, wire: s.wire}, err
	}
	vcenter.Link = link.New(link.Options{Name: "the vCenter", Attempts: 1, Pause: time.Hour})
	e, err := reconcile.Connect(t.Context(), reconcile.Endpoints{
		Kube: kube, KubeLink: link.New(link.Options{Name: "the Supervisor"}), VSphere: vcenter, World: s.world, Source: "fleet",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(t.Context()) }() // which cannot log out
	if h := e.Health(); !h.OK() || h.Supervisor.Name != "the Supervisor" || h.VCenter.Name != "the vCenter" {
		t.Errorf("when all is well: %+v", h)
	}
	s.wire.cutOff()
	if p, err := e.Plan(t.Context(), desired(t, teamA), reconcile.Options{}); err == nil {
		t.Errorf("there is a plan without a vCenter:\n%s", p.Text())
	}
	if h := e.Health(); h.OK() || h.VCenter.State == link.OK || h.VCenter.LastError == "" || h.Supervisor.State != link.OK {
		t.Errorf("when vCenter is gone: %+v", h)
	}
}
