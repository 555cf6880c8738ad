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
	if cluster == nil {
		return 0, nil
	}
	d := m.edit(u)
	if m.halts(d, v, cluster) {
		return 0, m.commit(actorBootstrap, d)
	}
	if v.initialized("dataSecretCreated") {
		return 0, nil
	}
	wait, err := m.bootstrap(d, u, cluster, home)
	if err != nil {
		return 0, err
	}
	summarizeConfig(d)
	return wait, m.commit(actorBootstrap, d)
}

// bootstrap goes as far as the cluster is, and says when to look again.
func (m *Manager) bootstrap(d *draft, u, cluster *unstructured.Unstructured, home *view) (time.Duration, error) {
	switch {
	case !home.initialized("infrastructureProvisioned"):
		noData(d, "Waiting for Cluster status.initialization.infrastructureProvisioned to be true")
		return 0, nil
	case home.initialized("controlPlaneInitialized"):
		return m.join(d, u, cluster, home)
	}
	first, wait, err := m.takeInitLock(u, cluster)
	if err != nil || !first {
		noData(d, "Waiting for Cluster control plane to be initialized")
		return wait, err
	}
	d.set(apiEndpointOf(cluster), "spec", "clusterConfiguration", "controlPlaneEndpoint")
	if wait, err = m.storeData(d, u, home); err == nil && wait > 0 {
		err = m.releaseInitLock(home) // somebody else may try
	}
	return wait, err
}

// join is what a machine does that is not the first. Only now the lock is released:
// where nobody joins it stays.
func (m *Manager) join(d *draft, u, cluster *unstructured.Unstructured, home *view) (time.Duration, error) {
	if err := m.releaseInitLock(home); err != nil {
		return 0, err
	}
	if !m.hasCertificates(home, hasLabel(u, labelControlPlane)) {
		d.condition("CertificatesAvailable", "Unknown", "InternalError", seeLogs)
		return lockRetry, nil
	}
	d.replace(map[string]any{"bootstrapToken": map[string]any{
		"apiServerEndpoint": apiEndpointOf(cluster),
	}}, "spec", "joinConfiguration", "discovery")
	d.replace(unite(&home.share().join, resource.Fields(d.root, "spec")), "spec")
	return m.storeData(d, u, home)
}

// storeData makes the Secret that cloud-init reads, or says when to try again where
// something that is to be in it cannot be read.
func (m *Manager) storeData(d *draft, u *unstructured.Unstructured, home *view) (time.Duration, error) {
	d.condition("CertificatesAvailable", "True", "Available", "")
	if why := m.unreadable(namespaceOf(u), resource.Fields(d.root, "spec")); why != "" {
		noData(d, why)
		return d.patience("DataSecretAvailable"), nil
	}
	owner := ref(u, true)
	delete(owner, "blockOwnerDeletion")
	secret, err := m.createSecret(actorBootstrap, home, nameOf(u), owner, bootstrapData)
	if err != nil {
		return 0, err
	}
	d.condition("DataSecretAvailable", "True", "Available", "")
	d.set(nameOf(secret), "status", "dataSecretName")
	d.initialize("dataSecretCreated")
	return 0, nil
}

func noData(d *draft, why string) { d.condition("DataSecretAvailable", "False", "NotAvailable", why) }

// summarizeConfig writes Ready. Of the certificates nothing is said before they are
// needed.
func summarizeConfig(d *draft) {
	if d.isTrue("DataSecretAvailable") && d.isTrue("CertificatesAvailable") {
		d.condition("Ready", "True", "Ready", "")
		return
	}
	status, reason := "Unknown", "ReadyUnknown"
	says := newSummary()
	for _, kind := range []string{"DataSecretAvailable", "CertificatesAvailable"} {
		switch c := d.conditionOf(kind); c.Status {
		case "True":
		case "":
			says = says.add(kind, "Condition not yet reported")
		case "False":
			status, reason = "False", "NotReady"
			says = says.add(kind, c.Message)
		default:
			says = says.add(kind, c.Message)
		}
	}
	d.summarize("Ready", status, reason, says)
}

// apiEndpointOf is the address of a cluster's API servers, host:port.
func apiEndpointOf(cluster *unstructured.Unstructured) string {
	endpoint := resource.Fields(cluster.Object, "spec", "controlPlaneEndpoint")
	return resource.Text(endpoint, "host") + ":" + strconv.FormatInt(resource.Int(endpoint, "port"), 10)
}

// takeInitLock says whether u is the configuration of the one machine to run
// kubeadm init: a control-plane machine that was the first to write its name into
// the lock. One that is not looks again after a while. The lock of a machine that is
// gone is released, which is all that is done in that pass.
func (m *Manager) takeInitLock(u, cluster *unstructured.Unstructured) (first bool, wait time.Duration, err error) {
	if !hasLabel(u, labelControlPlane) {
		return false, 0, nil // woken when the control plane is initialized
	}
	if released, err := m.dropStaleLock(cluster); err != nil || released {
		return false, pace, err
	}
	holder, err := json.Marshal(initLock{nameOf(u)})
	if err != nil {
		return false, 0, err
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
		return false, 0, err
	}
	return resource.Text(lock.Object, "data", "lock-information") == string(holder), lockRetry, nil
}

// initLock is what the lock says.
type initLock struct {
	MachineName string `json:"machineName"`
}

func lockName(cluster string) string { return cluster + "-lock" }

// dropStaleLock removes the lock if the machine that holds it is no more.
func (m *Manager) dropStaleLock(cluster *unstructured.Unstructured) (dropped bool, err error) {
	lock := m.get(kindConfigMap, namespaceOf(cluster), lockName(nameOf(cluster)))
	if lock == nil {
		return false, nil
	}
	var holder initLock
	text := resource.Text(lock.Object, "data", "lock-information")
	if json.Unmarshal([]byte(text), &holder) == nil && m.get(kindMachine, namespaceOf(cluster), holder.MachineName) != nil {
		return false, nil
	}
	return true, m.remove(actorBootstrap, lock)
}

// releaseInitLock removes the lock, if there is one.
func (m *Manager) releaseInitLock(cluster *view) error {
	return m.remove(actorBootstrap, m.get(kindConfigMap, cluster.namespace, lockName(cluster.name)))
}
