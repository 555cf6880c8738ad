package controllers

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/vcenter"
)

// ClassNamespace is where VKS 3.4 and later keeps its ClusterClasses.
const ClassNamespace = "vmware-system-vks-public"

// NamespaceHooks connect vCenter's REST API to Workload Management. They may be
// called by any goroutine: all they do is schedule.
func (m *Manager) NamespaceHooks() vcenter.NamespaceHooks {
	return vcenter.NamespaceHooks{
		Created: func(s vcenter.NamespaceSpec) { m.configureLater(s.Name) },
		Updated: func(s vcenter.NamespaceSpec) { m.clock.AfterFunc(pace, func() { m.try(m.syncNamespace(s.Name)) }) },
		Deleted: func(s vcenter.NamespaceSpec) { m.clock.AfterFunc(pace, func() { m.try(m.closeNamespace(s.Name)) }) },
	}
}

// try notes a fault of the simulation, if err is one.
func (m *Manager) try(err error) {
	if err != nil {
		m.fail(nil, err)
	}
}

func (m *Manager) configureLater(name string) {
	m.clock.AfterFunc(m.takes(StepNamespace, name), func() { m.try(m.openNamespace(name)) })
}

// ResumeNamespaces goes on with the namespaces of a loaded world that are on
// their way in or out.
func (m *Manager) ResumeNamespaces(specs []vcenter.NamespaceSpec) {
	for _, s := range specs {
		switch s.ConfigStatus {
		case vcenter.Configuring:
			m.configureLater(s.Name)
		case vcenter.Removing:
			m.clock.AfterFunc(pace, func() { m.try(m.closeNamespace(s.Name)) })
		}
	}
}

// openNamespace makes a vSphere Namespace usable: folder and pools in vCenter,
// then the Kubernetes Namespace with its zones, classes and quotas (domain.md
// 5.1, 1.13, 1.18).
func (m *Manager) openNamespace(name string) error {
	placement, err := m.vsphere.MakeNamespace(name)
	if err != nil {
		return fmt.Errorf("making vSphere Namespace %s: %w", name, err)
	}
	if _, err := m.create(actorWorkload, kindNamespace, map[string]any{
		"metadata": map[string]any{"name": name, "labels": map[string]any{"vSphereClusterID": "domain-" + m.inventory.Spec.Supervisor.Name}},
	}); err != nil {
		return err
	}
	for _, zone := range m.inventory.ZoneNames() {
		if _, err := m.create(actorWorkload, kindZone, map[string]any{
			"metadata": map[string]any{"namespace": name, "name": zone},
			"spec": map[string]any{"managedVMs": map[string]any{
				"folderMoID": placement.FolderMoID, "poolMoIDs": []any{placement.PoolMoIDs[zone]},
			}},
		}); err != nil {
			return err
		}
	}
	if err := m.openNetwork(name); err != nil {
		return err
	}
	if err := m.syncNamespace(name); err != nil {
		return err
	}
	m.vsphere.SetNamespaceStatus(name, vcenter.Running)
	return nil
}

// syncNamespace makes VM classes, storage quotas and cluster classes in a
// namespace be those that it was given.
func (m *Manager) syncNamespace(name string) error {
	spec, ok := m.vsphere.Namespace(name)
	if !ok || m.get(kindNamespace, "", name) == nil {
		return nil
	}
	if err := m.keepOnly(kindVMClass, name, spec.VMClasses); err != nil {
		return err
	}
	for _, class := range spec.VMClasses {
		if err := m.assignClass(name, class); err != nil {
			return err
		}
	}
	var quotas []string
	for _, policy := range spec.StoragePolicies {
		quotas = append(quotas, policy.Name+"-storagepolicyquota")
		if err := m.assignPolicy(name, policy); err != nil {
			return err
		}
	}
	if err := m.keepOnly(kindPolicyQuota, name, quotas); err != nil {
		return err
	}
	return m.assignClusterClasses(name)
}

