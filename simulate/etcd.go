package simulate

import "github.com/vksync/vksync/simulate/controllers"

// EtcdMembers are the members of the etcd of a workload cluster as it is now,
// oldest Machine first; controllers.HasQuorum says whether they have quorum. It
// is for checks of a simulated world: the Supervisor does not show it.
func (w *World) EtcdMembers(namespace, cluster string) []controllers.EtcdMember {
	return w.controllers.EtcdMembers(namespace, cluster)
}
