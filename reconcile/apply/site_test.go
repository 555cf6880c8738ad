package apply_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// How long things take in a site.
const (
	namespaceTakes = 5 * time.Second
	clusterTakes   = time.Minute
	removalTakes   = 30 * time.Second
)

// A site is a World and an Actor in which things take their time: a vSphere
// Namespace runs, a Cluster is available and either is gone a while after it was
// asked for. Time stands still but while the run waits.
type site struct {
	mu      sync.Mutex // guards what is below: actions come side by side
	now     time.Time
	queue   []happening
	objects map[resource.Addr]resource.Object
	// vcenter is what Refresh reads.
	vcenter map[resource.Addr]resource.Object
	changed map[resource.Addr]bool

	// stuck resources take an action and then do not move.
	stuck map[resource.Addr]bool
	// refuse answers the nth attempt (from 0) of an action.
	refuse map[resource.Addr]func(n int) error
	// replans are what is planned after each round; nothing when they are used up.
	replans []*plan.Plan
	// refreshes answer Refresh, one after the other; nil when they are used up.
	refreshes []error

	// refused is what TakeRefused gives next.
	refused map[resource.Addr]*apply.Failure

	attempts map[resource.Addr][]time.Duration // since epoch
	gets     int
	waits    int
	replaned int
	events   []journal.Event
}

type happening struct {
	at time.Time
	do func()
}

var (
	_ apply.World = (*site)(nil)
	_ apply.Actor = (*site)(nil)
)

func newSite() *site {
	return &site{
		now: epoch, objects: map[resource.Addr]resource.Object{}, vcenter: map[resource.Addr]resource.Object{},
		changed: map[resource.Addr]bool{}, stuck: map[resource.Addr]bool{}, refuse: map[resource.Addr]func(int) error{},
		attempts: map[resource.Addr][]time.Duration{},
	}
}

// run runs a plan on the site and asks what holds for every run.
func (s *site) run(t testing.TB, ctx context.Context, p *plan.Plan, with ...func(*apply.Options)) (journal.End, error) {
	t.Helper()
	recorder := journal.NewRecorder(epoch, func(e journal.Event) { s.events = append(s.events, e) })
	o := apply.Options{World: s, Client: s, Journal: recorder, StallAfter: 10 * time.Minute}
	for _, f := range with {
		f(&o)
	}
	end, err := apply.Run(ctx, p, o)
	if len(s.events) < 2 || s.events[0].Begin == nil || s.events[len(s.events)-1].End == nil {
		t.Fatalf("the journal does not go from Begin to End: %v", s.story())
	}
	if last := *s.events[len(s.events)-1].End; last != end {
		t.Errorf("the journal ends with %v, the run with %v", last, end)
	}
	return end, err
}

// story is the journal between Begin and End, a line for each event.
func (s *site) story() []string {
	var out []string
	for _, e := range s.events {
		at := e.At().String()
		switch {
		case e.Action != nil:
			line := fmt.Sprintf("%s %s %s %s", at, e.Action.Verb, e.Action.Addr, e.Action.State)
			if e.Action.Reason != "" {
				line += " " + e.Action.Reason + ": " + e.Action.Message
			}
			out = append(out, line)
		case e.Blocked != nil:
			out = append(out, fmt.Sprintf("%s blocked %s: %s", at, e.Blocked.Addr, e.Blocked.Cause))
		}
	}
	return out
}

func (s *site) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// waitLimit is far more than any run here needs.
const waitLimit = 100_000

func (s *site) Wait(ctx context.Context, deadline time.Time, _ <-chan struct{}) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if s.waits++; s.waits > waitLimit {
		return "", errors.New("the run does not come to an end")
	}
	if len(s.changed) > 0 {
		return "", nil
	}
	if len(s.queue) == 0 || s.queue[0].at.After(deadline) {
		s.now = deadline
		return "", nil
	}
	next := s.queue[0]
	s.queue = s.queue[1:]
	s.now = next.at
	next.do()
	return "", nil
}

// after has something happen. It is called with mu held, or before the run.
func (s *site) after(d time.Duration, do func()) {
	s.queue = append(s.queue, happening{s.now.Add(d), do})
	slices.SortStableFunc(s.queue, func(a, b happening) int { return a.at.Compare(b.at) })
}

func (s *site) Changed() <-chan struct{}              { return nil }
func (s *site) CatchUp(context.Context, string) error { return nil }
func (s *site) Get(a resource.Addr) (resource.Object, bool) {
	s.gets++
	o, ok := s.objects[a]
	return o, ok
}

func (s *site) TakeRefused() map[resource.Addr]*apply.Failure {
	out := s.refused
	s.refused = nil
	return out
}

