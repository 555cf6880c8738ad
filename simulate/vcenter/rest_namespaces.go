package vcenter

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vksync/vksync/simulate/inventory"
)

// wireNamespace is every form a namespace has in REST (domain.md 6.3): what is
// created in version 1 (by cluster) and 2 (by Supervisor), what is patched and
// put, and what is read. A nil field was not sent.
type wireNamespace struct {
	Supervisor       string         `json:"supervisor,omitempty"`
	Cluster          string         `json:"cluster,omitempty"`
	Namespace        string         `json:"namespace,omitempty"`
	Description      *string        `json:"description,omitempty"`
	ResourceSpec     *wireResources `json:"resource_spec,omitempty"`
	AccessList       *[]wireAccess  `json:"access_list,omitempty"`
	StorageSpecs     *[]wireStorage `json:"storage_specs,omitempty"`
	VMService        *wireVMService `json:"vm_service_spec,omitempty"`
	ContentLibraries *[]wireLibrary `json:"content_libraries,omitempty"`
	NetworkSpec      *wireNetwork   `json:"network_spec,omitempty"`
	ConfigStatus     string         `json:"config_status,omitempty"`
	Stats            *wireStats     `json:"stats,omitempty"`
	Messages         *[]wireMessage `json:"messages,omitempty"`
}

type wireResources struct {
	CPULimit     int64 `json:"cpu_limit,omitempty"`             // MHz
	MemoryLimit  int64 `json:"memory_limit,omitempty"`          // MiB
	StorageLimit int64 `json:"storage_request_limit,omitempty"` // MiB
}

type wireAccess struct {
	SubjectType string `json:"subject_type"`
	Subject     string `json:"subject"`
	Domain      string `json:"domain"`
	Role        string `json:"role"`
}

type wireStorage struct {
	Policy string `json:"policy"`
	Limit  int64  `json:"limit,omitempty"` // MiB
}

type wireVMService struct {
	ContentLibraries *[]string `json:"content_libraries,omitempty"`
	VMClasses        *[]string `json:"vm_classes,omitempty"`
}

type wireLibrary struct {
	ContentLibrary string `json:"content_library"`
}

// wireNetwork has the VPC's settings in vpc_network where a namespace is created
// and read, and in vpc_config where it is updated.
type wireNetwork struct {
	Provider   string          `json:"network_provider"`
	VPCNetwork *wireVPCNetwork `json:"vpc_network,omitempty"`
	VPCConfig  *wireVPCConfig  `json:"vpc_config,omitempty"`
}

type wireVPCNetwork struct {
	VPCConfig         *wireVPCConfig `json:"vpc_config,omitempty"`
	DefaultSubnetSize int64          `json:"default_subnet_size,omitempty"`
}

type wireVPCConfig struct {
	PrivateCIDRs      []wireCIDR `json:"private_cidrs,omitempty"`
	DefaultSubnetSize int64      `json:"default_subnet_size,omitempty"`
}

type wireCIDR struct {
	Address string `json:"address"`
	Prefix  int    `json:"prefix"`
}

type wireStats struct {
	CPUUsed     int64 `json:"cpu_used"`
	MemoryUsed  int64 `json:"memory_used"`  // MiB
	StorageUsed int64 `json:"storage_used"` // MiB
}

type wireMessage struct {
	Severity string            `json:"severity"`
	Details  map[string]string `json:"details"`
}

func (v *VCenter) namespaceRoutes() map[string]handleREST {
	const instances = "/api/vcenter/namespaces/instances"
	const access = instances + "/{namespace}/access/{domain}/{subject}" // ?type=USER|GROUP
	return map[string]handleREST{
		"GET " + instances:                       v.listNamespaces,
		"POST " + instances:                      v.createNamespace,
		"GET " + instances + "/{namespace}":      v.getNamespace,
		"PATCH " + instances + "/{namespace}":    v.changeNamespace,
		"PUT " + instances + "/{namespace}":      v.changeNamespace,
		"DELETE " + instances + "/{namespace}":   v.deleteNamespace,
		"GET " + instances + "/v2":               v.listNamespaces,
		"POST " + instances + "/v2":              v.createNamespace,
		"GET " + instances + "/v2/{namespace}":   v.getNamespace,
		"PATCH " + instances + "/v2/{namespace}": v.changeNamespace,
		"PUT " + instances + "/v2/{namespace}":   v.changeNamespace,
		"GET " + access:                          v.getAccess,
		"POST " + access:                         v.setAccess,
		"PUT " + access:                          v.setAccess,
		"DELETE " + access:                       v.deleteAccess,
	}
}

