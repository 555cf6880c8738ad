package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// conditionServiceReady is what a VirtualMachineService copies from its Service.
const conditionServiceReady = "VirtualMachineServiceServiceReady"

// reconcileVMService makes the Service and Endpoints of a VirtualMachineService
// and copies the address back (domain.md 1.15, E16-E17, E37).
func (m *Manager) reconcileVMService(u *unstructured.Unstructured) (time.Duration, error) {
	d := m.edit(u)
	if deleting(u) {
		for _, k := range []kind{kindService, kindEndpoints} {
			if err := m.remove(actorVMService, m.get(k, namespaceOf(u), nameOf(u))); err != nil {
				return 0, err
			}
		}
		d.removeFinalizers(finalizerVMService)
		return 0, m.commit(actorVMService, d)
	}
	d.addFinalizer(finalizerVMService)
	service, err := m.createService(u)
	if err != nil {
		return 0, err
	}
	if err := m.syncEndpoints(u, service); err != nil {
		return 0, err
	}
	if address := ingressOf(service); address != "" && address != ingressOf(u) {
		d.replace([]any{map[string]any{"ip": address}}, "status", "loadBalancer", "ingress")
	}
	switch c := resource.ConditionOf(service.Object, "Ready"); c.Status {
	case "":
		d.condition(conditionServiceReady, "Unknown", "ServiceReadyNotPresent", "Underlying Service does not have Ready condition")
	case "True":
		d.condition(conditionServiceReady, "True", "True", "")
	default:
		d.condition(conditionServiceReady, c.Status, c.Reason, c.Message)
	}
	return 0, m.commit(actorVMService, d)
}

// createService makes the Service of a VirtualMachineService, which has its labels
// and annotations, unless it is there.
func (m *Manager) createService(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if service := m.get(kindService, namespaceOf(u), nameOf(u)); service != nil {
		return service, nil
	}
	return m.create(actorVMService, kindService, map[string]any{
		"metadata": sharedMeta(u, u),
		"spec":     map[string]any{"type": "LoadBalancer", "ports": resource.Items(u.Object, "spec", "ports")},
	})
}

// sharedMeta is the metadata of an object that belongs to a VirtualMachineService
// and has the name, labels and annotations of like.
func sharedMeta(service, like *unstructured.Unstructured) map[string]any {
	meta := map[string]any{"namespace": namespaceOf(like), "name": nameOf(like), "ownerReferences": []any{ref(service, true)}}
	for _, field := range []string{"labels", "annotations"} {
		if shared := resource.Fields(like.Object, "metadata", field); len(shared) > 0 {
			meta[field] = copyMap(shared)
		}
	}
	return meta
}

// syncEndpoints lists the control-plane VMs that have an address, and are not about
// to go, as ready or not ready: one with a probe is ready when the probe says so, and
// what it was before while it says nothing yet (domain.md 1.15).
func (m *Manager) syncEndpoints(u, service *unstructured.Unstructured) error {
	endpoints := m.get(kindEndpoints, namespaceOf(service), nameOf(service))
	if endpoints == nil {
		var err error
		if endpoints, err = m.create(actorVMService, kindEndpoints, map[string]any{"metadata": sharedMeta(u, service)}); err != nil {
			return err
		}
	}
	var ready, waiting []any
	for _, vm := range m.selected(u) {
		e := endpointOf(m.view(vm))
		if e.ip == "" || e.leaving {
			continue
		}
		address := map[string]any{"ip": e.ip}
		if !e.probed || e.ready == "True" || e.ready == "" && listed(endpoints, e.ip) {
			ready = append(ready, address)
		} else {
			waiting = append(waiting, address)
		}
	}
	if sameAddresses(endpoints, "addresses", ready) && sameAddresses(endpoints, "notReadyAddresses", waiting) {
		return nil
	}
	subset := map[string]any{"ports": []any{map[string]any{"name": "apiserver", "port": int64(apiServerPort), "protocol": "TCP"}}}
	if ready != nil {
		subset["addresses"] = ready
	}
	if waiting != nil {
		subset["notReadyAddresses"] = waiting
	}
	d := edit(endpoints, m.now())
	if ready == nil && waiting == nil {
		d.unset("subsets")
	} else {
		d.replace([]any{subset}, "subsets")
	}
	return m.commit(actorVMService, d)
}

// selected are the VMs that a VirtualMachineService selects.
func (m *Manager) selected(u *unstructured.Unstructured) []*unstructured.Unstructured {
	selector := map[string]string{}
	for k, v := range resource.Fields(u.Object, "spec", "selector") {
		selector[k], _ = v.(string)
	}
	if cluster := selector[labelVMCluster]; cluster != "" {
		selector[labelCluster] = cluster // which the store indexes
	}
	return m.store.List(kindVM.GroupKind, namespaceOf(u), selector)
}

// listed says whether Endpoints have ip as one that is ready.
func listed(endpoints *unstructured.Unstructured, ip string) bool {
	return slices.Contains(addressesIn(endpoints, "addresses"), ip)
}

func sameAddresses(endpoints *unstructured.Unstructured, field string, want []any) bool {
	return slices.EqualFunc(addressesIn(endpoints, field), want, func(have string, want any) bool { return have == resource.Text(want, "ip") })
}

func addressesIn(endpoints *unstructured.Unstructured, field string) []string {
	var out []string
	for _, subset := range resource.Items(endpoints.Object, "subsets") {
		for _, address := range resource.Items(subset, field) {
			out = append(out, resource.Text(address, "ip"))
		}
	}
	return out
}

// reconcileLoadBalancer plays the load balancer: it gives a Service an address
// of the pool, or says that there is none left (domain.md E17, V13).
func (m *Manager) reconcileLoadBalancer(u *unstructured.Unstructured) (time.Duration, error) {
	if resource.Text(u.Object, "spec", "type") != "LoadBalancer" || !m.networkProvider().balanced || ingressOf(u) != "" || deleting(u) {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepVIP, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	d := edit(u, m.now())
	address, err := m.addresses.vips.lease(uidOf(u))
	if err != nil {
		d.condition("Ready", "False", "IPAllocationFailed", err.Error())
		return exhaustedRetry, m.commit(m.networkProvider().balancer, d)
	}
	d.replace([]any{map[string]any{"ip": address.String()}}, "status", "loadBalancer", "ingress")
	if m.networkProvider().balancerSays {
		d.condition("Ready", "True", "ServiceReady", "")
	}
	return 0, m.commit(m.networkProvider().balancer, d)
}

func ingressOf(u *unstructured.Unstructured) string {
	if list := resource.Items(u.Object, "status", "loadBalancer", "ingress"); len(list) > 0 {
		return resource.Text(list[0], "ip")
	}
	return ""
}
