package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// conditionServiceReady is what a VirtualMachineService copies from its Service.
const conditionServiceReady = "VirtualMachineServiceServiceReady"

// reconcileVMService makes the Service and Endpoints of a VirtualMachineService
// and copies the address back (domain.md 1.15, E16-E17, E37).
func (m *Manager) reconcileVMService(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	if deleting(u) {
		d.removeFinalizers(finalizerVMService)
		return 0, m.commit(actorVMService, d)
	}
	d.addFinalizer(finalizerVMService)
	service, err := m.create(actorVMService, kindService, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": nameOf(u),
			"labels":          map[string]any{labelVMCluster: labelOf(u, labelVMCluster)},
			"ownerReferences": []any{ref(u, true)},
		},
		"spec": map[string]any{"type": "LoadBalancer", "ports": resource.Items(u.Object, "spec", "ports")},
	})
	if err != nil {
		return 0, err
	}
	if err := m.syncEndpoints(u, service); err != nil {
		return 0, err
	}
	if address := ingressOf(service); address != "" && address != ingressOf(u) {
		d.replace([]any{map[string]any{"ip": address}}, "status", "loadBalancer", "ingress")
	}
	if c := resource.ConditionOf(service.Object, "Ready"); c.Type != "" {
		d.condition(conditionServiceReady, c.Status, c.Reason, c.Message)
	}
	return 0, m.commit(actorVMService, d)
}

// syncEndpoints lists the addresses of the control-plane VMs that have one.
func (m *Manager) syncEndpoints(u, service *unstructured.Unstructured) error {
	addresses := []any{}
	selector := map[string]string{}
	for k, v := range resource.Fields(u.Object, "spec", "selector") {
		selector[k], _ = v.(string)
	}
	// The label that the store indexes has the same value as the selector's own.
	selector[labelCluster] = labelOf(u, labelVMCluster)
	for _, vm := range m.store.List(kindVM.GroupKind, namespaceOf(u), selector) {
		if ip := primaryIP(vm); ip != "" && !deleting(vm) {
			addresses = append(addresses, map[string]any{"ip": ip})
		}
	}
	endpoints, err := m.create(actorVMService, kindEndpoints, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": nameOf(u),
			"labels":          map[string]any{labelVMCluster: labelOf(u, labelVMCluster)},
			"ownerReferences": []any{ref(service, true)},
		},
	})
	if err != nil {
		return err
	}
	known := 0
	for _, subset := range resource.Items(endpoints.Object, "subsets") {
		known += len(resource.Items(subset, "addresses"))
	}
	if len(addresses) == known {
		return nil
	}
	d := edit(endpoints, m.now())
	d.replace([]any{map[string]any{
		"addresses": addresses,
		"ports":     []any{map[string]any{"name": "apiserver", "port": int64(apiServerPort), "protocol": "TCP"}},
	}}, "subsets")
	return m.commit(actorVMService, d)
}

// reconcileLoadBalancer plays the load balancer: it gives a Service an address
// of the pool, or says that there is none left (domain.md E17, V13).
func (m *Manager) reconcileLoadBalancer(u *unstructured.Unstructured) (time.Duration, error) {
	if resource.Text(u.Object, "spec", "type") != "LoadBalancer" || ingressOf(u) != "" || deleting(u) {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepVIP, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	d := edit(u, m.now())
	address, err := m.addresses.vips.lease(uidOf(u))
	if err != nil {
		d.condition("Ready", "False", "IPAllocationFailed", err.Error())
		return exhaustedRetry, m.commit(actorNetwork, d)
	}
	d.replace([]any{map[string]any{"ip": address.String()}}, "status", "loadBalancer", "ingress")
	d.condition("Ready", "True", "ServiceReady", "")
	return 0, m.commit(actorNetwork, d)
}

func ingressOf(u *unstructured.Unstructured) string {
	if list := resource.Items(u.Object, "status", "loadBalancer", "ingress"); len(list) > 0 {
		return resource.Text(list[0], "ip")
	}
	return ""
}
