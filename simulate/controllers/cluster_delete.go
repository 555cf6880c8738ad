package controllers

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// deletePoll is how often the cluster controller looks whether what it deleted is gone.
const deletePoll = 5 * time.Second

// deleteCluster goes strictly in order: workers, control plane, infrastructure
// (domain.md 3.6, observed.md 6.6). What else belongs to the Cluster is garbage
// once it is gone. The status goes on telling what is left meanwhile.
func (m *Manager) deleteCluster(d *draft, cluster *unstructured.Unstructured) (time.Duration, error) {
	infrastructure, controlPlane := m.infrastructureOf(cluster), m.controlPlaneOf(cluster)
	f := m.familyOf(m.view(cluster), infrastructure, controlPlane).kept()
	m.probeConnection(d, cluster)
	namespace, name := namespaceOf(cluster), nameOf(cluster)
	deployments, sets, workers := m.ofCluster(kindMachineDeployment, namespace, name), m.ofCluster(kindMachineSet, namespace, name), m.workersOf(namespace, name)
	if len(deployments)+len(sets)+len(workers) > 0 {
		doomed := append(deployments, ownedOnly(cluster, sets, workers)...)
		return m.waitForDeletion(d, f, "WaitingForWorkersDeletion", remainingWorkers(deployments, sets, workers), doomed...)
	}
	if controlPlane != nil {
		return m.waitForDeletion(d, f, "WaitingForControlPlaneDeletion", "Waiting for KubeadmControlPlane to be deleted", controlPlane)
	}
	if infrastructure != nil {
		return m.waitForDeletion(d, f, "WaitingForInfrastructureDeletion", "Waiting for VSphereCluster to be deleted", infrastructure)
	}
	d.condition("Deleting", "True", "DeletionCompleted", "Deletion completed")
	m.summarizeCluster(d, f, allNews)
	if err := m.commit(actorCore, d); err != nil {
		return 0, err
	}
	d = edit(m.store.Get(keyOf(cluster)), m.now())
	d.removeFinalizers(finalizerCluster)
	return 0, m.commit(actorCore, d)
}

// ownedOnly are the MachineSets and Machines that no deployment takes with it.
func ownedOnly(cluster *unstructured.Unstructured, lists ...[]*unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, list := range lists {
		for _, u := range list {
			if ownedBy(u, cluster) {
				out = append(out, u)
			}
		}
	}
	return out
}

// waitForDeletion deletes what a stage takes away and says what is waited for.
func (m *Manager) waitForDeletion(d *draft, f family, reason, message string, doomed ...*unstructured.Unstructured) (time.Duration, error) {
	for _, u := range doomed {
		if err := m.remove(actorCore, u); err != nil {
			return 0, err
		}
	}
	d.condition("Deleting", "True", reason, message)
	m.summarizeCluster(d, f, allNews)
	return deletePoll, m.commit(actorCore, d)
}

func remainingWorkers(deployments, sets, workers []*unstructured.Unstructured) string {
	var out []string
	for _, left := range []struct {
		what string
		list []*unstructured.Unstructured
	}{{"MachineDeployments", deployments}, {"MachineSets", sets}, {"Worker Machines", workers}} {
		if len(left.list) == 0 {
			continue
		}
		var names []string
		for i, u := range left.list {
			if i == 5 {
				names = append(names, fmt.Sprintf("... (%d more)", len(left.list)-i))
				break
			}
			names = append(names, nameOf(u))
		}
		out = append(out, "* "+left.what+": "+strings.Join(names, ", "))
	}
	return lines(out)
}

// remaining names what a deletion waits for.
func remaining(left []*unstructured.Unstructured) string {
	var out []string
	for i, u := range left {
		if i == 3 {
			out = append(out, fmt.Sprintf("* ... and %d more", len(left)-i))
			break
		}
		out = append(out, "* "+u.GetKind()+": "+nameOf(u))
	}
	return lines(out)
}
