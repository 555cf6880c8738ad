package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// preflightRetry is how long KubeadmControlPlane and MachineSet wait after a
// failed preflight (domain.md 2.3).
const preflightRetry = 15 * time.Second

// machineGates are the conditions that the control plane writes on its Machines.
var machineGates = []string{
	"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy",
	"EtcdPodHealthy", "EtcdMemberHealthy", "NodeKubeadmLabelsAndTaintsSet",
}

// reconcileControlPlane makes the PKI and, one after the other, the
// control-plane Machines (domain.md E20-E22, E40, E44-E45, E51).
func (m *Manager) reconcileControlPlane(u *unstructured.Unstructured) (time.Duration, error) {
	cluster := m.clusterFor(u)
	if cluster == nil || !ownedBy(u, cluster) {
		return 0, nil
	}
	d := edit(u, m.now())
	machines := m.controlPlaneMachines(namespaceOf(u), nameOf(cluster))
	if deleting(u) {
		return m.deleteControlPlane(d, machines)
	}
	if introduce(d, finalizerControlPlane) {
		return 0, m.commit(actorKCP, d)
	}
	if !initialized(cluster, "infrastructureProvisioned") || resource.Text(cluster.Object, "spec", "controlPlaneEndpoint", "host") == "" {
		m.waitForInfrastructure(d, cluster)
		return 0, m.commit(actorKCP, d)
	}
	if err := m.createCertificates(u, cluster); err != nil {
		return 0, err
	}
	d.condition("CertificatesAvailable", "True", "Available", "")
	again, err := m.inspectControlPlane(d, cluster, machines)
	if err != nil {
		return 0, err
	}
	machines = m.controlPlaneMachines(namespaceOf(u), nameOf(cluster)) // with the gates just written
	scale, blocked, err := m.scaleControlPlane(u, cluster, machines)
	if err != nil {
		return 0, err
	}
	machines = m.controlPlaneMachines(namespaceOf(u), nameOf(cluster))
	summarizeControlPlane(d, machines, blocked)
	return soonest(again, scale), m.commit(actorKCP, d)
}

// soonest is the shorter of two waits, where zero is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (m *Manager) waitForInfrastructure(d *draft, cluster *unstructured.Unstructured) {
	message := "Waiting for Cluster status.initialization.infrastructureProvisioned to be true"
	if initialized(cluster, "infrastructureProvisioned") {
		message = "Waiting for Cluster spec.controlPlaneEndpoint to be set"
	}
	d.condition("Available", "False", "NotAvailable", "Control plane not yet initialized")
	d.condition("Initialized", "False", "NotInitialized", "Control plane not yet initialized")
	for _, kind := range []string{"EtcdClusterHealthy", "ControlPlaneComponentsHealthy"} {
		d.condition(kind, "Unknown", "InspectionFailed", message)
	}
	d.condition("MachinesReady", "True", "NoReplicas", "")
	d.condition("MachinesUpToDate", "True", "NoReplicas", "")
}

// createCertificates makes the four key pairs and then the kubeconfig. Their
// content is never looked at by anybody here, so it is only a marker.
func (m *Manager) createCertificates(u, cluster *unstructured.Unstructured) error {
	for _, purpose := range []string{"ca", "sa", "proxy", "etcd", "kubeconfig"} {
		keys := []string{"tls.crt", "tls.key"}
		if purpose == "kubeconfig" {
			keys = []string{"value"}
		}
		if _, err := m.createSecret(actorKCP, u, true, nameOf(cluster), nameOf(cluster)+"-"+purpose, keys...); err != nil {
			return err
		}
	}
	return nil
}

// createSecret makes a generated Secret with the given keys. Simulated Secrets
// have keys but no values: there is nothing in them that could leak.
func (m *Manager) createSecret(actor string, owner *unstructured.Unstructured, blocks bool, cluster, name string, keys ...string) (*unstructured.Unstructured, error) {
	if known := m.get(kindSecret, namespaceOf(owner), name); known != nil {
		return known, nil
	}
	data := map[string]any{}
	for _, key := range keys {
		data[key] = ""
	}
	r := ref(owner, true)
	if !blocks {
		delete(r, "blockOwnerDeletion")
	}
	return m.create(actor, kindSecret, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(owner), "name": name,
			"labels":          map[string]any{labelCluster: cluster},
			"ownerReferences": []any{r},
		},
		"type": secretType,
		"data": data,
	})
}

