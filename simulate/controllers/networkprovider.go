package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
)

// A networkProvider is how a Supervisor connects the VMs of a cluster: what CAPV
// makes for a cluster, what VM Service makes for an interface, and whether there is
// a load balancer in front of the API servers (domain.md 1.17; observed.md 6.5).
type networkProvider struct {
	// of is the kind that interfaces refer to; its zero value is none.
	of kind
	// nic is the kind that stands for one interface of a VM.
	nic kind
	// network is what the network of a cluster is called, whose VSphereCluster is
	// infrastructure; "" where it has none.
	network func(m *Manager, namespace, infrastructure string) string
	// prepare makes the network of a cluster. It returns what is missing, "" when
	// the network is ready.
	prepare func(m *Manager, infrastructure, cluster *unstructured.Unstructured) (missing string, err error)
	// describe completes the object of an interface, which has its name, labels
	// and owner, for one in network.
	describe func(nic map[string]any, vm *unstructured.Unstructured, network string)
	// address is what an interface object says that the VM's address is.
	address func(nic *unstructured.Unstructured) string
	// finalizer is what net-operator puts on the object of an interface; "" is none.
	finalizer string
	// balanced says whether there is a load balancer, which writes as balancer;
	// balancerSays whether it says of a Service that it is Ready. annotation is what
	// its VirtualMachineService carries.
	balanced     bool
	balancer     string
	balancerSays bool
	annotation   func(network string) (key, value string)
	// probed says whether a readiness probe of VMs is allowed (domain.md 1.12).
	probed bool
}

var networkProviders = map[string]*networkProvider{
	inventory.NSXVPC: &networkVPC,
	inventory.NSXT:   &networkNSXT,
	inventory.VDS:    &networkVDS,
	inventory.Plain:  &networkPlain,
}

// networkProvider is how VMs are connected: one way for a Supervisor.
func (m *Manager) networkProvider() *networkProvider { return m.network }

const (
	labelVMName        = "vmoperator.vmware.com/vm-name"
	labelInterfaceName = "vmoperator.vmware.com/vm-interface-name"
)

// interfaceName is what the one interface of a node is called.
const interfaceName = "eth0"

// interfaceOf is the entry of a VirtualMachine for its interface in network.
func (p *networkProvider) interfaceOf(network string) map[string]any {
	nic := map[string]any{"name": interfaceName}
	if network != "" {
		nic["network"] = map[string]any{"apiVersion": p.of.apiVersion, "kind": p.of.Kind, "name": network}
	}
	return nic
}

// nicName is <vm>-<network>-eth0, or <vm>-eth0 where interfaces name no network.
// Kubernetes allows 253 characters for it.
func nicName(vm, network string) string {
	if network == "" {
		return vm + "-" + interfaceName
	}
	return vm + "-" + network + "-" + interfaceName
}

// networkOf is the network that the interface of a VirtualMachine names, or "".
func networkOf(vm *unstructured.Unstructured) string {
	for _, nic := range resource.Items(vm.Object, "spec", "network", "interfaces") {
		return resource.Text(nic, "network", "name")
	}
	return ""
}

// nicOf is the object of a VirtualMachine's interface; nil when there is none.
func (m *Manager) nicOf(vm *unstructured.Unstructured) *unstructured.Unstructured {
	return m.get(m.networkProvider().nic, namespaceOf(vm), nicName(nameOf(vm), networkOf(vm)))
}

// createNIC makes the object of a VM's interface, unless it is there.
func (m *Manager) createNIC(vm *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	p, network := m.networkProvider(), networkOf(vm)
	name := nicName(nameOf(vm), network)
	if nic := m.get(p.nic, namespaceOf(vm), name); nic != nil {
		return nic, nil
	}
	nic := map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(vm), "name": name,
			"labels":          map[string]any{labelVMName: labelValue(nameOf(vm)), labelInterfaceName: interfaceName},
			"ownerReferences": []any{ref(vm, true)},
		},
	}
	p.describe(nic, vm, network)
	if home := m.view(m.clusterFor(vm)); !home.absent() {
		nic["spec"] = unite(&home.share().nic, resource.Fields(nic, "spec"))
	}
	return m.create(actorVMService, p.nic, nic)
}

// addressOf is the address that a VM's interface was given, or "".
func (m *Manager) addressOf(vm *unstructured.Unstructured) string {
	return m.networkProvider().address(m.nicOf(vm))
}
