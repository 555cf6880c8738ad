package reconcile

import (
	"context"
	"fmt"
	"sync"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
)

// Daemon keeps any number of Supervisors equal to any number of sources.
type Daemon struct {
	Feeds []*Feed
	Loops []*Loop
}

// Run runs all of it until ctx ends.
func (d *Daemon) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, f := range d.Feeds {
		running.Go(func() { f.Run(ctx) })
	}
	for _, l := range d.Loops {
		running.Go(func() { l.Run(ctx) })
	}
	running.Wait()
}

// Status is how everything stands.
func (d *Daemon) Status() Status {
	s := Status{Sources: []SourceStatus{}, Loops: []LoopStatus{}}
	for _, f := range d.Feeds {
		s.Sources = append(s.Sources, f.Status())
	}
	for _, l := range d.Loops {
		s.Loops = append(s.Loops, l.Status())
	}
	return s
}

// Approve approves the plan that waits on a loop, as Loop.Approve does.
func (d *Daemon) Approve(ctx context.Context, source, supervisor, digest string) error {
	for _, l := range d.Loops {
		if l.Source == source && l.Supervisor == supervisor {
			return l.Approve(ctx, digest)
		}
	}
	return fmt.Errorf("%w: there is no source %q on a Supervisor %q", ErrNotPending, source, supervisor)
}

// PartFor is what of a revision is for one Supervisor of several: the vSphere
// Namespaces that name it with the Clusters in them. Clusters in namespaces that
// the repository does not describe are for the one that takes the rest.
func PartFor(supervisor string, rest bool) func(*schema.Desired) *resource.Set {
	return func(d *schema.Desired) *resource.Set {
		home := map[string]string{}
		for a, o := range d.Resources.All() {
			if a.Kind == resource.KindVSphereNamespace {
				home[a.Name] = resource.Text(o.Object, "spec", "supervisor")
			}
		}
		part := &resource.Set{}
		for a, o := range d.Resources.All() {
			namespace := a.Namespace
			if a.Kind == resource.KindVSphereNamespace {
				namespace = a.Name
			}
			if at, described := home[namespace]; at == supervisor || rest && !described {
				part.Put(o)
			}
		}
		return part
	}
}
