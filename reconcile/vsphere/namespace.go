package vsphere

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vksync/vksync/reconcile/resource"
)

// apiVersion is of the VSphereNamespace objects here.
const apiVersion = resource.GroupVksync + "/v1alpha1"

const instances = "/api/vcenter/namespaces/instances"

// namespaceJSON is a namespace in the REST API (vCenter 8.0.1 and later). What is
// sent to create and to update it differs only in where the network's settings are.
type namespaceJSON struct {
	Supervisor    string         `json:"supervisor,omitempty"`
	Namespace     string         `json:"namespace,omitempty"`
	Description   string         `json:"description"`
	ResourceSpec  resourcesJSON  `json:"resource_spec"`
	AccessList    []accessJSON   `json:"access_list"`
	StorageSpecs  []storageJSON  `json:"storage_specs"`
	VMServiceSpec vmServiceJSON  `json:"vm_service_spec"`
	Libraries     []libraryJSON  `json:"content_libraries,omitempty"` // only read
	NetworkSpec   *networkJSON   `json:"network_spec,omitempty"`
	ConfigStatus  string         `json:"config_status,omitempty"`
	Messages      []messagesJSON `json:"messages,omitempty"`
}

type resourcesJSON struct {
	CPULimit     int64 `json:"cpu_limit,omitempty"`             // MHz
	MemoryLimit  int64 `json:"memory_limit,omitempty"`          // MiB
	StorageLimit int64 `json:"storage_request_limit,omitempty"` // MiB
}

type accessJSON struct {
	SubjectType string `json:"subject_type"`
	Subject     string `json:"subject"`
	Domain      string `json:"domain"`
	Role        string `json:"role"`
}

type storageJSON struct {
	Policy string `json:"policy"`
	Limit  int64  `json:"limit,omitempty"` // MiB
}

type vmServiceJSON struct {
	ContentLibraries []string `json:"content_libraries"`
	VMClasses        []string `json:"vm_classes"`
}

type libraryJSON struct {
	ContentLibrary string `json:"content_library"`
}

type networkJSON struct {
	Provider   string          `json:"network_provider"`
	VPCNetwork *vpcNetworkJSON `json:"vpc_network,omitempty"`
	VPCConfig  *vpcConfigJSON  `json:"vpc_config,omitempty"` // when updating
}

type vpcNetworkJSON struct {
	VPCConfig         *vpcConfigJSON `json:"vpc_config,omitempty"`
	DefaultSubnetSize int64          `json:"default_subnet_size,omitempty"`
}

type vpcConfigJSON struct {
	PrivateCIDRs      []cidrJSON `json:"private_cidrs,omitempty"`
	DefaultSubnetSize int64      `json:"default_subnet_size,omitempty"`
}

type cidrJSON struct {
	Address string `json:"address"`
	Prefix  int    `json:"prefix"`
}

type messagesJSON struct {
	Severity string `json:"severity"`
	Details  struct {
		Default   string `json:"default_message"`
		Localized string `json:"localized"`
	} `json:"details"`
}

// Providers of namespace networks, as people write them and as the API does.
var providers = map[string]string{"VPC": "NSX_VPC", "NSXT": "NSXT_CONTAINER_PLUGIN", "VDS": "VSPHERE_NETWORK"}

// Namespaces reads all vSphere Namespaces, sorted by name. Each is a
// VSphereNamespace in the form that desired ones have, with lists sorted by name,
// and status {configStatus, messages: [{severity, message}]}. What vksync made
// carries the label of its source.
func (c *Client) Namespaces(ctx context.Context) ([]resource.Object, error) {
	list, err := c.namespaces(ctx, func(string, *restError) bool { return false })
	return list, c.wrap("reading the vSphere Namespaces", err)
}

