package controllers

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// lockRetry is how long a control-plane machine waits for the init lock.
const lockRetry = 30 * time.Second

// reconcileBootstrap writes the bootstrap data of a machine: of the one that
// holds the init lock first, of all others once the control plane is
// initialized (domain.md E23-E24, E47).
func (m *Manager) reconcileBootstrap(u *unstructured.Unstructured) (time.Duration, error) {
	owner := controllerOf(u)
	if deleting(u) || resource.Text(owner, "kind") != kindMachine.Kind {
		return 0, nil // not the Machine's yet
	}
	cluster := m.clusterFor(u)
	if cluster == nil || deleting(cluster) {
		return 0, nil
	}
	d := edit(u, m.now())
	if initialized(u, "dataSecretCreated") {
		return 0, m.releaseInitLock(cluster)
	}
	if !hasCondition(u, "Paused") {
		d.condition("Paused", "False", "NotPaused", "")
		return 0, m.commit(actorBootstrap, d)
	}
	if !initialized(cluster, "infrastructureProvisioned") {
		notReady(d, "Waiting for Cluster status.initialization.infrastructureProvisioned to be true")
		return 0, m.commit(actorBootstrap, d)
	}
	if !initialized(cluster, "controlPlaneInitialized") {
		first := hasLabel(u, labelControlPlane)
		if first {
			var err error
			if first, err = m.takeInitLock(u, cluster); err != nil {
				return 0, err
			}
		}
		if !first {
			notReady(d, "Waiting for Cluster control plane to be initialized")
			return lockRetryFor(u), m.commit(actorBootstrap, d)
		}
		d.replace(map[string]any{"clusterName": nameOf(cluster)}, "spec", "clusterConfiguration")
		d.replace(map[string]any{}, "spec", "initConfiguration")
	} else {
		if err := m.releaseInitLock(cluster); err != nil {
			return 0, err
		}
		d.replace(map[string]any{"bootstrapToken": map[string]any{
			"apiServerEndpoint": resource.Text(cluster.Object, "spec", "controlPlaneEndpoint", "host") + ":6443",
		}}, "spec", "joinConfiguration", "discovery")
	}
	secret, err := m.createSecret(actorBootstrap, u, false, nameOf(cluster), nameOf(u), "value", "format")
	if err != nil {
		return 0, err
	}
	d.condition("CertificatesAvailable", "True", "Available", "")
	d.condition("DataSecretAvailable", "True", "Available", "")
	d.condition("Ready", "True", "Ready", "")
	d.set(nameOf(secret), "status", "dataSecretName")
	d.set(true, "status", "initialization", "dataSecretCreated")
	return 0, m.commit(actorBootstrap, d)
}

func lockRetryFor(u *unstructured.Unstructured) time.Duration {
	if hasLabel(u, labelControlPlane) {
		return lockRetry
	}
	return 0 // woken when the control plane is initialized
}

func notReady(d *draft, why string) {
	d.condition("CertificatesAvailable", "True", "Available", "")
	d.condition("DataSecretAvailable", "False", "NotAvailable", why)
	d.condition("Ready", "False", "NotReady", bullet("DataSecretAvailable", why))
}

// takeInitLock makes the ConfigMap that names the one machine to run kubeadm init.
func (m *Manager) takeInitLock(u, cluster *unstructured.Unstructured) (bool, error) {
	holder, err := json.Marshal(map[string]string{"machineName": nameOf(u)})
	if err != nil {
		return false, err
	}
	lock, err := m.create(actorBootstrap, kindConfigMap, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": nameOf(cluster) + "-lock",
			"ownerReferences": []any{ref(cluster, false)},
		},
		"data": map[string]any{"lock-information": string(holder)},
	})
	if err != nil {
		return false, err
	}
	return resource.Text(lock.Object, "data", "lock-information") == string(holder), nil
}

func (m *Manager) releaseInitLock(cluster *unstructured.Unstructured) error {
	if !initialized(cluster, "controlPlaneInitialized") {
		return nil
	}
	return m.remove(actorBootstrap, m.get(kindConfigMap, namespaceOf(cluster), nameOf(cluster)+"-lock"))
}
