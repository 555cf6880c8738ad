package reconcile

import "github.com/vksync/vksync/reconcile/resource"

// labels are those of a resource as it is desired, or else as it is. The labels
// of a vSphere Namespace are on its Kubernetes Namespace.
func (e *Engine) labels(addr resource.Addr, desired *resource.Set) map[string]string {
	if want, is := desired.Get(addr); is {
		return want.GetLabels()
	}
	if addr.Kind == resource.KindVSphereNamespace {
		addr = resource.Addr{Supervisor: addr.Supervisor, Kind: "Namespace", Name: addr.Name}
	}
	live, _ := e.cache.Get(addr)
	if live.Unstructured == nil {
		return nil
	}
	return live.GetLabels()
}
