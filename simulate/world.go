// Package simulate is the World that is not real: a vCenter (vcsim behind an
// admission layer, simulate/vcenter), a Supervisor's Kubernetes API
// (simulate/kubeapi) and its controllers (simulate/controllers), all in one
// discrete model time. Clients reach it through DialContext, as they would reach
// a live one through the network; nothing above knows the difference. It hides
// how time, latencies, placement and addresses are modelled.
//
// The same Config gives the same world to the last byte: nothing in it depends
// on the wall clock, on global randomness, or on the order of goroutines. Only a
// world that is served to clients on the network lives with the wall clock, and
// with whatever they do when.
package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/vcenter"
)

// Epoch is where model time starts in a world that was not loaded.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// DefaultUser is who logs in to the simulated vCenter.
const DefaultUser = "administrator@vsphere.local"

// Config is what a World is made of.
type Config struct {
	// Inventory is the site. Nil takes that of the saved world in From.
	Inventory *inventory.Inventory
	// Seed decides names, UUIDs and durations.
	Seed uint64
	// From is the folder of a saved world to go on with; empty starts afresh.
	From string
	// Start is when model time begins; the zero time is Epoch. A saved world goes
	// on no earlier than it ended.
	Start time.Time
	// Latencies says how long what is outside the controllers takes; a step that is
	// not in it takes what controllers.DefaultLatencies says. Nil is all of these.
	Latencies map[controllers.Step]controllers.Triangle
	// Speed is how many seconds of model time pass in a second; 0 is as fast as
	// possible. A served world is told by ServeOptions instead.
	Speed float64
	// Record is told of every change of an object and of a virtual machine, and now
	// and then of what is in use of the site, in order, from the goroutine that
	// waits. It may be nil.
	Record func(now time.Time, e journal.Event)
	// Defer, where it is set, is told in place of Record, so that the events are made
	// while the world goes on. It has the tellings called in order, one at a time,
	// whenever and wherever it likes; journal.Recorder.Defer does that.
	Defer func(journal.Telling)
}

// World is a simulated site with its Supervisor.
type World struct {
	clock       clock
	speed       float64
	seed        uint64
	inventory   *inventory.Inventory
	store       *kubeapi.Store
	vcenter     *vcenter.VCenter
	controllers *controllers.Manager
	changes     changeLog
	metering    metering
	endpoints   map[string]endpoint // by host
	user        *url.Userinfo
	inbox       *inbox             // nil until the world is served
	onInterfere func(Interference) // nil: nobody wants to know
}

var _ apply.World = (*World)(nil)

// The hosts under which the two endpoints are dialled.
const (
	supervisorHost = "supervisor.simulated"
	vcenterHost    = "vcenter.simulated"
)

// New builds a world. The caller closes it.
func New(c Config) (*World, error) {
	var saved *snapshot
	if c.From != "" {
		var err error
		if saved, err = load(c.From); err != nil {
			return nil, err
		}
		if c.Inventory == nil {
			c.Inventory = saved.Inventory
		}
	}
	if c.Inventory == nil {
		return nil, fmt.Errorf("a simulated world needs an inventory")
	}
	if c.Start.IsZero() {
		c.Start = Epoch
	}
	w := &World{clock: clock{now: c.Start}, speed: c.Speed, seed: c.Seed, inventory: c.Inventory,
		user: url.UserPassword(DefaultUser, "simulated")}
	chance := controllers.Chance(c.Seed)
	w.store = kubeapi.New(kubeapi.Config{
		Kinds: append(kubeapi.CoreKinds(), controllers.Kinds()...),
		Clock: &w.clock,
		UID: func(k kubeapi.Key, n uint64) string {
			return chance.UUID("uid", k.Group, k.Kind, k.Namespace, k.Name, strconv.FormatUint(n, 10))
		},
		Admit:   controllers.Admission(c.Inventory),
		Convert: controllers.Convert,
	})
	var hooks vcenter.NamespaceHooks
	var err error
	w.vcenter, err = vcenter.New(vcenter.Config{Inventory: c.Inventory, Namespaces: vcenter.NamespaceHooks{
		Created: func(s vcenter.NamespaceSpec) { hooks.Created(s) },
		Updated: func(s vcenter.NamespaceSpec) { hooks.Updated(s) },
		Deleted: func(s vcenter.NamespaceSpec) { hooks.Deleted(s) },
	}, OnChange: w.interfere})
	if err != nil {
		return nil, fmt.Errorf("building the simulated vCenter: %w", err)
	}
	w.controllers = controllers.New(controllers.Config{
		Store: w.store, Clock: &w.clock, VSphere: w.vcenter, Inventory: c.Inventory, Chance: chance, OnVM: w.changes.addVM,
		Latencies: latencies(c.Latencies),
	})
	hooks = w.controllers.NamespaceHooks()
	w.changes = changeLog{now: w.clock.Now, store: w.store, later: c.telling(), attribution: phase.NewAttribution(w.lookup)}
	if err := w.populate(saved); err != nil {
		return nil, w.abandon(err)
	}
	w.store.Subscribe(func(change kubeapi.Change) {
		w.changes.add(change)
		if w.inbox != nil {
			w.inbox.add(change)
			return
		}
		w.controllers.Observe(change)
	})
	if saved != nil {
		w.controllers.Resume(w.store.All())
		w.controllers.ResumeNamespaces(saved.VCenter.Namespaces)
	}
	w.serve()
	return w, nil
}

// latencies are the default ones with those that are given in their place.
func latencies(given map[controllers.Step]controllers.Triangle) map[controllers.Step]controllers.Triangle {
	all := maps.Clone(controllers.DefaultLatencies)
	maps.Copy(all, given)
	return all
}

