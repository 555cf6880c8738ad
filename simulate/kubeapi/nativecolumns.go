package kubeapi

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// The columns of the kinds of Kubernetes itself, which its API server computes
// in code. All are strings.

func native(name string, cell func(content map[string]any) any) Column {
	return Column{Name: name, native: func(content map[string]any, _ time.Time) any { return cell(content) }}
}

// wide makes columns that are shown with -o wide only.
func wide(c Column) Column {
	c.Priority = 1
	return c
}

// text is a column that shows one field, or other where that is empty.
func text(name, other string, path ...string) Column {
	return native(name, func(content map[string]any) any { return cmp.Or(resource.Text(content, path...), other) })
}

// count is a column with the number of entries of a map.
func count(name string, fields ...string) Column {
	return native(name, func(content map[string]any) any {
		n := int64(0)
		for _, field := range fields {
			n += int64(len(resource.Fields(content, field)))
		}
		return n
	})
}

var ageColumn = Column{Name: "Age", native: func(content map[string]any, now time.Time) any {
	return age(resource.Text(content, "metadata", "creationTimestamp"), now)
}}

var (
	namespaceColumns = []Column{nameColumn, text("Status", "", "status", "phase"), ageColumn}
	secretColumns    = []Column{nameColumn, text("Type", "Opaque", "type"), count("Data", "data"), ageColumn}
	configMapColumns = []Column{nameColumn, count("Data", "data", "binaryData"), ageColumn}
	leaseColumns     = []Column{nameColumn, text("Holder", "", "spec", "holderIdentity"), ageColumn}
	endpointsColumns = []Column{nameColumn, native("Endpoints", endpointList), ageColumn}
	quotaColumns     = []Column{nameColumn, native("Request", func(content map[string]any) any { return quotas(content, false) }),
		native("Limit", func(content map[string]any) any { return quotas(content, true) }), ageColumn}
	serviceColumns = []Column{nameColumn, text("Type", "", "spec", "type"), text("Cluster-IP", "<none>", "spec", "clusterIP"),
		native("External-IP", externalIPs), native("Port(s)", servicePorts), ageColumn, wide(native("Selector", serviceSelector))}
	eventColumns = []Column{
		{Name: "Last Seen", native: lastSeen}, text("Type", "", "type"), text("Reason", "", "reason"), native("Object", eventObject),
		wide(text("Subobject", "", "involvedObject", "fieldPath")), wide(native("Source", eventSource)),
		native("Message", func(content map[string]any) any { return strings.TrimSpace(resource.Text(content, "message")) }),
		wide(Column{Name: "First Seen", native: firstSeen}), wide(native("Count", eventCount)), wide(nameColumn),
	}
)

// StorageClassColumns are those of storage.k8s.io's StorageClass, which only
// some stores serve.
func StorageClassColumns() []Column {
	return []Column{
		native("Name", func(content map[string]any) any {
			name := resource.Text(content, "metadata", "name")
			if resource.Text(content, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true" {
				name += " (default)"
			}
			return name
		}),
		text("Provisioner", "", "provisioner"), text("ReclaimPolicy", "Delete", "reclaimPolicy"), text("VolumeBindingMode", "Immediate", "volumeBindingMode"),
		native("AllowVolumeExpansion", func(content map[string]any) any { return resource.Flag(content, "allowVolumeExpansion") }), ageColumn,
	}
}

func firstSeen(content map[string]any, now time.Time) any {
	return age(cmp.Or(resource.Text(content, "firstTimestamp"), resource.Text(content, "eventTime")), now)
}

func lastSeen(content map[string]any, now time.Time) any {
	if last := cmp.Or(resource.Text(content, "series", "lastObservedTime"), resource.Text(content, "lastTimestamp")); last != "" {
		return age(last, now)
	}
	return firstSeen(content, now)
}

func eventCount(content map[string]any) any {
	return cmp.Or(resource.Int(content, "series", "count"), resource.Int(content, "count"), 1)
}

func eventObject(content map[string]any) any {
	kind, name := strings.ToLower(resource.Text(content, "involvedObject", "kind")), resource.Text(content, "involvedObject", "name")
	if name == "" {
		return kind
	}
	return kind + "/" + name
}

func eventSource(content map[string]any) any {
	component := cmp.Or(resource.Text(content, "source", "component"), resource.Text(content, "reportingComponent"))
	if instance := cmp.Or(resource.Text(content, "source", "host"), resource.Text(content, "reportingInstance")); instance != "" {
		return component + ", " + instance
	}
	return component
}

func quotas(content map[string]any, limits bool) any {
	hard := resource.Fields(content, "status", "hard")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(hard)) {
		if strings.HasPrefix(name, "limits.") == limits {
			used := resource.Fields(content, "status", "used")[name]
			if used == nil {
				used = 0
			}
			parts = append(parts, fmt.Sprintf("%s: %v/%v", name, used, hard[name]))
		}
	}
	return strings.Join(parts, ", ")
}

func externalIPs(content map[string]any) any {
	var addresses []string
	switch resource.Text(content, "spec", "type") {
	case "ExternalName":
		return resource.Text(content, "spec", "externalName")
	case "LoadBalancer":
		for _, ingress := range resource.Items(content, "status", "loadBalancer", "ingress") {
			addresses = append(addresses, cmp.Or(resource.Text(ingress, "ip"), resource.Text(ingress, "hostname")))
		}
		if len(addresses) == 0 {
			return "<pending>"
		}
	}
	if len(addresses) == 0 {
		return "<none>"
	}
	return strings.Join(addresses, ",")
}

func servicePorts(content map[string]any) any {
	var ports []string
	for _, p := range resource.Items(content, "spec", "ports") {
		port := strconv.FormatInt(resource.Int(p, "port"), 10)
		if node := resource.Int(p, "nodePort"); node > 0 {
			port += ":" + strconv.FormatInt(node, 10)
		}
		ports = append(ports, port+"/"+cmp.Or(resource.Text(p, "protocol"), "TCP"))
	}
	return cmp.Or(strings.Join(ports, ","), "<none>")
}

func serviceSelector(content map[string]any) any {
	selector := resource.Fields(content, "spec", "selector")
	var terms []string
	for _, key := range slices.Sorted(maps.Keys(selector)) {
		terms = append(terms, fmt.Sprintf("%s=%v", key, selector[key]))
	}
	return cmp.Or(strings.Join(terms, ","), "<none>")
}

// endpointList shows up to three addresses.
func endpointList(content map[string]any) any {
	const shown = 3
	var all []string
	for _, subset := range resource.Items(content, "subsets") {
		ports := resource.Items(subset, "ports")
		for _, address := range resource.Items(subset, "addresses") {
			ip := resource.Text(address, "ip")
			if len(ports) == 0 {
				all = append(all, ip)
			}
			for _, port := range ports {
				all = append(all, net.JoinHostPort(ip, strconv.FormatInt(resource.Int(port, "port"), 10)))
			}
		}
	}
	switch {
	case len(all) == 0:
		return "<none>"
	case len(all) > shown:
		return strings.Join(all[:shown], ",") + fmt.Sprintf(" + %d more...", len(all)-shown)
	}
	return strings.Join(all, ",")
}
