package plan

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	res "github.com/vksync/vksync/reconcile/resource"
)

// catalog answers what a cluster may use once the plan's vSphere Namespaces are
// as desired. Every answer has a second result that is false when it cannot be
// known.
type catalog struct {
	desired  *res.Set
	observed *Observed
	// byKind has the observed objects of a kind, in order.
	byKind map[string][]res.Object
	// inNamespace has them by kind and namespace.
	inNamespace map[[2]string][]res.Object
	unread      map[string]string
	// sizes are VM classes by name, from any namespace: they are copies of one.
	sizes map[string]size
	// site is the spec of the Inventory, nil when none is known.
	site map[string]any
}

// size is what a VM class asks for.
type size struct {
	cpus, memoryMiB int64
	// reserved says that all of it is guaranteed.
	reserved bool
}

func newCatalog(desired *res.Set, observed *Observed) *catalog {
	c := &catalog{
		desired: desired, observed: observed,
		byKind: map[string][]res.Object{}, inNamespace: map[[2]string][]res.Object{},
		unread: map[string]string{}, sizes: map[string]size{},
	}
	for _, u := range observed.Unread {
		c.unread[u.Kind] = u.Reason
	}
	for addr, o := range observed.Live.All() {
		c.byKind[addr.Kind] = append(c.byKind[addr.Kind], o)
		if addr.Namespace != "" {
			key := [2]string{addr.Kind, addr.Namespace}
			c.inNamespace[key] = append(c.inNamespace[key], o)
		}
	}
	for _, o := range c.byKind[res.KindInventory] {
		c.site = res.Fields(o.Object, "spec")
	}
	c.readSizes()
	return c
}

func (c *catalog) readSizes() {
	for _, item := range res.Items(c.site, "vmClasses") {
		c.sizes[res.Text(item, "name")] = size{res.Int(item, "cpus"), res.Int(item, "memoryMiB"), res.Flag(item, "reserved")}
	}
	for _, o := range c.byKind["VirtualMachineClass"] {
		c.sizes[o.GetName()] = size{
			cpus:      res.Int(o.Object, "spec", "hardware", "cpus"),
			memoryMiB: mebibytes(res.Text(o.Object, "spec", "hardware", "memory")),
			reserved:  res.Fields(o.Object, "spec", "policies", "resources", "requests") != nil || strings.HasPrefix(o.GetName(), "guaranteed-"),
		}
	}
}

// known says whether a kind could be read.
func (c *catalog) known(kind string) bool { return c.unread[kind] == "" }

// namespace is the vSphere Namespace as it is to be, or as it is.
func (c *catalog) namespace(name string) (res.Object, bool) {
	addr := res.Addr{Group: res.GroupVksync, Kind: res.KindVSphereNamespace, Name: name}
	if o, ok := c.desired.Get(addr); ok {
		return o, true
	}
	return c.observed.Live.Get(addr)
}

// vmClasses lists the VM classes of a namespace.
func (c *catalog) vmClasses(namespace string) ([]string, bool) {
	if ns, ok := c.namespace(namespace); ok {
		return texts(res.Items(ns.Object, "spec", "vmClasses")), true
	}
	return names(c.inNamespace[[2]string{"VirtualMachineClass", namespace}]), c.known("VirtualMachineClass")
}

// storageClasses lists the storage classes a namespace may use.
func (c *catalog) storageClasses(namespace string) ([]string, bool) {
	var out []string
	if ns, ok := c.namespace(namespace); ok {
		for _, policy := range res.Items(ns.Object, "spec", "storagePolicies") {
			out = append(out, storageClassOf(res.Text(policy, "name")))
		}
		return out, true
	}
	for _, quota := range c.inNamespace[[2]string{"StoragePolicyQuota", namespace}] {
		out = append(out, strings.TrimSuffix(quota.GetName(), "-storagepolicyquota"))
	}
	return out, c.known("StoragePolicyQuota")
}

// zones lists the zones of a namespace; of the whole site when it does not
// exist yet.
func (c *catalog) zones(namespace string) ([]string, bool) {
	zones := names(c.inNamespace[[2]string{"Zone", namespace}])
	if len(zones) > 0 {
		return zones, true
	}
	for _, zone := range res.Items(c.site, "zones") {
		zones = append(zones, res.Text(zone, "name"))
	}
	if len(zones) > 0 {
		return zones, true
	}
	_, exists := c.observed.Live.Get(namespaceAddr(res.Addr{Namespace: namespace}))
	return nil, exists && c.known("Zone")
}

// hostMHz is the clock of the slowest host's cores; 0 when no inventory says.
func (c *catalog) hostMHz() int64 {
	var slowest int64
	for _, zone := range res.Items(c.site, "zones") {
		for _, host := range res.Items(zone, "hosts") {
			if mhz := res.Int(host, "mhz"); slowest == 0 || mhz < slowest {
				slowest = mhz
			}
		}
	}
	return slowest
}

// storageClassOf is the StorageClass that a storage policy becomes (domain.md 1.18).
func storageClassOf(policy string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(policy), func(r rune) bool {
		return r == ' ' || r == '_'
	}), "-")
}

// mebibytes reads a Kubernetes quantity; 0 when it is none.
func mebibytes(quantity string) int64 {
	q, err := resource.ParseQuantity(quantity)
	if err != nil {
		return 0
	}
	return (q.Value() + 1<<20 - 1) >> 20
}

func names(objects []res.Object) []string {
	out := make([]string, 0, len(objects))
	for _, o := range objects {
		out = append(out, o.GetName())
	}
	return out
}

func texts(items []any) []string {
	out := make([]string, 0, len(items))
	for _, item := range items {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}
