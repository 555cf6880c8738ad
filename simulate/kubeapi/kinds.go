package kubeapi

// CoreKinds are the kinds of Kubernetes itself that every Store serves.
func CoreKinds() []Kind {
	core := func(kind, resource string, columns []Column, short ...string) Kind {
		return Kind{Versions: []string{"v1"}, Kind: kind, Resource: resource, ShortNames: short, Columns: columns}
	}
	namespace := core("Namespace", "namespaces", namespaceColumns, "ns")
	namespace.Cluster, namespace.Status = true, true
	service := core("Service", "services", serviceColumns, "svc")
	service.Status, service.Categories = true, []string{"all"}
	quota := core("ResourceQuota", "resourcequotas", quotaColumns, "quota")
	quota.Status = true
	lease := core("Lease", "leases", leaseColumns)
	lease.Group = "coordination.k8s.io"
	event := core("Event", "events", eventColumns, "ev")
	event.Versions = append(event.Versions, eventsVersion)
	return []Kind{
		namespace, service, quota, lease, event,
		core("Secret", "secrets", secretColumns),
		core("ConfigMap", "configmaps", configMapColumns, "cm"),
		core("Endpoints", "endpoints", endpointsColumns, "ep"),
	}
}