// keepOnly deletes the objects of a kind that are no longer among names.
func (m *Manager) keepOnly(k kind, namespace string, names []string) error {
	for _, u := range m.store.List(k.GroupKind, namespace, nil) {
		if slices.Contains(names, nameOf(u)) {
			continue
		}
		if err := m.remove(actorWorkload, u); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) assignClass(namespace, name string) error {
	class, ok := m.inventory.VMClass(name)
	if !ok {
		return nil // refused by the REST API already
	}
	_, err := m.create(actorWorkload, kindVMClass, map[string]any{
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec": map[string]any{
			"hardware": map[string]any{"cpus": int64(class.CPUs), "memory": fmt.Sprintf("%dMi", class.MemoryMiB)},
		},
	})
	return err
}

// assignPolicy writes the StoragePolicyQuota that says how much of a storage
// policy a namespace may use; limitMiB 0 is no limit.
func (m *Manager) assignPolicy(namespace string, policy vcenter.PolicyLimit) error {
	quota, err := m.create(actorWorkload, kindPolicyQuota, map[string]any{
		"metadata": map[string]any{"namespace": namespace, "name": policy.Name + "-storagepolicyquota"},
		"spec":     map[string]any{"storagePolicyId": policy.Name, "limitMiB": policy.LimitMiB},
	})
	if err != nil {
		return err
	}
	d := edit(quota, m.now())
	d.set(policy.LimitMiB, "spec", "limitMiB")
	if policy.LimitMiB > 0 {
		d.set(fmt.Sprintf("%dMi", policy.LimitMiB), "spec", "limit")
	} else {
		d.unset("spec", "limit")
	}
	return m.commit(actorWorkload, d)
}

// quotaPace is how often the use of storage quotas is counted.
const quotaPace = 30 * time.Second

// CountQuotas has the status of StoragePolicyQuotas say what is in use, now and then
// from now on, as CNS does (domain.md 1.18). Nothing that is simulated needs it;
// people and their tools do.
func (m *Manager) CountQuotas() {
	for _, quota := range m.store.List(kindPolicyQuota.GroupKind, "", nil) {
		m.try(m.countQuota(quota))
	}
	m.clock.AfterFunc(quotaPace, m.CountQuotas)
}

func (m *Manager) countQuota(quota *unstructured.Unstructured) error {
	class := resource.Text(quota.Object, "spec", "storagePolicyId")
	used := fmt.Sprintf("%dMi", m.StorageUsed(namespaceOf(quota), class))
	total := resource.Items(quota.Object, "status", "total")
	if len(total) == 1 && resource.Text(total[0], "scQuotaUsage", "used") == used {
		return nil
	}
	d := edit(quota, m.now())
	d.replace([]any{map[string]any{
		"storageClassName": class, "scQuotaUsage": map[string]any{"used": used, "reserved": "0"},
	}}, "status", "total")
	return m.commit(actorWorkload, d)
}

// assignClusterClasses puts the classes up to VKS 3.3 into each namespace; the
// later ones are shared (domain.md 1.21).
func (m *Manager) assignClusterClasses(namespace string) error {
	for _, class := range m.inventory.Spec.ClusterClasses {
		if sharedClass(class) {
			continue
		}
		if _, err := m.create(actorReleases, kindClusterClass, m.shippedClass(namespace, class)); err != nil {
			return err
		}
	}
	return nil
}

// closeNamespace deletes the Kubernetes Namespace, and the vSphere Namespace once
// that is gone.
func (m *Manager) closeNamespace(name string) error {
	if u := m.get(kindNamespace, "", name); u != nil {
		if err := m.remove(actorWorkload, u); err != nil {
			return err
		}
		m.clock.AfterFunc(deletePoll, func() { m.try(m.closeNamespace(name)) })
		return nil
	}
	m.clock.AfterFunc(m.takes(StepNamespaceOff, name), func() { m.try(m.vsphere.RemoveNamespace(name)) })
	return nil
}

