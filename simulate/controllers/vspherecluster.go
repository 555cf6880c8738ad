package controllers

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// apiServerPort is the port of a control-plane endpoint.
const apiServerPort = 6443

// firstBackoff and longestBackoff bound CAPV's polling of what it does not
// watch. controller-runtime starts at 5 ms; the pace makes a second of it.
const (
	firstBackoff   = time.Second
	longestBackoff = 64 * time.Second
)

// reconcileVSphereCluster makes the infrastructure of a cluster in CAPV's order:
// failure domains, resource policy, network, load balancer, endpoint (domain.md
// E11-E18). What it waits for is polled with a growing interval, not watched.
func (m *Manager) reconcileVSphereCluster(u *unstructured.Unstructured) (time.Duration, error) {
	d, v := m.edit(u), m.view(u)
	cluster := m.clusterFor(u)
	if !v.deleting && !v.hasFinalizer(finalizerVSphereCluster) {
		d.addFinalizer(finalizerVSphereCluster)
		return 0, m.commit(actorProvider, d)
	}
	if m.halts(d, v, cluster) {
		return 0, m.commit(actorProvider, d)
	}
	if v.deleting {
		return 0, m.deleteVSphereCluster(d)
	}
	if cluster == nil || !v.ownedBy(m.view(cluster)) {
		return 0, nil
	}
	ready, err := m.provisionInfrastructure(d, u, cluster)
	if err != nil {
		return 0, err
	}
	if !ready {
		d.condition("Ready", "False", "NotReady", summaryOf(d, provisionedParts...))
		return backoff(m.now().Sub(v.createdAt())), m.commit(actorProvider, d)
	}
	d.condition("Ready", "True", "Ready", "")
	d.set(true, "status", "initialization", "provisioned")
	again := m.serveWorkloads(d, cluster)
	return again, m.commit(actorProvider, d)
}

// provisionedParts are the conditions of what a VSphereCluster is made of, in the
// order in which CAPV makes it.
var provisionedParts = []string{"ResourcePolicyReady", "NetworkReady", "LoadBalancerReady", "FailureDomainsReady"}

// serveWorkloads gives the workload cluster its service accounts and the way back
// to the Supervisor, as soon as its control plane answers (observed.md 6.4). The
// result is when to look again, 0 where that is not known.
func (m *Manager) serveWorkloads(d *draft, cluster *unstructured.Unstructured) time.Duration {
	at, known := m.connectionTime(cluster)
	if !known {
		return 0
	}
	if wait := at.Sub(m.now()); wait > 0 {
		return wait
	}
	d.condition("ProviderServiceAccountsReady", "True", "Ready", "")
	d.condition("ServiceDiscoveryReady", "True", "Ready", "")
	return 0
}

// deleteVSphereCluster says so and lets go at once. Policy, service and subnets
// outlive it and are garbage-collected (domain.md 3.6, observed.md 6.6).
func (m *Manager) deleteVSphereCluster(d *draft) error {
	for _, part := range provisionedParts {
		d.condition(part, "False", "Deleting", "")
	}
	d.condition("Ready", "False", "NotReady", summaryOf(d, provisionedParts...))
	return m.letGo(actorProvider, d, finalizerVSphereCluster)
}

// backoff doubles as time goes by: the next try comes when as much time again
// has passed, within bounds.
func backoff(waited time.Duration) time.Duration {
	return min(max(waited, firstBackoff), longestBackoff)
}

func (m *Manager) provisionInfrastructure(d *draft, u, cluster *unstructured.Unstructured) (ready bool, err error) {
	if resource.Field(d.root, "status", "failureDomains") == nil {
		d.replace(m.failureDomains(namespaceOf(u)), "status", "failureDomains")
	}
	d.condition("FailureDomainsReady", "True", "Ready", "")
	if err := m.createResourcePolicy(u, cluster); err != nil {
		return false, err
	}
	d.condition("ResourcePolicyReady", "True", "Ready", "")

	missing, err := m.networkProvider().prepare(m, u, cluster)
	if err != nil {
		return false, err
	}
	if missing != "" {
		d.condition("NetworkReady", "False", "NotReady", missing)
		return false, nil
	}
	d.condition("NetworkReady", "True", "Ready", "")
	return m.findEndpoint(d, u, cluster)
}

// findEndpoint takes the endpoint that somebody gave, or the address of the load
// balancer (domain.md E15-E18; observed.md 6.5).
func (m *Manager) findEndpoint(d *draft, u, cluster *unstructured.Unstructured) (ready bool, err error) {
	for _, given := range []*unstructured.Unstructured{cluster, u} {
		if host := resource.Text(given.Object, "spec", "controlPlaneEndpoint", "host"); host != "" {
			d.set(host, "spec", "controlPlaneEndpoint", "host")
			d.set(resource.Int(given.Object, "spec", "controlPlaneEndpoint", "port"), "spec", "controlPlaneEndpoint", "port")
			d.condition("LoadBalancerReady", "True", "Ready", "")
			return true, nil
		}
	}
	if !m.networkProvider().balanced {
		d.condition("LoadBalancerReady", "False", "WaitingForIP", "there is no load balancer and no spec.controlPlaneEndpoint")
		return false, nil
	}
	if message := m.refuseService(u, cluster); message != "" {
		d.condition("LoadBalancerReady", "False", "NotReady", message)
		return false, nil
	}
	service, err := m.createEndpointService(u, cluster)
	if err != nil {
		return false, err
	}
	address := ingressOf(service)
	if address == "" {
		d.condition("LoadBalancerReady", "False", "WaitingForIP", waitingForIP(service))
		return false, nil
	}
	d.condition("LoadBalancerReady", "True", "Ready", "")
	d.set(address, "spec", "controlPlaneEndpoint", "host")
	d.set(int64(apiServerPort), "spec", "controlPlaneEndpoint", "port")
	return true, nil
}

