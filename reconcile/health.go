package reconcile

import (
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/plan"
)

// Health is how the two endpoints of an Engine are at one moment.
type Health struct {
	// Supervisor and VCenter are of the Links that the Endpoints had; the zero
	// Health where there is none.
	Supervisor, VCenter link.Health
	// Watch is why the kinds that runs decide by cannot be listed at the moment;
	// empty when they can. What is known of them may be out of date then.
	Watch string
	// Unread are the kinds that are missing in the journals of live runs.
	Unread []plan.Unread
}

// OK says whether both endpoints answer and what runs decide by is up to date.
func (h Health) OK() bool {
	well := func(l link.Health) bool { return l.State == link.OK || l.State == "" }
	return well(h.Supervisor) && well(h.VCenter) && h.Watch == ""
}

// Health is how the endpoints are, as the last requests showed.
func (e Endpoints) Health() Health {
	return linkHealth(e.KubeLink, e.VSphere.Link)
}

func linkHealth(kube, vcenter *link.Link) (h Health) {
	if kube != nil {
		h.Supervisor = kube.Health()
	}
	if vcenter != nil {
		h.VCenter = vcenter.Health()
	}
	return h
}

// Health asks nobody: it is what the last requests showed.
func (e *Engine) Health() Health {
	h := linkHealth(e.kubeLink, e.vcenterLink)
	if err := e.cache.Err(); err != nil {
		h.Watch = reasonUnread(err)
	}
	if e.history != nil {
		h.Unread = append(e.history.unread(), e.use.missing()...)
	}
	return h
}
