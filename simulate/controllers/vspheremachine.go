package controllers

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	conditionProvisioned = "VirtualMachineProvisioned"

	labelVMCluster       = "capv.vmware.com/cluster.name"
	labelVMRole          = "capv.vmware.com/cluster.role"
	labelVMClusterLegacy = "capw.vmware.com/cluster.name"
	labelVMRoleLegacy    = "capw.vmware.com/cluster.role"

	annotationModule   = "vsphere-cluster-module-group"
	moduleControlPlane = "control-plane-group"
)

// machineRetry is CAPV's requeue of a VSphereMachine (domain.md 2.3).
const machineRetry = 10 * time.Second

// reconcileVSphereMachine makes the VirtualMachine of a machine and follows it
// until it has an address, and for as long as it lives (domain.md E26, E34-E35).
func (m *Manager) reconcileVSphereMachine(u *unstructured.Unstructured) (time.Duration, error) {
	v := m.view(u)
	cluster, kit := m.clusterFor(u), m.kitOf(v)
	vm, machine := kit.vm, kit.machine
	home := m.view(cluster)
	last, _ := v.taken.(*vmFollowed)
	if last != nil && last.vm == vm && last.probing == m.probing(home) && !home.pauses {
		return 0, nil
	}
	d := m.edit(u)
	switch {
	case v.deleting:
	case machine == nil || cluster == nil || !v.ownedBy(m.view(machine)):
		return 0, nil // not the Machine's yet
	case !v.hasFinalizer(finalizerVSphereMachine):
		d.addFinalizer(finalizerVSphereMachine)
		return 0, m.commit(actorProvider, d)
	}
	if m.held(d, v, cluster) {
		return 0, m.commit(actorProvider, d)
	}
	if v.deleting {
		return m.deleteVSphereMachine(d, v, vm, machine)
	}
	if last != nil && last.probing == m.probing(home) && last.vmReport == m.reportOf(vm) {
		last.vm = vm
		return 0, m.labelHost(machine, last.vmReport)
	}
	// No pass of its own for this one: what it waits for would be over by then,
	// where the real one is seen to wait.
	d.condition("Paused", "False", "NotPaused", "")
	if reason := waitsBeforeVM(m.view(machine), home); reason != "" {
		unprovisioned(d, reason, "")
		return 0, m.commit(actorProvider, d)
	}
	vm, refusal, err := m.applyVM(u, vm, machine, cluster)
	switch {
	case err != nil:
		return 0, err
	case refusal != "":
		d.set("Pending", "status", "phase")
		unprovisioned(d, "NotProvisioned", refusal)
		return machineRetry, m.commit(actorProvider, d)
	}
	report := m.reportOf(vm)
	followVM(d, report)
	if err := m.labelHost(machine, report); err != nil {
		return 0, err
	}
	return 0, m.settle(actorProvider, d, &vmFollowed{vm, report, m.probing(home)})
}

// applyVM makes the VirtualMachine be as it should: it creates it, and gives it its
// readiness probe once there is an API server to ask. What admission says of it is
// the refusal.
func (m *Manager) applyVM(u, vm, machine, cluster *unstructured.Unstructured) (now *unstructured.Unstructured, refusal string, err error) {
	if vm == nil {
		if refusal = m.refuseVM(u, cluster); refusal == "" {
			now, err = m.createVirtualMachine(u, machine, cluster)
		}
		return now, refusal, err
	}
	if !m.wantsProbe(machine, cluster) || probed(vm) || deleting(vm) {
		return vm, "", nil
	}
	d := edit(vm, m.now())
	d.replace(readinessProbe(), "spec", "readinessProbe")
	if err := m.commit(actorProvider, d); err != nil {
		return nil, "", err
	}
	return m.store.Get(keyOf(vm)), "", nil
}

// wantsProbe says whether the VM of machine has a readiness probe: one of a control
// plane that is probed.
func (m *Manager) wantsProbe(machine, cluster *unstructured.Unstructured) bool {
	return m.probing(m.view(cluster)) && m.view(machine).controlPlane
}

// probing says whether the VMs of a control plane have a readiness probe: once that
// is initialized, where the network can probe (domain.md 1.12).
func (m *Manager) probing(cluster *view) bool {
	return m.networkProvider().probed && cluster.initialized("controlPlaneInitialized")
}

func readinessProbe() map[string]any {
	return map[string]any{"tcpSocket": map[string]any{"port": int64(apiServerPort)}}
}

// waitsBeforeVM is the reason why the VM cannot be made yet, or "". In supervisor mode
// it is not whether the infrastructure of the cluster is ready.
func waitsBeforeVM(machine, cluster *view) string {
	switch {
	case resource.Text(machine.spec, "bootstrap", "dataSecretName") != "":
		return ""
	case !machine.controlPlane && !cluster.initialized("controlPlaneInitialized"):
		return "WaitingForControlPlaneInitialized"
	}
	return "WaitingForBootstrapData"
}

