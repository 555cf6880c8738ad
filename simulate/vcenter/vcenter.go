package vcenter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/simulate/inventory"
)

// Config is what a VCenter is made of.
type Config struct {
	Inventory *inventory.Inventory
	// TempDir holds the simulator's datastore folders while the VCenter lives;
	// empty is memory where the system has a writable /dev/shm, else os.TempDir.
	TempDir    string
	Namespaces NamespaceHooks
	// OnChange is told what clients do to VMs of the Supervisor, when it is done.
	// It must not call the VCenter. It may be nil.
	OnChange func(Change)
}

// VCenter is one simulated vCenter. Its methods are safe for concurrent use, but
// only one of those that change the SOAP side runs at a time, so that the same
// calls in the same order give the same managed object ids.
type VCenter struct {
	inv     *inventory.Inventory
	scratch *scratch
	// onChange is Config.OnChange.
	onChange func(Change)

	registry *simulator.Registry
	session  *simulator.Session
	tasks    *tasks
	events   events
	handler  http.Handler

	// direct is held during every call that changes vcsim from inside, and during
	// every SOAP call but waits for updates. What is guarded by it may be used by
	// who has only entered.
	direct *backlog
	site   *site
	groups map[groupKey]*group // folders with pools, guarded by direct
	next   int64               // the number of the next object, guarded by direct; see foresee
	// shared says that a client has changed something, or tried to. Names and states
	// are not only ours from then on, and nothing is left for later.
	shared bool // guarded by direct

	// machines has its own lock because clients create machines as well.
	machines *machines
	ledger   *ledger

	namespaces *namespaces
	catalog    *catalog
	sessions   *sessions // of REST; SOAP's are vcsim's
	login      atomic.Pointer[login]
}

// New builds the vCenter that the inventory describes. It opens no socket.
func New(config Config) (*VCenter, error) {
	if config.Inventory == nil {
		return nil, errors.New("building the simulated vCenter: no inventory")
	}
	dir, err := newScratch(config.TempDir)
	if err != nil {
		return nil, fmt.Errorf("building the simulated vCenter: %w", err)
	}
	v := &VCenter{
		inv:      config.Inventory,
		scratch:  dir,
		onChange: config.OnChange,
		direct:   newBacklog(),
		groups:   map[groupKey]*group{},
		machines: newMachines(),
		ledger:   newLedger(config.Inventory),
		catalog:  newCatalog(config.Inventory),
	}
	v.namespaces = newNamespaces(v.catalog, config.Namespaces)
	if err := v.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("building the simulated vCenter: %w", err), v.Close())
	}
	return v, nil
}

// build makes the service and everything in it that an inventory describes.
func (v *VCenter) build() error {
	ctx := simulator.NewContext()
	service := simulator.New(simulator.NewServiceInstance(ctx, serviceContent(v.inv), rootFolder()))
	v.registry, v.session = ctx.Map, ctx.Session
	v.session.UserName = supervisorUser
	v.tasks = newTasks(v.registry, v.settled)
	v.registry.AddHandler(v.tasks)
	v.replaceDisks()

	site, err := v.buildSite()
	if err != nil {
		return err
	}
	v.site = site
	for zone, z := range site.zones {
		v.catalog.clusters[zone] = z.cluster.Value
	}
	v.registry.Handler = v.admit

	service.Listen = &url.URL{User: url.User(supervisorUser)} // has vcsim ask ValidLogin
	v.checkLogins()
	service.RegisterSDK(v.registry, v.registry.Path+"/vimService")
	service.ServeMux.HandleFunc(v.registry.Path+"/vimServiceVersions.xml", service.ServiceVersions)
	mux := http.NewServeMux()
	mux.Handle(v.registry.Path, v.serveSOAP(service.ServeMux))
	mux.Handle(v.registry.Path+"/", v.serveSOAP(service.ServeMux))
	v.serveREST(mux)
	v.handler = mux
	return nil
}

// Close removes what the vCenter keeps on disk. The VCenter is not usable after it.
func (v *VCenter) Close() error {
	v.direct.Lock()
	defer v.direct.Unlock()
	return errors.Join(v.direct.fault(), v.scratch.remove())
}

// Handler serves /sdk (SOAP), the REST sessions, and the REST endpoints of
// Supervisors, vSphere Namespaces, VM classes, storage policies and content
// libraries.
func (v *VCenter) Handler() http.Handler { return v.handler }

// context is what every direct call to vcsim needs anew: its address owns locks.
func (v *VCenter) context() *simulator.Context {
	return &simulator.Context{Context: context.Background(), Session: v.session, Map: v.registry}
}

// find is the object called ref, as T.
func find[T any](v *VCenter, ref types.ManagedObjectReference) (T, error) {
	o, ok := v.registry.Get(ref).(T)
	if !ok {
		return o, fmt.Errorf("%s is not in the simulated vCenter", ref)
	}
	return o, nil
}

// stableID derives a UUID from what it is for, so that it is the same in every run.
func stableID(kind, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("vksync.dev/"+kind+"/"+name)).String()
}
