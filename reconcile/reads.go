package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

var kindCluster = schema.GroupKind{Group: resource.GroupCluster, Kind: resource.KindCluster}

// followed are the kinds that are watched: a run decides by them.
var followed = []schema.GroupKind{kindCluster, {Kind: "Namespace"}}

// A read is a kind that is listed once for every plan.
type read struct {
	schema.GroupKind
	// namesOnly kinds are read without their content.
	namesOnly bool
}

// reads are what the preflight checks look at (domain.md part 4).
var reads = []read{
	{GroupKind: schema.GroupKind{Group: resource.GroupCluster, Kind: "ClusterClass"}},
	{GroupKind: schema.GroupKind{Group: "vmoperator.vmware.com", Kind: "VirtualMachineClass"}},
	{GroupKind: schema.GroupKind{Group: "cns.vmware.com", Kind: "StoragePolicyQuota"}},
	{GroupKind: schema.GroupKind{Group: "kubernetes.vmware.com", Kind: "KubernetesRelease"}},
	{GroupKind: schema.GroupKind{Group: "topology.tanzu.vmware.com", Kind: "Zone"}},
	{GroupKind: schema.GroupKind{Kind: "Secret"}, namesOnly: true},
}

// parts are what says which machines a Cluster has. They are listed for a plan that
// changes one that is there.
var parts = []read{
	{GroupKind: schema.GroupKind{Group: "controlplane.cluster.x-k8s.io", Kind: "KubeadmControlPlane"}},
	{GroupKind: schema.GroupKind{Group: resource.GroupCluster, Kind: "MachineDeployment"}},
	{GroupKind: schema.GroupKind{Group: resource.GroupCluster, Kind: "Machine"}},
}

// listed are the objects of a kind, or why they could not be listed.
type listed struct {
	objects []resource.Object
	err     error
}

func (r read) list(ctx context.Context, c *supervisor.Client) (l listed) {
	if r.namesOnly {
		l.objects, l.err = c.ListNames(ctx, r.GroupKind)
	} else {
		l.objects, l.err = c.List(ctx, r.GroupKind)
	}
	return l
}

// reasonUnread says why a kind could not be listed.
func reasonUnread(err error) string {
	var e *supervisor.Error
	if errors.As(err, &e) {
		return e.Text()
	}
	return err.Error()
}

// Kinds are those that an Engine reads of a Supervisor: watched ones are listed and
// watched, the others only listed. One that may not be read costs what it is for.
func Kinds() (watched, listed []schema.GroupKind) {
	watched = slices.Concat(followed, told)
	slices.SortFunc(watched, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	for _, r := range slices.Concat(reads, parts) {
		listed = append(listed, r.GroupKind)
	}
	return slices.Compact(watched), append(listed, kindIPPool)
}
