package controllers

import (
	"errors"

	"github.com/vksync/vksync/simulate/vcenter"
)

// VSphere is what VM Service and Workload Management ask of vCenter;
// vcenter.VCenter is one. Tasks are finished when a method returns.
type VSphere interface {
	Namespace(name string) (vcenter.NamespaceSpec, bool)
	SetNamespaceStatus(name, configStatus string, messages ...string)
	RemoveNamespace(name string) error
	MakeNamespace(name string) (vcenter.Placement, error)
	MakeClusterFolder(namespace, cluster string) (vcenter.Placement, error)
	RemoveClusterFolder(namespace, cluster string) error

	// Place finds host and datastore, or fails with a vcenter.PlaceError.
	Place(vcenter.PlaceRequest) (vcenter.Spot, error)
	CreateVM(vcenter.VMSpec) (vcenter.VMRef, error)
	PowerOn(moid string) (task string, err error)
	PowerOff(moid string) (task string, err error)
	Destroy(moid string) (task string, err error)
	SetGuest(moid, ip, hostname string) error
	// VM is a VM as it is, whoever changed it; false when there is none.
	VM(moid string) (vcenter.VMState, bool)
	// Spot is where a VM is; the zero Spot for one that does not exist.
	Spot(moid string) vcenter.Spot
}

var _ VSphere = (*vcenter.VCenter)(nil)

// placementReason is the condition reason for a failed placement (domain.md 1.12).
func placementReason(err error) string {
	var refused *vcenter.PlaceError
	switch {
	case !errors.As(err, &refused):
		return "Error"
	case refused.Reason == "ZoneNotFound":
		return "ZoneMismatch"
	}
	return "NotReady"
}
