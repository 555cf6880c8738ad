// Package topology says what the webhooks in front of a Supervisor refuse, and
// in which words. It is pure: it looks at the content of objects before and
// after a write, and at what the webhooks read beside them. The simulated
// Supervisor answers with it, and a plan holds it against what it is about to
// apply, so that both say the same.
//
// Most rules and texts are those of Cluster API 1.14 (core/webhooks/admission,
// controlplane/kubeadm/webhooks/admission and internal/topology/check), of CAPV
// (internal/webhooks/vmware) and of the NSX operator's CRDs, which can be read.
// VKS's own webhook cannot: what is known of it comes from field notes, and is
// marked so where it stands.
package topology

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// The webhooks that refuse. Their names are in the API server's answer.
const (
	WebhookCluster       = "validation.cluster.cluster.x-k8s.io"
	WebhookClusterValues = "default.cluster.cluster.x-k8s.io" // checks the variables, too
	WebhookVKS           = "capi.validating.tanzukubernetescluster.run.tanzu.vmware.com"
	WebhookClass         = "validation.clusterclass.cluster.x-k8s.io"
	WebhookControlPlane  = "validation.kubeadmcontrolplane.controlplane.cluster.x-k8s.io"
	WebhookDeployment    = "validation.machinedeployment.cluster.x-k8s.io"
	WebhookSet           = "validation.machineset.cluster.x-k8s.io"
	WebhookMachine       = "validation.machine.cluster.x-k8s.io"
	WebhookHealthCheck   = "validation.machinehealthcheck.cluster.x-k8s.io"
	WebhookInfraMachine  = "validation.vspheremachine.vmware.infrastructure.cluster.x-k8s.io"
	WebhookInfraTemplate = "validation.vspheremachinetemplate.vmware.infrastructure.cluster.x-k8s.io"
	WebhookVM            = "default.validating.virtualmachine.v1alpha5.vmoperator.vmware.com"
)

// A Refusal is one reason why a write is refused.
type Refusal struct {
	// Webhook is the name of who refuses; empty when it is the API server itself,
	// by a rule of the kind's schema.
	Webhook string
	// Path is the field, as the answer has it: "spec.topology.version",
	// "spec.topology.workers.machineDeployments[np-1].replicas". It is empty when
	// the whole object is refused.
	Path string
	// Message is what the answer says of it, beginning with the path.
	Message string
	// Detail is the part of it that says why.
	Detail string
}

// of makes a Refusal of what a webhook says of a field.
func of(webhook string, e *field.Error) Refusal {
	return Refusal{Webhook: webhook, Path: e.Field, Message: e.Error(), Detail: e.Detail}
}

// all makes Refusals of what a webhook says of many fields.
func all(webhook string, errs field.ErrorList) []Refusal {
	out := make([]Refusal, 0, len(errs))
	for _, e := range errs {
		out = append(out, of(webhook, e))
	}
	return out
}

// Answer is the message with which an API server refuses a write of the object
// called kind and name in a group ("Cluster", "prod", "cluster.x-k8s.io") for
// refusals, which must not be empty. It passes on one webhook's answer, which has
// all that this webhook has to say; the others are not heard.
func Answer(group, kind, name string, refusals []Refusal) string {
	webhook := refusals[0].Webhook
	var said []string
	for _, r := range refusals {
		if r.Webhook == webhook && !slices.Contains(said, r.Message) {
			said = append(said, r.Message)
		}
	}
	text := strings.Join(said, ", ")
	switch {
	case webhook == WebhookVKS, webhook == WebhookVM: // which word their answers themselves
	case refusals[0].Path == "":
		text = kind + "." + group + " \"" + name + "\" is forbidden: " + text
	default:
		if len(said) > 1 {
			text = "[" + text + "]"
		}
		text = kind + "." + group + " \"" + name + "\" is invalid: " + text
	}
	if webhook == "" {
		return text
	}
	return "admission webhook \"" + webhook + "\" denied the request: " + text
}

// VKS says whether a ClusterClass is one of VKS's own (domain.md 1.21). Its
// webhooks do not look at Clusters of others.
func VKS(class string) bool {
	return class == "tanzukubernetescluster" || strings.HasPrefix(class, "builtin-generic")
}

// ClassOf is the namespace and the name of the ClusterClass that a Cluster names;
// empty without one.
func ClassOf(cluster map[string]any) (namespace, name string) {
	ref := resource.Fields(cluster, "spec", "topology", "classRef")
	name = resource.Text(ref, "name")
	if name == "" {
		return "", ""
	}
	if namespace = resource.Text(ref, "namespace"); namespace == "" {
		namespace = resource.Text(cluster, "metadata", "namespace")
	}
	return namespace, name
}