// lookup is an object of the Supervisor, nil when there is none.
func (w *World) lookup(a resource.Addr) *unstructured.Unstructured {
	return w.store.Get(kubeapi.Key{Group: a.Group, Kind: a.Kind, Namespace: a.Namespace, Name: a.Name})
}

// populate fills the world, from a saved one or with what every Supervisor has.
func (w *World) populate(saved *snapshot) error {
	if saved == nil {
		return w.controllers.Fixtures()
	}
	if saved.Time.After(w.clock.now) {
		w.clock.now = saved.Time
	}
	var both errgroup.Group // they take as long as each other
	both.Go(func() error {
		if err := w.vcenter.Restore(saved.VCenter); err != nil {
			return fmt.Errorf("restoring the simulated vCenter: %w", err)
		}
		return nil
	})
	both.Go(func() error {
		objects, err := saved.objects()
		if err != nil {
			return err
		}
		if err := w.store.Restore(objects); err != nil {
			return fmt.Errorf("restoring the simulated Supervisor: %w", err)
		}
		return nil
	})
	return both.Wait()
}

func (w *World) abandon(cause error) error {
	if err := w.vcenter.Close(); err != nil {
		return fmt.Errorf("%w (and closing the simulated vCenter: %w)", cause, err)
	}
	return cause
}

// An endpoint is served in memory.
type endpoint struct {
	listener *kubeapi.PipeListener
	server   *http.Server
}

// close ends it, and cuts what is connected: an open connection would keep the
// whole world.
func (e endpoint) close() error {
	return errors.Join(e.listener.Close(), e.server.Close())
}

func (w *World) serve() {
	w.endpoints = map[string]endpoint{}
	for host, handler := range map[string]http.Handler{supervisorHost: w.store.Handler(), vcenterHost: w.vcenter.Handler()} {
		e := endpoint{kubeapi.NewPipeListener(), &http.Server{Handler: handler}}
		w.endpoints[host] = e
		// It returns when the endpoint is closed, which is no fault.
		go func() { _ = e.server.Serve(e.listener) }()
	}
}

// Interference is what somebody did in vCenter to a VM of the Supervisor.
type Interference = vcenter.Change

// interfere has VM Service look at a VM that somebody changed.
func (w *World) interfere(c vcenter.Change) {
	w.clock.AfterFunc(0, func() {
		if w.onInterfere != nil {
			w.onInterfere(c)
		}
		w.controllers.ObserveVM(c)
	})
}

// DialContext connects to one of the world's endpoints, in memory.
func (w *World) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	e, known := w.endpoints[host]
	if !known {
		return nil, fmt.Errorf("dialling %s: there is no such host in the simulated world", address)
	}
	return e.listener.Dial(ctx, network, address)
}

// KubeConfig leads client-go to the Supervisor. The transport is given, since
// client-go would keep one that it makes itself, and the world with it, for good.
func (w *World) KubeConfig() *rest.Config {
	transport := &http.Transport{DialContext: w.DialContext, MaxIdleConnsPerHost: idleConnections}
	return &rest.Config{Host: "http://" + supervisorHost, Transport: transport, QPS: -1, UserAgent: "vksync"}
}

// idleConnections are kept for reuse by a client, as many as client-go keeps itself.
const idleConnections = 25

// VSphereConfig leads govmomi to vCenter.
func (w *World) VSphereConfig() vsphere.Config {
	return vsphere.Config{
		URL:         &url.URL{Scheme: "http", Host: vcenterHost, Path: "/sdk", User: w.user},
		DialContext: w.DialContext,
	}
}

// Now is the model time.
func (w *World) Now() time.Time { return w.clock.Now() }

// Wait lets model time run until something was written of a kind that a client
// watches, or until deadline. Several writes of one instant are one reason to
// return.
func (w *World) Wait(ctx context.Context, deadline time.Time, _ <-chan struct{}) (string, error) {
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if err := w.controllers.Err(); err != nil {
			return "", err
		}
		changes, watched := w.changes.take()
		var seen uint64
		if watched {
			seen = w.store.Bookmark() // clients read it while the journal is written
		}
		w.changes.tell(changes)
		if w.tellUsePaced(); watched {
			return strconv.FormatUint(seen, 10), nil
		}
		next, any := w.clock.next()
		if !any || next.After(deadline) {
			if err := w.pass(ctx, deadline); err != nil {
				return "", err
			}
			break
		}
		if err := w.pass(ctx, next); err != nil {
			return "", err
		}
	}
	return strconv.FormatUint(w.store.Bookmark(), 10), nil
}

// pass moves model time to at, at the pace asked for.
func (w *World) pass(ctx context.Context, at time.Time) error {
	if w.speed > 0 {
		wall := time.NewTimer(time.Duration(float64(at.Sub(w.clock.Now())) / w.speed))
		defer wall.Stop()
		select {
		case <-wall.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.clock.advance(at)
	return nil
}

// Close ends the world's servers and removes what it keeps on disk.
func (w *World) Close() error {
	var faults []error
	for _, e := range w.endpoints {
		faults = append(faults, e.close())
	}
	return errors.Join(append(faults, w.vcenter.Close())...)
}

// Inventory is the site the world was built from, as a manifest would give it.
func (w *World) Inventory() (resource.Object, error) {
	text, err := json.Marshal(w.inventory)
	if err != nil {
		return resource.Object{}, fmt.Errorf("encoding the inventory: %w", err)
	}
	o := resource.NewObject(map[string]any{})
	if err := utiljson.Unmarshal(text, &o.Object); err != nil {
		return resource.Object{}, fmt.Errorf("encoding the inventory: %w", err)
	}
	o.SetAPIVersion("vksync.dev/v1alpha1")
	o.SetKind(resource.KindInventory)
	return o, nil
}
