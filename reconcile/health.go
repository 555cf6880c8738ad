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

// Health asks nobody: it is what the last requests showed.
func (e *Engine) Health() Health {
	var h Health
	if e.kubeLink != nil {
		h.Supervisor = e.kubeLink.Health()
	}
	if e.vcenterLink != nil {
		h.VCenter = e.vcenterLink.Health()
	}
	if err := e.cache.Err(); err != nil {
		h.Watch = reasonUnread(err)
	}
	if e.history != nil {
		h.Unread = e.history.unread()
	}
	return h
}
