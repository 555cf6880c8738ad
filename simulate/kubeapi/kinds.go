package kubeapi

// CoreKinds are the kinds of Kubernetes itself that every Store serves.
func CoreKinds() []Kind {
	core := func(kind, resource string, short ...string) Kind {
		return Kind{Versions: []string{"v1"}, Kind: kind, Resource: resource, ShortNames: short}
	}
	namespace := core("Namespace", "namespaces", "ns")
	namespace.Cluster, namespace.Status = true, true
	service := core("Service", "services", "svc")
	service.Status = true
	quota := core("ResourceQuota", "resourcequotas", "quota")
	quota.Status = true
	lease := core("Lease", "leases")
	lease.Group = "coordination.k8s.io"
	return []Kind{
		namespace, service, quota, lease,
		core("Secret", "secrets"),
		core("ConfigMap", "configmaps", "cm"),
		core("Endpoints", "endpoints", "ep"),
		core("Event", "events", "ev"),
	}
}
