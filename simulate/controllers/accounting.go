package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// account keeps sums that would be too dear to compute when they are asked for:
// node disks per storage class, and who has which address.
func (m *Manager) account(c kubeapi.Change) {
	u := subjectIn(c)
	if c.Key.Kind == kindVM.Kind && (c.Before == nil || c.After == nil) {
		class := storageClass{namespaceOf(u), resource.Text(u.Object, "spec", "storageClass")}
		if c.After == nil {
			m.usage[class] -= m.diskMiB(u)
		} else {
			m.usage[class] += m.diskMiB(u)
		}
	}
	if c.After == nil {
		m.addresses.release(uidOf(u))
	}
}

type storageClass struct{ namespace, name string }

// defaultDiskGiB is the root disk of a node whose image says nothing (domain.md V10).
const defaultDiskGiB = 20

// diskMiB is the size of all disks of a VirtualMachine or VSphereMachine.
func (m *Manager) diskMiB(u *unstructured.Unstructured) int64 {
	image, _ := m.inventory.Image(resource.Text(u.Object, "spec", "imageName"))
	size := image.DiskGiB
	if size == 0 {
		size = defaultDiskGiB
	}
	return size * 1024
}