func (v *VCenter) listNamespaces(*http.Request) (any, error) {
	out := []wireNamespace{}
	for _, spec := range v.namespaces.list() {
		out = append(out, wireNamespace{
			Supervisor: v.catalog.supervisor, Cluster: v.catalog.firstCluster(), Namespace: spec.Name,
			Description: &spec.Description, ConfigStatus: spec.ConfigStatus, Stats: v.stats(spec.Name),
		})
	}
	return out, nil
}

func (v *VCenter) getNamespace(r *http.Request) (any, error) {
	name := r.PathValue("namespace")
	spec, ok := v.namespaces.get(name)
	if !ok {
		return nil, refuse(notFound, "There is no vSphere Namespace with the name %q.", name)
	}
	return v.wire(spec), nil
}

func (v *VCenter) createNamespace(r *http.Request) (any, error) {
	var w wireNamespace
	if err := read(r, &w); err != nil {
		return nil, err
	}
	supervisor, ok := v.catalog.supervisorOf(w.Supervisor, w.Cluster)
	if !ok {
		return nil, refuse(notFound, "There is no Supervisor with the identifier %q or on cluster %q.", w.Supervisor, w.Cluster)
	}
	spec := NamespaceSpec{Name: w.Namespace, Supervisor: supervisor, Network: v.defaultNetwork()}
	if err := v.apply(&spec, w, true); err != nil {
		return nil, err
	}
	return nil, v.namespaces.create(spec)
}

// changeNamespace is PATCH, which leaves alone what was not sent, and PUT, which
// empties it.
func (v *VCenter) changeNamespace(r *http.Request) (any, error) {
	var w wireNamespace
	if err := read(r, &w); err != nil {
		return nil, err
	}
	return nil, v.namespaces.update(r.PathValue("namespace"), func(spec *NamespaceSpec) error {
		return v.apply(spec, w, r.Method == http.MethodPut)
	})
}

func (v *VCenter) deleteNamespace(r *http.Request) (any, error) {
	return nil, v.namespaces.remove(r.PathValue("namespace"))
}

// providerCodes are the REST API's names of the network providers. A Supervisor
// without a network of its own calls itself what one on port groups does.
var providerCodes = map[string]string{
	inventory.NSXVPC: "NSX_VPC", inventory.NSXT: "NSXT_CONTAINER_PLUGIN",
	inventory.VDS: "VSPHERE_NETWORK", inventory.Plain: "VSPHERE_NETWORK",
}

// providerCode is how the Supervisor connects its namespaces.
func (v *VCenter) providerCode() string { return providerCodes[v.inv.NetworkProvider()] }

// defaultNetwork is what a namespace gets that asks for no network.
func (v *VCenter) defaultNetwork() Network {
	if v.inv.NetworkProvider() != inventory.NSXVPC {
		return Network{Provider: v.providerCode()}
	}
	return Network{
		Provider:     v.providerCode(),
		PrivateCIDRs: slices.Clone(v.inv.Spec.Networks.PrivateCIDRs),
		SubnetSize:   int64(v.inv.SubnetSize()),
	}
}

