package controllers

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/topology"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// Admission plays the webhooks in front of a Supervisor's API: VKS's release
// resolver and defaults, then what VKS, Cluster API, CAPV and vm-operator refuse
// (domain.md 1.20, V1, V2, 3.8), in the words of reconcile/topology. Clusters of a
// class that is not VKS's are looked at by Cluster API alone. It is safe for
// concurrent use.
func Admission(inv *inventory.Inventory) func(kubeapi.Request) error {
	return func(r kubeapi.Request) error {
		switch {
		case r.Object != nil && deleting(r.Object):
			return nil
		case r.Verb == "delete":
			return refuseDeletion(r)
		case r.Object == nil:
			return nil
		case r.Object.GetKind() == kindCluster.Kind && r.Object.GroupVersionKind().Group == groupCluster:
			return admitCluster(inv, r)
		case r.Object.GetKind() == kindClusterClass.Kind:
			return answer(r.Object, topology.RefuseClass(writtenOf(r.Old), r.Object.Object, usersOf(r, r.Object)))
		}
		return answer(r.Object, topology.RefuseGenerated(r.Object.GetKind(), writtenOf(r.Old), r.Object.Object))
	}
}

// refuseDeletion: only what others use cannot be deleted.
func refuseDeletion(r kubeapi.Request) error {
	if r.Old == nil || r.Old.GetKind() != kindClusterClass.Kind {
		return nil
	}
	return answer(r.Old, topology.RefuseClass(r.Old.Object, nil, usersOf(r, r.Old)))
}

// admitCluster fills in what webhooks fill in, and refuses what they refuse.
func admitCluster(inv *inventory.Inventory, r kubeapi.Request) error {
	content := resource.Fields(r.Object.Object, "spec", "topology")
	if content != nil && topology.VKS(classOf(r.Object)) {
		if err := classExists(r, content); err != nil {
			return err
		}
		if err := resolveRelease(inv, r, content); err != nil {
			return err
		}
		defaultNetwork(r.Object.Object)
	}
	return answer(r.Object, around(r).Refuse(writtenOf(r.Old), r.Object.Object))
}

// around is what the webhooks read beside a Cluster.
func around(r kubeapi.Request) topology.Around {
	a := topology.Around{Class: func(namespace, name string) (map[string]any, bool) {
		return writtenOf(r.Get(kindClusterClass.key(namespace, name))), true
	}}
	if r.Old == nil {
		return a
	}
	namespace := namespaceOf(r.Old)
	name := resource.Text(r.Old.Object, "spec", "controlPlaneRef", "name")
	if controlPlane := r.Get(kindControlPlane.key(namespace, name)); controlPlane != nil {
		a.ControlPlane = controlPlane.Object
	}
	if resource.Text(r.Old.Object, "spec", "topology", "version") == resource.Text(r.Object.Object, "spec", "topology", "version") {
		return a // then nobody asks how far the machines are
	}
	ours := map[string]string{labelCluster: nameOf(r.Old)}
	for _, u := range r.List(kindMachineDeployment.GroupKind, namespace, ours) {
		a.Deployments = append(a.Deployments, u.Object)
	}
	for _, u := range r.List(kindMachine.GroupKind, namespace, ours) {
		a.Machines = append(a.Machines, u.Object)
	}
	return a
}

// usersOf are the Clusters of a class.
func usersOf(r kubeapi.Request, class *unstructured.Unstructured) []map[string]any {
	var out []map[string]any
	for _, u := range r.List(kindCluster.GroupKind, "", nil) {
		if namespace, name := topology.ClassOf(u.Object); namespace == namespaceOf(class) && name == nameOf(class) {
			out = append(out, u.Object)
		}
	}
	return out
}

// writtenOf is the content of an object; nil for none.
func writtenOf(u *unstructured.Unstructured) map[string]any {
	if u == nil {
		return nil
	}
	return u.Object
}

// answer is how the API server passes refusals on; nil for none.
func answer(o *unstructured.Unstructured, refusals []topology.Refusal) error {
	if len(refusals) == 0 {
		return nil
	}
	status := metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
		Message: topology.Answer(o.GroupVersionKind().Group, o.GetKind(), nameOf(o), refusals),
	}
	if webhook := refusals[0].Webhook; refusals[0].Path == "" || webhook == topology.WebhookVKS || webhook == topology.WebhookVM {
		status.Code, status.Reason = http.StatusForbidden, metav1.StatusReasonForbidden
	}
	return &apierrors.StatusError{ErrStatus: status}
}
