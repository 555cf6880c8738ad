package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// notifyEndpoint wakes whoever follows the control-plane VMs of a cluster: the
// VirtualMachineService, whose Endpoints they are, and CAPV, which connects to the
// first API server as soon as one answers.
func (m *Manager) notifyEndpoint(c kubeapi.Change) {
	u := subjectIn(c)
	if labelOf(u, labelVMRole) != "controlplane" || endpointOf(c.Before) == endpointOf(c.After) {
		return
	}
	namespace, cluster := namespaceOf(u), labelOf(u, labelVMCluster)
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

func endpointOf(vm *unstructured.Unstructured) endpoint {
	if vm == nil {
		return endpoint{}
	}
	return endpoint{
		ip: primaryIP(vm), probed: probed(vm), leaving: deleting(vm),
		ready: resource.ConditionOf(vm.Object, "Ready").Status,
	}
}
