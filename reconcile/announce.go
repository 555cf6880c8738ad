package reconcile

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

// An announcer tells of a run where operators look anyway: in the log, and in
// Kubernetes Events about the resource concerned.
type announcer struct {
	engine *Engine
	log    *slog.Logger
	queue  chan supervisor.Event
	done   sync.WaitGroup
}

// maxAnnounced is how many Kubernetes Events may wait to be written. More are
// dropped: the journal has them all.
const maxAnnounced = 256

func (e *Engine) announce(ctx context.Context, log *slog.Logger) *announcer {
	a := &announcer{engine: e, log: log, queue: make(chan supervisor.Event, maxAnnounced)}
	a.done.Go(func() {
		for event := range a.queue {
			if err := e.kube.Emit(ctx, event); err != nil && ctx.Err() == nil {
				log.Debug("a Kubernetes Event could not be written", "error", err)
			}
		}
	})
	return a
}

// close waits until what is queued was written, or ctx has ended.
func (a *announcer) close() {
	close(a.queue)
	a.done.Wait()
}

// event is a sink of the run's journal.
func (a *announcer) event(e journal.Event) {
	switch {
	case e.Action != nil:
		a.action(e.Action)
	case e.Blocked != nil:
		a.log.Warn("blocked", "resource", e.Blocked.Addr.String(), "phase", string(e.Blocked.Phase), "cause", e.Blocked.Cause)
		a.emit(e.Blocked.Addr, "Blocked", e.Blocked.Cause, true)
	case e.End != nil:
		a.log.Info("run ended", "outcome", string(e.End.Outcome), "reached", e.End.Reached, "goals", e.End.Goals)
	}
}

// pasts are the reasons of the Kubernetes Events about what was done.
var pasts = map[string]string{"create": "Created", "update": "Updated", "delete": "Deleted"}

func (a *announcer) action(e *journal.Action) {
	about := []any{"verb", e.Verb, "resource", e.Addr.String()}
	switch e.State {
	case journal.ActionDone:
		a.log.Info("action done", about...)
		a.emit(e.Addr, pasts[e.Verb], strings.ToLower(pasts[e.Verb])+", as the repository asks", false)
	case journal.ActionFailed:
		a.log.Error("action failed", append(about, "reason", e.Reason, "message", e.Message)...)
		a.emit(e.Addr, "ActionFailed", "cannot "+e.Verb+" it: "+e.Message, true)
	case journal.ActionSkipped:
		a.log.Warn("action skipped", append(about, "message", e.Message)...)
	}
}

// emit queues an Event about a resource, if the Supervisor has it.
func (a *announcer) emit(addr resource.Addr, reason, message string, warning bool) {
	if addr.Kind == resource.KindVSphereNamespace {
		addr = resource.Addr{Supervisor: addr.Supervisor, Kind: "Namespace", Name: addr.Name}
	}
	about, exists := a.engine.cache.Get(addr)
	if !exists {
		return
	}
	select {
	case a.queue <- supervisor.Event{About: about, Reason: reason, Message: message, Warning: warning}:
	default:
	}
}
