package controllers

import (
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// notifyEndpoint wakes whoever follows the control-plane VMs of a cluster: the
// VirtualMachineService, whose Endpoints they are, and CAPV, which connects to the
// first API server as soon as one answers.
func (m *Manager) notifyEndpoint(c kubeapi.Change) {
	v := m.view(subjectIn(c))
	if v.label(labelVMRole) != "controlplane" || endpointOf(m.view(c.Before)) == endpointOf(m.view(c.After)) {
		return
	}
	namespace, cluster := v.namespace, v.label(labelVMCluster)
	m.enqueueKey(kindVMService.key(namespace, cluster), hop)
	// Reading needs the store, which is locked now.
	m.clock.AfterFunc(0, func() {
		if owner := m.get(kindCluster, namespace, cluster); owner != nil && !initialized(owner, "controlPlaneInitialized") {
			m.enqueueKey(kindVSphereCluster.key(namespace, resource.Text(owner.Object, "spec", "infrastructureRef", "name")), hop)
		}
	})
}

// An endpoint is what decides whether a VM is one of a service's.
type endpoint struct {
	ip, ready string
	probed    bool
	leaving   bool
}

func endpointOf(vm *view) endpoint {
	return endpoint{
		ip: vm.primaryIP(), probed: vm.spec["readinessProbe"] != nil, leaving: vm.deleting,
		ready: vm.condition("Ready").Status,
	}
}