// ReadableNamespaces is Namespaces for who only looks: those that may not be read
// are left out, and named with what vCenter answered. Nothing may be concluded
// from their absence.
func (c *Client) ReadableNamespaces(ctx context.Context) (list []resource.Object, denied map[string]string, err error) {
	denied = map[string]string{}
	var mu sync.Mutex // guards denied
	list, err = c.namespaces(ctx, func(name string, answer *restError) bool {
		if answer.kind() != Denied {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		denied[name] = c.hide(answer.Error())
		return true
	})
	return list, denied, c.wrap("reading the vSphere Namespaces", err)
}

// namespaces reads all vSphere Namespaces but those whose error may be passed over.
func (c *Client) namespaces(ctx context.Context, passOver func(name string, answer *restError) bool) ([]resource.Object, error) {
	var summaries []struct {
		Namespace string `json:"namespace"`
	}
	if err := c.rest.call(ctx, "GET", instances+"/v2", nil, &summaries); err != nil {
		return nil, err
	}
	known, err := c.references(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]*namespaceJSON, len(summaries))
	err = forEach(summaries, func(i int, s struct {
		Namespace string `json:"namespace"`
	}) error {
		info := &namespaceJSON{Namespace: s.Namespace}
		err := c.rest.call(ctx, "GET", instances+"/v2/"+escape(s.Namespace), nil, info)
		if answer, ok := err.(*restError); ok && answer.kind() == NotFound {
			return nil // it went away after the list was read
		} else if ok && passOver(s.Namespace, answer) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("vSphere Namespace %s: %w", s.Namespace, err)
		}
		found[i] = info
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []resource.Object
	for i, info := range found {
		if info != nil {
			info.Namespace = summaries[i].Namespace // not every version repeats it
			out = append(out, known.object(info))
		}
	}
	slices.SortFunc(out, func(a, b resource.Object) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out, nil
}

// references are the names of all that namespaces refer to.
type references struct{ supervisors, policies, libraries names }

func (c *Client) references(ctx context.Context) (r references, err error) {
	if r.supervisors, err = c.supervisorNames(ctx); err != nil {
		return r, err
	}
	if r.policies, err = c.policies(ctx); err != nil {
		return r, err
	}
	r.libraries, err = c.libraryNames(ctx)
	return r, err
}

// object is n as a VSphereNamespace.
func (r references) object(n *namespaceJSON) resource.Object {
	spec := map[string]any{"supervisor": r.supervisors.name(n.Supervisor)}
	description, source := unmarked(n.Description)
	if description != "" {
		spec["description"] = description
	}
	limits := map[string]any{}
	putLimit(limits, "cpuLimitMHz", n.ResourceSpec.CPULimit)
	putLimit(limits, "memoryLimitMiB", n.ResourceSpec.MemoryLimit)
	putLimit(limits, "storageLimitMiB", n.ResourceSpec.StorageLimit)
	if len(limits) > 0 {
		spec["resources"] = limits
	}
	putList(spec, "storagePolicies", r.policyList(n.StorageSpecs))
	putList(spec, "vmClasses", texts(n.VMServiceSpec.VMClasses))
	putList(spec, "contentLibraries", r.libraryList(n))
	putList(spec, "permissions", permissions(n.AccessList))
	if n.NetworkSpec != nil {
		spec["network"] = n.NetworkSpec.object()
	}
	status := map[string]any{"configStatus": n.ConfigStatus}
	putList(status, "messages", messages(n.Messages))
	metadata := map[string]any{"name": n.Namespace}
	if source != "" {
		metadata["labels"] = map[string]any{resource.LabelSource: source}
	}
	return resource.NewObject(map[string]any{
		"apiVersion": apiVersion, "kind": resource.KindVSphereNamespace,
		"metadata": metadata, "spec": spec, "status": status,
	})
}

// putLimit leaves out what has no limit, which vCenter shows as nothing or as -1.
func putLimit(into map[string]any, key string, value int64) {
	if value > 0 {
		into[key] = value
	}
}

func putList(into map[string]any, key string, list []any) {
	if len(list) > 0 {
		into[key] = list
	}
}

// texts sorts a list of names and drops doubles.
func texts(list []string) []any {
	list = slices.Clone(list)
	slices.Sort(list)
	var out []any
	for _, text := range slices.Compact(list) {
		out = append(out, text)
	}
	return out
}

func (r references) policyList(list []storageJSON) []any {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b storageJSON) int { return cmp.Compare(r.policies.name(a.Policy), r.policies.name(b.Policy)) })
	var out []any
	for _, s := range list {
		policy := map[string]any{"name": r.policies.name(s.Policy)}
		putLimit(policy, "limitMiB", s.Limit)
		out = append(out, policy)
	}
	return out
}

func (r references) libraryList(n *namespaceJSON) []any {
	var list []string
	for _, id := range n.VMServiceSpec.ContentLibraries {
		list = append(list, r.libraries.name(id))
	}
	for _, l := range n.Libraries {
		list = append(list, r.libraries.name(l.ContentLibrary))
	}
	return texts(list)
}

func permissions(list []accessJSON) []any {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b accessJSON) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.SubjectType, b.SubjectType))
	})
	var out []any
	for _, a := range list {
		out = append(out, map[string]any{"subject": a.Subject, "domain": a.Domain, "type": title(a.SubjectType), "role": title(a.Role)})
	}
	return out
}

func (n *networkJSON) object() map[string]any {
	out := map[string]any{"provider": n.Provider}
	for name, code := range providers {
		if code == n.Provider {
			out["provider"] = name
		}
	}
	if n.VPCNetwork == nil {
		return out
	}
	putLimit(out, "subnetSize", n.VPCNetwork.DefaultSubnetSize)
	if config := n.VPCNetwork.VPCConfig; config != nil {
		var cidrs []any
		for _, c := range config.PrivateCIDRs {
			cidrs = append(cidrs, fmt.Sprintf("%s/%d", c.Address, c.Prefix))
		}
		putList(out, "privateCIDRs", cidrs)
	}
	return out
}

func messages(list []messagesJSON) []any {
	var out []any
	for _, m := range list {
		out = append(out, map[string]any{"severity": m.Severity, "message": cmp.Or(m.Details.Localized, m.Details.Default)})
	}
	return out
}

// title writes GROUP as Group.
func title(code string) string {
	if code == "" {
		return ""
	}
	return code[:1] + strings.ToLower(code[1:])
}