func (m *Manager) createVirtualMachine(u, machine, cluster *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	namespace, name, home := namespaceOf(u), nameOf(u), m.view(cluster)
	clusterName := home.name
	role, module, tag := "node", clusterName+"-workers-0", "WorkerVmVmAATag"
	if hasLabel(machine, labelControlPlane) {
		role, module, tag = "controlplane", moduleControlPlane, "CtrlVmVmAATag"
	}
	labels := map[string]any{
		labelCluster:   clusterName,
		labelVMCluster: clusterName, labelVMRole: role,
		labelVMClusterLegacy: clusterName, labelVMRoleLegacy: role,
	}
	if deployment := labelOf(machine, labelDeployment); deployment != "" {
		labels[labelDeployment] = deployment
	}
	if zone := resource.Text(machine.Object, "spec", "failureDomain"); zone != "" {
		labels[labelZone] = zone
	}
	provider := m.networkProvider()
	network := provider.network(m, namespace, resource.Text(cluster.Object, "spec", "infrastructureRef", "name"))
	spec := map[string]any{
		"className":    resource.Text(u.Object, "spec", "className"),
		"imageName":    resource.Text(u.Object, "spec", "imageName"),
		"storageClass": resource.Text(u.Object, "spec", "storageClass"),
		"powerState":   poweredOn,
		"powerOffMode": resource.Text(u.Object, "spec", "powerOffMode"),
		"instanceUUID": m.chance.UUID("instance", namespace, name),
		"biosUUID":     m.chance.UUID("bios", namespace, name),
		"bootstrap": map[string]any{"cloudInit": map[string]any{"rawCloudConfig": map[string]any{
			"name": bootstrapSecret(machine), "key": "user-data",
		}}},
		"reserved": home.resourcePolicy(),
		"network":  unite(&home.share().network, map[string]any{"interfaces": []any{provider.interfaceOf(network)}}),
	}
	if m.wantsProbe(machine, cluster) {
		spec["readinessProbe"] = readinessProbe()
	}
	return m.create(actorProvider, kindVM, map[string]any{
		"metadata": map[string]any{
			"namespace": namespace, "name": name, "labels": labels,
			"annotations": map[string]any{
				annotationModule: module, "vsphere-tag": tag,
				annotationCreatedBuild: vmOperatorBuild, annotationCreatedSchema: kindVM.version(),
			},
			"ownerReferences": []any{ref(u, true)},
		},
		"spec": spec,
	})
}

// deleteVSphereMachine deletes the VM and lets go when that is gone, or was never made.
// That it is being deleted is said before either; one that no Machine has taken over
// says nothing.
func (m *Manager) deleteVSphereMachine(d *draft, v *view, vm, machine *unstructured.Unstructured) (time.Duration, error) {
	owned := v.ownedBy(m.view(machine))
	if !owned && vm == nil {
		d.removeFinalizers(finalizerVSphereMachine)
		return 0, m.commit(actorProvider, d)
	}
	if d.conditionOf("Paused").Type == "" {
		d.condition("Paused", "False", "NotPaused", "")
		return 0, m.commit(actorProvider, d)
	}
	unprovisioned(d, "Deleting", "")
	if vm == nil {
		return 0, m.letGo(actorProvider, d, finalizerVSphereMachine)
	}
	d.set("Deleting", "status", "phase")
	if err := m.remove(actorProvider, vm); err != nil {
		return 0, err
	}
	return 0, m.commit(actorProvider, d)
}

// refuseVM is why a VirtualMachine cannot be asked for, or "": it has no network to
// name, or admission refuses it (domain.md E27), in which case this is its text.
func (m *Manager) refuseVM(u, cluster *unstructured.Unstructured) string {
	namespace, class := namespaceOf(u), resource.Text(u.Object, "spec", "storageClass")
	if p := m.networkProvider(); p.of.Kind != "" && p.network(m, namespace, resource.Text(cluster.Object, "spec", "infrastructureRef", "name")) == "" {
		return noNetwork
	}
	if image := resource.Text(u.Object, "spec", "imageName"); !strings.HasPrefix(image, imageNamePrefix) && m.image(image) == nil {
		return fmt.Sprintf("admission webhook \"default.mutating.virtualmachine.vmoperator.vmware.com\" denied the request: spec.imageName: Invalid value: %q: no VM image exists for %q in namespace or cluster scope", image, image)
	}
	quota := m.get(kindPolicyQuota, namespace, class+"-storagepolicyquota")
	if quota == nil {
		return fmt.Sprintf("admission webhook \"default.validating.virtualmachine.vmoperator.vmware.com\" denied the request: spec.storageClass: Invalid value: %q: Storage policy is not associated with the namespace %s", class, namespace)
	}
	limit := resource.Int(quota.Object, "spec", "limitMiB")
	if limit == 0 {
		return ""
	}
	used, wanted := m.usage[storageClass{namespace, class}], m.diskMiB(u)
	if used+wanted <= limit {
		return ""
	}
	return fmt.Sprintf("admission webhook \"validation.storagepolicyquota.cns.vmware.com\" denied the request: exceeded quota: %s, requested: %d MiB, used: %d MiB, limited: %d MiB (storage policy %s in namespace %s)",
		nameOf(quota), wanted, used, limit, class, namespace)
}