// Fixtures writes what a Supervisor has before anybody uses it: storage
// classes, Kubernetes releases with their images, and cluster classes.
func (m *Manager) Fixtures() error {
	if _, err := m.create(actorReleases, kindNamespace, map[string]any{"metadata": map[string]any{"name": ClassNamespace}}); err != nil {
		return err
	}
	if err := m.describeNetworks(); err != nil {
		return err
	}
	for _, policy := range m.inventory.Spec.StoragePolicies {
		if _, err := m.create(actorWorkload, kindStorageClass, map[string]any{
			"metadata": map[string]any{"name": policy.Name}, "provisioner": "csi.vsphere.vmware.com",
		}); err != nil {
			return err
		}
	}
	for _, library := range m.inventory.Spec.ContentLibraries {
		for _, image := range library.Images {
			if _, err := m.create(actorVMService, kindClusterImage, map[string]any{
				"metadata": map[string]any{"name": image.Name},
				"status": map[string]any{
					"name":       image.DisplayName,
					"osInfo":     map[string]any{"type": image.OS.Name, "version": image.OS.Version},
					"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "True", "message": "", "lastTransitionTime": stamp(m.now())}},
				},
			}); err != nil {
				return err
			}
		}
	}
	for _, class := range m.inventory.Spec.ClusterClasses {
		if !sharedClass(class) {
			continue
		}
		if _, err := m.create(actorReleases, kindClusterClass, m.shippedClass(ClassNamespace, class)); err != nil {
			return err
		}
	}
	return m.createReleases()
}

// Everyday makes the namespaces that every Kubernetes has and that are missing.
// Nothing that is simulated needs them; people and their tools do.
func (m *Manager) Everyday() error {
	for _, name := range []string{"default", "kube-system"} {
		if m.store.Get(kindNamespace.key("", name)) != nil {
			continue
		}
		if _, err := m.create(actorReleases, kindNamespace, map[string]any{"metadata": map[string]any{"name": name}}); err != nil {
			return err
		}
	}
	return nil
}

// sharedClass says whether a class is one of VKS 3.4 and later.
func sharedClass(name string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(name, "builtin-generic-v%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 3 || minor >= 4
}

// createReleases writes a KubernetesRelease and its OSImages per release of the
// inventory (domain.md 1.20).
func (m *Manager) createReleases() error {
	for _, release := range m.inventory.Spec.KubernetesReleases {
		images := []any{}
		for _, name := range release.Images {
			images = append(images, map[string]any{"name": name})
			image, _ := m.inventory.Image(name)
			if _, err := m.create(actorReleases, kindOSImage, map[string]any{
				"metadata": map[string]any{"name": name},
				"spec": map[string]any{
					"kubernetesVersion": release.Version,
					"os":                map[string]any{"name": image.OS.Name, "version": image.OS.Version},
					"image":             map[string]any{"type": "cvmi", "ref": map[string]any{"name": name}},
				},
			}); err != nil {
				return err
			}
		}
		status, reason := "True", "Compatible"
		labels := map[string]any{}
		if release.Incompatible {
			status, reason = "False", "Incompatible"
			labels["incompatible"] = ""
		}
		condition := func(kind string) map[string]any {
			return map[string]any{"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": stamp(m.now())}
		}
		if _, err := m.create(actorReleases, kindRelease, map[string]any{
			"metadata": map[string]any{"name": releaseName(release.Version), "labels": labels},
			"spec":     map[string]any{"version": release.Version, "kubernetes": map[string]any{"version": release.Version}, "osImages": images},
			"status":   map[string]any{"conditions": []any{condition("Compatible"), condition("Ready")}},
		}); err != nil {
			return err
		}
	}
	return nil
}

// imageFor is the node image of a control plane or pool, as the release of its
// version and the annotation of the part choose it.
func (m *Manager) imageFor(version string, part any) string {
	release, ok := m.inventory.Release(version)
	if !ok {
		return ""
	}
	images := matchingImages(m.inventory, release, part)
	if len(images) == 0 {
		return ""
	}
	return images[0]
}