func (s *site) TakeChanged() []resource.Addr {
	var out []resource.Addr
	for a := range s.changed {
		out = append(out, a)
	}
	clear(s.changed)
	slices.SortFunc(out, resource.Addr.Compare)
	return out
}

func (s *site) Refresh(context.Context) error {
	if len(s.refreshes) > 0 {
		err := s.refreshes[0]
		if s.refreshes = s.refreshes[1:]; err != nil {
			return err
		}
	}
	for a, o := range s.vcenter {
		if !reflect.DeepEqual(s.objects[a].Unstructured, o.Unstructured) {
			s.put(a, o)
		}
	}
	for a := range s.objects {
		if _, there := s.vcenter[a]; !there && a.Kind == resource.KindVSphereNamespace {
			s.drop(a)
		}
	}
	return nil
}

func (s *site) Replan(context.Context) (*plan.Plan, error) {
	s.replaned++
	if len(s.replans) == 0 {
		return &plan.Plan{}, nil
	}
	next := s.replans[0]
	s.replans = s.replans[1:]
	return next, nil
}

func (s *site) Do(ctx context.Context, a plan.Action) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.attempts[a.Addr])
	s.attempts[a.Addr] = append(s.attempts[a.Addr], s.now.Sub(epoch))
	if err := ctx.Err(); err != nil {
		return err
	}
	if f := s.refuse[a.Addr]; f != nil {
		if err := f(n); err != nil {
			return err
		}
	}
	if s.stuck[a.Addr] {
		if a.Verb == plan.Create && a.Addr.Kind == resource.KindCluster {
			s.appear(a.Addr, "False")
		}
		return nil
	}
	s.follow(a)
	return nil
}

// follow has happen what an action leads to.
func (s *site) follow(a plan.Action) {
	switch {
	case a.Verb == plan.Delete && a.Addr.Kind == resource.KindVSphereNamespace:
		s.after(removalTakes, func() { delete(s.vcenter, a.Addr) })
	case a.Verb == plan.Delete:
		s.after(removalTakes, func() { s.drop(a.Addr) })
	case a.Addr.Kind == resource.KindVSphereNamespace:
		s.vcenter[a.Addr] = vsphereNamespace(a.Addr.Name, "CONFIGURING")
		s.after(namespaceTakes, func() {
			s.vcenter[a.Addr] = vsphereNamespace(a.Addr.Name, "RUNNING")
			s.kubernetesNamespace(a.Addr.Name)
		})
	default:
		s.appear(a.Addr, "False")
		s.after(clusterTakes, func() { s.appear(a.Addr, "True") })
	}
}

func (s *site) put(a resource.Addr, o resource.Object) {
	s.objects[a] = o
	s.changed[a] = true
}

func (s *site) drop(a resource.Addr) {
	delete(s.objects, a)
	s.changed[a] = true
}

func (s *site) appear(a resource.Addr, available string) {
	s.put(a, clusterObject(a.Namespace, a.Name, available))
}

func (s *site) kubernetesNamespace(name string) {
	s.put(resource.Addr{Kind: "Namespace", Name: name}, resource.NewObject(map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}))
}

func clusterObject(namespace, name, available string) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"status": map[string]any{"conditions": []any{map[string]any{
			"type": "Available", "status": available, "reason": "WorkersWait", "message": "no machine yet",
		}}},
	})
}

func vsphereNamespace(name, status string) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": map[string]any{"name": name},
		"status": map[string]any{"configStatus": status},
	})
}

func clusterAddr(name string) resource.Addr {
	return resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team-a", Name: name}
}

func namespaceAddr(name string) resource.Addr {
	return resource.Addr{Group: "vksync.dev", Kind: "VSphereNamespace", Name: name}
}

// exists puts a namespace that runs, and clusters that are available, into the site.
func (s *site) exists(clusters ...string) {
	s.vcenter[namespaceAddr("team-a")] = vsphereNamespace("team-a", "RUNNING")
	s.kubernetesNamespace("team-a")
	for _, name := range clusters {
		s.appear(clusterAddr(name), "True")
	}
	clear(s.changed)
}

// planOf is a plan of actions, with a goal for each.
func planOf(actions ...plan.Action) *plan.Plan {
	p := &plan.Plan{Revision: "abc123", Actions: actions}
	for _, a := range actions {
		p.Goals = append(p.Goals, plan.Goal{Addr: a.Addr, Verb: a.Verb})
	}
	slices.SortFunc(p.Goals, func(a, b plan.Goal) int { return cmp.Or(a.Addr.Compare(b.Addr)) })
	return p
}

func do(verb plan.Verb, a resource.Addr) plan.Action {
	id := phase.Topology
	if a.Kind == resource.KindVSphereNamespace {
		id = phase.Prerequisites
	}
	return plan.Action{Addr: a, Verb: verb, Phase: id}
}