// apply writes w into spec, with names for identifiers. With all set, what w does
// not have is emptied, except the network, which cannot be taken away.
func (v *VCenter) apply(spec *NamespaceSpec, w wireNamespace, all bool) error {
	if all {
		spec.Description, spec.Resources, spec.Permissions = "", Resources{}, nil
		spec.StoragePolicies, spec.VMClasses, spec.ContentLibraries = nil, nil, nil
	}
	if w.Description != nil {
		spec.Description = *w.Description
	}
	if w.ResourceSpec != nil {
		spec.Resources = Resources{
			CPULimitMHz: w.ResourceSpec.CPULimit, MemoryLimitMiB: w.ResourceSpec.MemoryLimit, StorageLimitMiB: w.ResourceSpec.StorageLimit,
		}
	}
	return firstError(
		func() error { return checkLimits(spec.Resources) },
		func() error { return applyAccess(spec, w.AccessList) },
		func() error { return v.applyStorage(spec, w.StorageSpecs) },
		func() error { return v.applyVMService(spec, w) },
		func() error { return v.applyNetwork(spec, w.NetworkSpec) },
	)
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func checkLimits(r Resources) error {
	if r.CPULimitMHz < 0 || r.MemoryLimitMiB < 0 || r.StorageLimitMiB < 0 {
		return refuse(invalidArgument, "A limit in resource_spec is negative.")
	}
	return nil
}

func applyAccess(spec *NamespaceSpec, list *[]wireAccess) error {
	if list == nil {
		return nil
	}
	spec.Permissions = nil
	for _, a := range *list {
		if err := a.check(); err != nil {
			return err
		}
		spec.Permissions = append(spec.Permissions, Permission{Subject: a.Subject, Domain: a.Domain, Type: a.SubjectType, Role: a.Role})
	}
	return nil
}

func (a wireAccess) check() error {
	switch {
	case a.Subject == "" || a.Domain == "":
		return refuse(invalidArgument, "An entry of access_list needs a subject and a domain.")
	case !slices.Contains([]string{"USER", "GROUP"}, a.SubjectType):
		return refuse(invalidArgument, "The subject type %q is not USER or GROUP.", a.SubjectType)
	case !slices.Contains([]string{"OWNER", "EDIT", "VIEW"}, a.Role):
		return refuse(invalidArgument, "The role %q is not OWNER, EDIT or VIEW.", a.Role)
	}
	return nil
}

func (v *VCenter) applyStorage(spec *NamespaceSpec, list *[]wireStorage) error {
	if list == nil {
		return nil
	}
	spec.StoragePolicies = nil
	for _, s := range *list {
		name, ok := v.catalog.policies.name(s.Policy)
		if !ok {
			return refuse(invalidArgument, "There is no storage policy with the identifier %q.", s.Policy)
		}
		spec.StoragePolicies = append(spec.StoragePolicies, PolicyLimit{Name: name, LimitMiB: s.Limit})
	}
	return nil
}

// applyVMService takes libraries from vm_service_spec and, as of vCenter 8.0.2,
// from content_libraries.
func (v *VCenter) applyVMService(spec *NamespaceSpec, w wireNamespace) error {
	var ids []string
	given := false
	if w.VMService != nil && w.VMService.ContentLibraries != nil {
		ids, given = append(ids, *w.VMService.ContentLibraries...), true
	}
	if w.ContentLibraries != nil {
		given = true
		for _, l := range *w.ContentLibraries {
			ids = append(ids, l.ContentLibrary)
		}
	}
	if given {
		spec.ContentLibraries = nil
	}
	for _, id := range ids {
		name, ok := v.catalog.libraries.name(id)
		if !ok {
			return refuse(invalidArgument, "There is no content library with the identifier %q.", id)
		}
		if !slices.Contains(spec.ContentLibraries, name) {
			spec.ContentLibraries = append(spec.ContentLibraries, name)
		}
	}
	if w.VMService == nil || w.VMService.VMClasses == nil {
		return nil
	}
	spec.VMClasses = nil
	for _, name := range *w.VMService.VMClasses {
		if !v.catalog.hasClass(name) {
			return refuse(invalidArgument, "There is no VM class %q.", name)
		}
		spec.VMClasses = append(spec.VMClasses, name)
	}
	return nil
}

func (v *VCenter) applyNetwork(spec *NamespaceSpec, w *wireNetwork) error {
	if w == nil {
		return nil
	}
	switch code := v.providerCode(); {
	case !slices.Contains(slices.Collect(maps.Values(providerCodes)), w.Provider):
		return refuse(invalidArgument, "The network provider %q is not NSX_VPC, NSXT_CONTAINER_PLUGIN or VSPHERE_NETWORK.", w.Provider)
	case w.Provider != code:
		return refuse(invalidArgument, "The network provider %s is not that of Supervisor %s, which connects its namespaces with %s.", w.Provider, v.inv.Spec.Supervisor.Name, code)
	}
	spec.Network.Provider = w.Provider
	config, size := w.VPCConfig, int64(0)
	if w.VPCNetwork != nil {
		config, size = w.VPCNetwork.VPCConfig, w.VPCNetwork.DefaultSubnetSize
	}
	if config != nil {
		size = max(size, config.DefaultSubnetSize)
		if len(config.PrivateCIDRs) > 0 {
			spec.Network.PrivateCIDRs = nil
		}
		for _, c := range config.PrivateCIDRs {
			spec.Network.PrivateCIDRs = append(spec.Network.PrivateCIDRs, fmt.Sprintf("%s/%d", c.Address, c.Prefix))
		}
	}
	if size != 0 {
		spec.Network.SubnetSize = size
	}
	return nil
}

// wire is a namespace as it is read.
func (v *VCenter) wire(spec NamespaceSpec) wireNamespace {
	storage, libraries, messages, access := []wireStorage{}, []string{}, []wireMessage{}, []wireAccess{}
	var attached []wireLibrary
	for _, p := range spec.StoragePolicies {
		storage = append(storage, wireStorage{Policy: v.catalog.policies.id(p.Name), Limit: p.LimitMiB})
	}
	for _, name := range spec.ContentLibraries {
		id := v.catalog.libraries.id(name)
		libraries, attached = append(libraries, id), append(attached, wireLibrary{ContentLibrary: id})
	}
	for _, p := range spec.Permissions {
		access = append(access, wireAccess{SubjectType: p.Type, Subject: p.Subject, Domain: p.Domain, Role: p.Role})
	}
	for _, text := range spec.Messages {
		messages = append(messages, wireMessage{Severity: severity(spec.ConfigStatus), Details: map[string]string{
			"id": "vksync.simulated.namespace", "default_message": text, "localized": text,
		}})
	}
	classes := append([]string{}, spec.VMClasses...)
	return wireNamespace{
		Supervisor: v.catalog.supervisor, Cluster: v.catalog.firstCluster(), Namespace: spec.Name,
		Description: &spec.Description,
		ResourceSpec: &wireResources{
			CPULimit: spec.Resources.CPULimitMHz, MemoryLimit: spec.Resources.MemoryLimitMiB, StorageLimit: spec.Resources.StorageLimitMiB,
		},
		AccessList: &access, StorageSpecs: &storage,
		VMService:        &wireVMService{ContentLibraries: &libraries, VMClasses: &classes},
		ContentLibraries: &attached,
		NetworkSpec:      wireNetworkOf(spec.Network),
		ConfigStatus:     spec.ConfigStatus, Stats: v.stats(spec.Name), Messages: &messages,
	}
}

func severity(configStatus string) string {
	if configStatus == Failed {
		return "ERROR"
	}
	return "INFO"
}

func wireNetworkOf(n Network) *wireNetwork {
	w := &wireNetwork{Provider: n.Provider}
	if n.Provider != "NSX_VPC" {
		return w
	}
	config := &wireVPCConfig{}
	for _, text := range n.PrivateCIDRs {
		address, prefix, _ := strings.Cut(text, "/")
		bits, _ := strconv.Atoi(prefix) // 0 when the inventory wrote an address without a prefix
		config.PrivateCIDRs = append(config.PrivateCIDRs, wireCIDR{Address: address, Prefix: bits})
	}
	w.VPCNetwork = &wireVPCNetwork{VPCConfig: config, DefaultSubnetSize: n.SubnetSize}
	return w
}

func (v *VCenter) stats(name string) *wireStats {
	used := v.ledger.usage(name)
	return &wireStats{MemoryUsed: used.MemoryMiB, StorageUsed: used.DiskGiB * 1024}
}
