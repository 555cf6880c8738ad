package controllers

import (
	"encoding/json"
	"strconv"
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
	v := m.view(u)
	if v.deleting || resource.Text(v.controller(), "kind") != kindMachine.Kind {
		return 0, nil // not the Machine's yet
	}
	cluster := m.clusterFor(u)
	home := m.view(cluster)
	if cluster == nil || home.deleting {
		return 0, nil
	}
	d := m.edit(u)
	if m.halts(d, v, cluster) {
		return 0, m.commit(actorBootstrap, d)
	}
	if v.initialized("dataSecretCreated") {
		return 0, m.releaseInitLock(home)
	}
	if !home.initialized("infrastructureProvisioned") {
		notReady(d, "Waiting for Cluster status.initialization.infrastructureProvisioned to be true")
		return 0, m.commit(actorBootstrap, d)
	}
	if !home.initialized("controlPlaneInitialized") {
		first, err := m.takeInitLock(u, cluster)
		if err != nil {
			return 0, err
		}
		if !first {
			notReady(d, "Waiting for Cluster control plane to be initialized")
			return lockRetryFor(u), m.commit(actorBootstrap, d)
		}
		d.set(apiEndpointOf(cluster), "spec", "clusterConfiguration", "controlPlaneEndpoint")
	} else {
		if err := m.releaseInitLock(home); err != nil {
			return 0, err
		}
		d.replace(map[string]any{"bootstrapToken": map[string]any{
			"apiServerEndpoint": apiEndpointOf(cluster),
		}}, "spec", "joinConfiguration", "discovery")
		d.replace(unite(&home.share().join, resource.Fields(d.root, "spec")), "spec")
	}
	owner := ref(u, true)
	delete(owner, "blockOwnerDeletion")
	secret, err := m.createSecret(actorBootstrap, home, v.name, owner, bootstrapData)
	if err != nil {
		return 0, err
	}
	d.condition("CertificatesAvailable", "True", "Available", "")
	d.condition("DataSecretAvailable", "True", "Available", "")
	d.condition("Ready", "True", "Ready", "")
	d.set(nameOf(secret), "status", "dataSecretName")
	d.initialize("dataSecretCreated")
	return 0, m.commit(actorBootstrap, d)
}

// apiEndpointOf is the address of a cluster's API servers, host:port.
func apiEndpointOf(cluster *unstructured.Unstructured) string {
	endpoint := resource.Fields(cluster.Object, "spec", "controlPlaneEndpoint")
	return resource.Text(endpoint, "host") + ":" + strconv.FormatInt(resource.Int(endpoint, "port"), 10)
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

// takeInitLock says whether u is the configuration of the one machine to run
// kubeadm init: a control-plane machine that was made for it, and was the first to
// write its name into the lock. The lock of a machine that is gone is released.
func (m *Manager) takeInitLock(u, cluster *unstructured.Unstructured) (bool, error) {
	if !hasLabel(u, labelControlPlane) || resource.Field(u.Object, "spec", "initConfiguration") == nil {
		return false, nil
	}
	holder, err := json.Marshal(initLock{nameOf(u)})
	if err != nil {
		return false, err
	}
	if err := m.dropStaleLock(cluster); err != nil {
		return false, err
	}
	lock, err := m.create(actorBootstrap, kindConfigMap, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": lockName(nameOf(cluster)),
			"labels":          map[string]any{labelCluster: nameOf(cluster)},
			"ownerReferences": []any{ref(cluster, false)},
		},
		"data": map[string]any{"lock-information": string(holder)},
	})
	if err != nil {
		return false, err
	}
	return resource.Text(lock.Object, "data", "lock-information") == string(holder), nil
}

// initLock is what the lock says.
type initLock struct {
	MachineName string `json:"machineName"`
}

func lockName(cluster string) string { return cluster + "-lock" }

// dropStaleLock removes the lock if the machine that holds it is no more.
func (m *Manager) dropStaleLock(cluster *unstructured.Unstructured) error {
	lock := m.get(kindConfigMap, namespaceOf(cluster), lockName(nameOf(cluster)))
	if lock == nil {
		return nil
	}
	var holder initLock
	text := resource.Text(lock.Object, "data", "lock-information")
	if json.Unmarshal([]byte(text), &holder) == nil && m.get(kindMachine, namespaceOf(cluster), holder.MachineName) != nil {
		return nil
	}
	return m.remove(actorBootstrap, lock)
}

// releaseInitLock removes the lock once the control plane is initialized.
func (m *Manager) releaseInitLock(cluster *view) error {
	if !cluster.initialized("controlPlaneInitialized") {
		return nil
	}
	return m.remove(actorBootstrap, m.get(kindConfigMap, cluster.namespace, lockName(cluster.name)))
}
