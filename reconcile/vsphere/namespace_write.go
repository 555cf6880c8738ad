package vsphere

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// CreateNamespace asks for a vSphere Namespace. vCenter answers before it runs:
// status.configStatus is CONFIGURING until then. The error is of kind Conflict
// when there is one of the name, and Invalid when it refers to what is not there.
func (c *Client) CreateNamespace(ctx context.Context, o resource.Object) error {
	op := "creating vSphere Namespace " + o.GetName()
	known, err := c.references(ctx)
	if err != nil {
		return c.wrap(op, err)
	}
	body, err := known.encode(o)
	if err != nil {
		return c.reject(op, err)
	}
	if body.Supervisor, err = known.supervisors.id(resource.Text(o.Object, "spec", "supervisor")); err != nil {
		return c.reject(op, err)
	}
	body.Namespace = o.GetName()
	if n := body.NetworkSpec; n != nil && n.VPCConfig != nil {
		n.VPCNetwork = &vpcNetworkJSON{
			VPCConfig: &vpcConfigJSON{PrivateCIDRs: n.VPCConfig.PrivateCIDRs}, DefaultSubnetSize: n.VPCConfig.DefaultSubnetSize,
		}
		n.VPCConfig = nil
	}
	return c.wrap(op, c.rest.call(ctx, "POST", instances+"/v2", body, nil))
}

// UpdateNamespace makes all settings of a vSphere Namespace equal to o: lists that
// o does not have are emptied, limits it does not have are lifted. The network is
// left alone when o says nothing about it. vCenter answers before it is done.
func (c *Client) UpdateNamespace(ctx context.Context, o resource.Object) error {
	op := "updating vSphere Namespace " + o.GetName()
	known, err := c.references(ctx)
	if err != nil {
		return c.wrap(op, err)
	}
	body, err := known.encode(o)
	if err != nil {
		return c.reject(op, err)
	}
	return c.wrap(op, c.rest.call(ctx, "PATCH", instances+"/"+escape(o.GetName()), body, nil))
}

// DeleteNamespace asks for the removal of a vSphere Namespace with everything in
// it. vCenter answers before it is gone. The error is of kind NotFound when there
// is none, and Conflict when it is being removed already.
func (c *Client) DeleteNamespace(ctx context.Context, name string) error {
	return c.wrap("deleting vSphere Namespace "+name, c.rest.call(ctx, "DELETE", instances+"/"+escape(name), nil, nil))
}

// reject completes an error that was found before anything was sent.
func (c *Client) reject(op string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Op: op, Address: c.address, Kind: e.Kind, Detail: e.Detail}
	}
	return &Error{Op: op, Address: c.address, Kind: Invalid, Detail: err.Error()}
}

// encode is what o asks for, with identifiers for names. Lists are never nil:
// an update empties what is sent empty and leaves alone what is not sent.
func (r references) encode(o resource.Object) (*namespaceJSON, error) {
	spec := resource.Fields(o.Object, "spec")
	n := &namespaceJSON{
		Description: marked(resource.Text(spec, "description"), o.GetLabels()[resource.LabelSource]),
		ResourceSpec: resourcesJSON{
			CPULimit:     resource.Int(spec, "resources", "cpuLimitMHz"),
			MemoryLimit:  resource.Int(spec, "resources", "memoryLimitMiB"),
			StorageLimit: resource.Int(spec, "resources", "storageLimitMiB"),
		},
		AccessList:    []accessJSON{},
		StorageSpecs:  []storageJSON{},
		VMServiceSpec: vmServiceJSON{ContentLibraries: []string{}, VMClasses: []string{}},
	}
	for _, p := range resource.Items(spec, "storagePolicies") {
		id, err := r.policies.id(resource.Text(p, "name"))
		if err != nil {
			return nil, err
		}
		n.StorageSpecs = append(n.StorageSpecs, storageJSON{Policy: id, Limit: resource.Int(p, "limitMiB")})
	}
	for _, l := range resource.Items(spec, "contentLibraries") {
		name, _ := l.(string)
		id, err := r.libraries.id(name)
		if err != nil {
			return nil, err
		}
		n.VMServiceSpec.ContentLibraries = append(n.VMServiceSpec.ContentLibraries, id)
	}
	for _, k := range resource.Items(spec, "vmClasses") {
		name, _ := k.(string)
		n.VMServiceSpec.VMClasses = append(n.VMServiceSpec.VMClasses, name)
	}
	for _, p := range resource.Items(spec, "permissions") {
		n.AccessList = append(n.AccessList, accessJSON{
			SubjectType: strings.ToUpper(resource.Text(p, "type")), Subject: resource.Text(p, "subject"),
			Domain: resource.Text(p, "domain"), Role: strings.ToUpper(resource.Text(p, "role")),
		})
	}
	var err error
	n.NetworkSpec, err = encodeNetwork(resource.Fields(spec, "network"))
	return n, err
}

// encodeNetwork is in the form of an update; nil when nothing is asked for.
func encodeNetwork(network map[string]any) (*networkJSON, error) {
	if network == nil {
		return nil, nil
	}
	provider := cmp.Or(resource.Text(network, "provider"), "VPC")
	n := &networkJSON{Provider: cmp.Or(providers[provider], provider)}
	if provider != "VPC" {
		return n, nil
	}
	n.VPCConfig = &vpcConfigJSON{DefaultSubnetSize: resource.Int(network, "subnetSize")}
	for _, item := range resource.Items(network, "privateCIDRs") {
		text, _ := item.(string)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("spec.network.privateCIDRs: %q is not a CIDR such as 172.26.16.0/20", text)
		}
		n.VPCConfig.PrivateCIDRs = append(n.VPCConfig.PrivateCIDRs, cidrJSON{Address: prefix.Addr().String(), Prefix: prefix.Bits()})
	}
	return n, nil
}