// refuseService is why there can be no VirtualMachineService, or "": one or the
// other kind of block tells the IP family, one that is left of a cluster of the same
// name is in the way, and for one to be made a Network has to be known.
func (m *Manager) refuseService(u, cluster *unstructured.Unstructured) string {
	blocks := len(resource.Items(cluster.Object, "spec", "clusterNetwork", "pods", "cidrBlocks")) +
		len(resource.Items(cluster.Object, "spec", "clusterNetwork", "services", "cidrBlocks"))
	service := m.view(m.get(kindVMService, namespaceOf(u), nameOf(cluster)))
	switch {
	case blocks == 0:
		return fmt.Sprintf("cluster %s/%s has no Pod or Service CIDR blocks", namespaceOf(cluster), nameOf(cluster))
	case service.absent() && m.networkProvider().network(m, namespaceOf(u), nameOf(u)) == "":
		return noNetwork
	case service.absent():
		return ""
	case slices.ContainsFunc(service.owners, func(owner any) bool {
		return resource.Text(owner, "kind") == kindVSphereCluster.Kind && resource.Text(owner, "uid") != uidOf(u)
	}):
		return "VirtualMachineService " + service.name + " exists but is owned by a different VSphereCluster instance"
	case service.deleting:
		return "VirtualMachineService " + service.name + " exists but is being deleted"
	}
	return ""
}

func waitingForIP(service *unstructured.Unstructured) string {
	message := "VirtualMachineService " + nameOf(service) + " has no ingress address"
	if c := resource.ConditionOf(service.Object, conditionServiceReady); c.Status == "False" {
		message += ": " + c.Message
	}
	return message
}

// failureDomains are the Zones of the namespace.
func (m *Manager) failureDomains(namespace string) []any {
	domains := []any{}
	for _, zone := range m.store.List(kindZone.GroupKind, namespace, nil) {
		domains = append(domains, map[string]any{"name": nameOf(zone), "controlPlane": true})
	}
	return domains
}

func (m *Manager) createResourcePolicy(u, cluster *unstructured.Unstructured) error {
	name := nameOf(cluster)
	if policy := m.get(kindResourcePolicy, namespaceOf(u), name); policy != nil {
		return m.adoptPolicy(policy, u)
	}
	_, err := m.create(actorProvider, kindResourcePolicy, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": name,
			"ownerReferences": []any{ref(u, false)},
		},
		"spec": map[string]any{
			"resourcePool":        map[string]any{"name": name},
			"folder":              name,
			"clusterModuleGroups": []any{moduleControlPlane, name + "-workers-0"},
		},
	})
	return err
}

// adoptPolicy makes u one of the owners of a resource policy that is there already, which
// is left of a cluster of the same name.
func (m *Manager) adoptPolicy(policy, u *unstructured.Unstructured) error {
	if m.view(policy).ownedBy(m.view(u)) {
		return nil
	}
	d := m.edit(policy)
	d.addOwner(ref(u, false))
	return m.commit(actorProvider, d)
}

// infrastructureSpec is what the class makes of a VSphereCluster: it gives the
// endpoint where the site has one to give.
func (m *Manager) infrastructureSpec() map[string]any {
	given := m.inventory.Spec.Supervisor.ControlPlaneEndpoint
	if given == nil {
		return map[string]any{}
	}
	return map[string]any{"controlPlaneEndpoint": map[string]any{"host": given.Host, "port": given.Port}}
}

// createEndpointService makes the VirtualMachineService in front of the API servers,
// unless it is there.
func (m *Manager) createEndpointService(u, cluster *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	name := nameOf(cluster)
	if service := m.get(kindVMService, namespaceOf(u), name); service != nil {
		return service, nil
	}
	provider := m.networkProvider()
	annotation, value := provider.annotation(provider.network(m, namespaceOf(u), nameOf(u)))
	return m.create(actorProvider, kindVMService, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": name,
			"annotations":     map[string]any{annotation: value},
			"ownerReferences": []any{ref(u, false)},
		},
		"spec": map[string]any{
			"type":  "LoadBalancer",
			"ports": []any{map[string]any{"name": "apiserver", "protocol": "TCP", "port": int64(apiServerPort), "targetPort": int64(apiServerPort)}},
			"selector": map[string]any{
				labelVMCluster: name, labelVMRole: "controlplane",
				labelVMClusterLegacy: name, labelVMRoleLegacy: "controlplane",
			},
		},
	})
}

// summaryOf lists the conditions among kinds that are not True.
func summaryOf(d *draft, kinds ...string) string {
	var issues []string
	for _, kind := range kinds {
		if c := d.conditionOf(kind); c.Type != "" && c.Status != "True" {
			text := c.Message
			if text == "" {
				text = c.Reason
			}
			issues = append(issues, bullet(kind, text))
		}
	}
	return lines(issues)
}