// inspectControlPlane looks into the workload cluster: is it initialized, and
// are the components of each machine healthy? It writes the gates of the
// machines and returns when something will have changed.
func (m *Manager) inspectControlPlane(d *draft, cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) (time.Duration, error) {
	const waiting = "Waiting for Cluster control plane to be initialized"
	at, known := m.connectionTime(cluster)
	connected := known && !at.After(m.now())
	if connected {
		d.condition("Initialized", "True", "Initialized", "")
		d.set(true, "status", "initialization", "controlPlaneInitialized")
	} else {
		d.condition("Initialized", "False", "NotInitialized", waiting)
	}
	var again time.Duration
	if known && !connected {
		again = at.Sub(m.now()) + 2*hop // the Machine is Running first
	}
	for _, machine := range machines {
		if connected && gatesOpen(machine) {
			continue
		}
		md := edit(machine, m.now())
		healthyAt, _ := m.componentsHealthyAt(machine)
		switch {
		case deleting(machine):
		case !connected:
			setGates(md, "Unknown", "InspectionFailed", waiting)
		case resource.Text(machine.Object, "status", "nodeRef", "name") == "":
			setGates(md, "Unknown", "InspectionFailed", "Waiting for a Node with spec.providerID to exist")
		case healthyAt.After(m.now()):
			setGates(md, "False", "DoesNotExist", "Pod is not reported healthy yet")
			again = soonest(again, healthyAt.Sub(m.now()))
		default:
			setGates(md, "True", "Running", "")
		}
		if err := m.commit(actorKCP, md); err != nil {
			return 0, err
		}
	}
	return again, nil
}

func setGates(d *draft, status, reason, message string) {
	for _, gate := range machineGates {
		r := reason
		switch {
		case status == "True" && gate == "EtcdMemberHealthy":
			r = "Healthy"
		case status == "True" && gate == "NodeKubeadmLabelsAndTaintsSet":
			r = "Set"
		}
		d.condition(gate, status, r, message)
	}
}

func gatesOpen(machine *unstructured.Unstructured) bool {
	for _, gate := range machineGates {
		if !isTrue(machine.Object, gate) {
			return false
		}
	}
	return resource.Text(machine.Object, "status", "nodeRef", "name") != "" && !deleting(machine)
}

// scaleControlPlane goes one machine at a time, up or down, and only while all
// machines are healthy (observed.md 6.3). blocked says what it waits for.
func (m *Manager) scaleControlPlane(u, cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) (again time.Duration, blocked string, err error) {
	desired := int(resource.Int(u.Object, "spec", "replicas"))
	switch {
	case len(machines) == desired:
		return 0, "", m.removeEtcdMembers(machines)
	case len(machines) == 0:
		return 0, "", m.createControlPlaneMachine(u, cluster, machines)
	}
	if err := m.removeEtcdMembers(machines); err != nil {
		return 0, "", err
	}
	for _, machine := range machines {
		if !gatesOpen(machine) {
			return preflightRetry, fmt.Sprintf("Scaling from %d to %d replicas is blocked because Machine %s is not healthy or being deleted", len(machines), desired, nameOf(machine)), nil
		}
	}
	if len(machines) < desired {
		return 0, "", m.createControlPlaneMachine(u, cluster, machines)
	}
	oldest := slices.MinFunc(machines, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(createdAt(a).Compare(createdAt(b)), cmp.Compare(nameOf(a), nameOf(b)))
	})
	return preflightRetry, "", m.remove(actorKCP, oldest)
}

// removeEtcdMembers plays the pre-terminate hook of machines that were drained:
// the member leaves etcd, then the machine may go.
func (m *Manager) removeEtcdMembers(machines []*unstructured.Unstructured) error {
	for _, machine := range machines {
		if resource.ConditionOf(machine.Object, "Deleting").Reason != "WaitingForPreTerminateHook" {
			continue
		}
		d := edit(machine, m.now())
		d.unset("metadata", "annotations", annotationPreTerminate)
		if err := m.commit(actorKCP, d); err != nil {
			return err
		}
	}
	return nil
}

// createControlPlaneMachine makes VSphereMachine, KubeadmConfig and Machine, in
// this order and with one name (domain.md E22), in the zone with the fewest.
func (m *Manager) createControlPlaneMachine(u, cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) error {
	base := nameOf(u) + "-"
	set := machineSet{
		owner: u, cluster: cluster, actor: actorKCP,
		name:    generatedName(base, m.suffix(kindMachine, namespaceOf(u), base)),
		version: resource.Text(u.Object, "spec", "version"),
		labels: map[string]any{
			labelCluster: nameOf(cluster), labelControlPlane: "",
			labelControlPlaneName: labelValue(nameOf(u)), labelTopologyOwned: "",
		},
		template:      resource.Text(u.Object, "spec", "machineTemplate", "spec", "infrastructureRef", "name"),
		failureDomain: m.leastUsedZone(cluster, machines),
		annotations:   map[string]any{annotationPreTerminate: ""},
	}
	for _, step := range []func(machineSet) error{m.createVSphereMachine, m.createKubeadmConfig, m.createMachine} {
		if err := step(set); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) leastUsedZone(cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) string {
	best, least := "", len(machines)+1
	for _, domain := range resource.Items(cluster.Object, "status", "failureDomains") {
		name, used := resource.Text(domain, "name"), 0
		for _, machine := range machines {
			if resource.Text(machine.Object, "spec", "failureDomain") == name {
				used++
			}
		}
		if used < least {
			best, least = name, used
		}
	}
	return best
}

// deleteControlPlane deletes all machines at once; nobody leaves etcd in order
// any more (domain.md 3.6).
func (m *Manager) deleteControlPlane(d *draft, machines []*unstructured.Unstructured) (time.Duration, error) {
	if len(machines) == 0 {
		d.removeFinalizers(finalizerControlPlane)
		return 0, m.commit(actorKCP, d)
	}
	d.condition("Deleting", "True", "WaitingForMachineDeletion", remaining(machines))
	for _, machine := range machines {
		md := edit(machine, m.now())
		md.unset("metadata", "annotations", annotationPreTerminate)
		if err := m.commit(actorKCP, md); err != nil {
			return 0, err
		}
		if err := m.remove(actorKCP, m.store.Get(keyOf(machine))); err != nil {
			return 0, err
		}
	}
	return deletePoll, m.commit(actorKCP, d)
}

// summarizeControlPlane counts the machines and computes the conditions.
func summarizeControlPlane(d *draft, machines []*unstructured.Unstructured, blocked string) {
	s := countMachines(machines)
	desired := resource.Int(d.root, "spec", "replicas")
	s.write(d)
	if s.total > 0 {
		d.set(resource.Text(d.root, "spec", "version"), "status", "version")
	}
	healthy := 0
	for _, machine := range machines {
		if gatesOpen(machine) {
			healthy++
		}
	}
	componentsHealthy(d, healthy, len(machines))
	s.conditions(d, machines)
	s.scaling(d, desired, blocked)
	d.condition("RollingOut", "False", "NotRollingOut", "")
	d.condition("Remediating", "False", "NotRemediating", "")
	d.condition("Deleting", "False", "NotDeleting", "")
	switch {
	case !resource.Flag(d.root, "status", "initialization", "controlPlaneInitialized"):
		d.condition("Available", "False", "NotAvailable", "Control plane not yet initialized")
	case healthy == 0:
		d.condition("Available", "False", "NotAvailable", "Waiting for etcd to report the list of members")
	default:
		d.condition("Available", "True", "Available", "")
	}
}

func componentsHealthy(d *draft, healthy, total int) {
	for _, kind := range []string{"EtcdClusterHealthy", "ControlPlaneComponentsHealthy"} {
		switch {
		case !resource.Flag(d.root, "status", "initialization", "controlPlaneInitialized"):
			d.condition(kind, "Unknown", "InspectionFailed", "Waiting for Cluster control plane to be initialized")
		case healthy < total:
			d.condition(kind, "False", "NotHealthy", fmt.Sprintf("%d of %d machines are healthy", healthy, total))
		default:
			d.condition(kind, "True", "Healthy", "")
		}
	}
}
