package vcenter

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/vksync/vksync/simulate/inventory"
)

// routes are the endpoints behind a session.
func (v *VCenter) routes() map[string]handleREST {
	const management, library = "/api/vcenter/namespace-management", "/com/vmware/content/library"
	routes := map[string]handleREST{
		"GET " + management + "/supervisors/summaries":             v.supervisorSummaries,
		"GET " + management + "/supervisors/{supervisor}/summary":  v.forSupervisor(v.supervisorSummary),
		"GET " + management + "/supervisors/{supervisor}/topology": v.forSupervisor(v.supervisorTopology),
		"GET " + management + "/clusters":                          v.legacySupervisors,
		"GET " + management + "/virtual-machine-classes":           v.listClasses,
		"GET " + management + "/virtual-machine-classes/{class}":   v.getClass,
		"GET /api/vcenter/storage/policies":                        v.listPolicies,
		"GET /api/content/library":                                 v.listLibraries,
		"GET /api/content/library/{library}":                       v.getLibrary,
		"POST /api/content/library":                                v.findLibrary, // ?action=find
		"GET /rest" + library:                                      v.listLibraries,
		"GET /rest" + library + "/{library}":                       v.getLibrary, // id:<library>
		"POST /rest" + library:                                     v.findLibrary,
	}
	maps.Copy(routes, v.namespaceRoutes())
	return routes
}

// wireSummary is a Supervisor in a list.
type wireSummary struct {
	Supervisor string   `json:"supervisor"`
	Info       wireInfo `json:"info"`
}

type wireInfo struct {
	Name             string           `json:"name"`
	Stats            map[string]int64 `json:"stats"`
	ConfigStatus     string           `json:"config_status"`
	KubernetesStatus string           `json:"kubernetes_status"`
}

func (v *VCenter) supervisorSummaries(*http.Request) (any, error) {
	return map[string]any{"items": []wireSummary{{Supervisor: v.catalog.supervisor, Info: v.supervisorInfo()}}}, nil
}

func (v *VCenter) supervisorSummary(*http.Request) (any, error) { return v.supervisorInfo(), nil }

// supervisorInfo has capacities in MHz and MiB, as the API does.
func (v *VCenter) supervisorInfo() wireInfo {
	stats := map[string]int64{"cpus_used": 0, "cpus_capacity": 0, "memory_used": 0, "memory_capacity": 0, "storage_used": 0, "storage_capacity": 0}
	for _, z := range v.inv.Spec.Zones {
		for _, h := range z.Hosts {
			stats["cpus_capacity"] += int64(h.Cores * h.MHz)
			stats["memory_capacity"] += h.MemoryMiB
		}
	}
	for _, d := range v.inv.Spec.Datastores {
		stats["storage_capacity"] += d.CapacityGiB * 1024
		stats["storage_used"] += (d.CapacityGiB - d.Free()) * 1024
	}
	total := v.ledger.total()
	stats["memory_used"] = total.MemoryMiB
	stats["storage_used"] += total.DiskGiB * 1024
	return wireInfo{Name: v.inv.Spec.Supervisor.Name, Stats: stats, ConfigStatus: Running, KubernetesStatus: "READY"}
}

func (v *VCenter) supervisorTopology(*http.Request) (any, error) {
	type zone struct {
		Zone     string   `json:"zone"`
		Clusters []string `json:"clusters"`
	}
	var out []zone
	for _, name := range v.inv.ZoneNames() {
		out = append(out, zone{Zone: name, Clusters: []string{v.catalog.clusters[name]}})
	}
	return out, nil
}

// forSupervisor refuses requests for a Supervisor that is not there.
func (v *VCenter) forSupervisor(next handleREST) handleREST {
	return func(r *http.Request) (any, error) {
		if id := r.PathValue("supervisor"); id != v.catalog.supervisor {
			return nil, refuse(notFound, "There is no Supervisor with the identifier %q.", id)
		}
		return next(r)
	}
}

// legacySupervisors is the list of version 1, keyed by vSphere cluster.
func (v *VCenter) legacySupervisors(*http.Request) (any, error) {
	var out []map[string]string
	for _, z := range v.inv.Spec.Zones {
		out = append(out, map[string]string{
			"cluster": v.catalog.clusters[z.Name], "cluster_name": z.Cluster,
			"config_status": Running, "kubernetes_status": "READY",
		})
	}
	return out, nil
}

// wireClass is a VM class. Reservations are percentages.
type wireClass struct {
	ID                string   `json:"id"`
	CPUs              int      `json:"cpu_count"`
	MemoryMiB         int64    `json:"memory_mb"`
	CPUReservation    int      `json:"cpu_reservation,omitempty"`
	MemoryReservation int      `json:"memory_reservation,omitempty"`
	ConfigStatus      string   `json:"config_status"`
	Namespaces        []string `json:"namespaces"`
}

func (v *VCenter) listClasses(*http.Request) (any, error) {
	out := []wireClass{}
	for _, c := range v.inv.Spec.VMClasses {
		out = append(out, v.wireClass(c))
	}
	return out, nil
}

func (v *VCenter) getClass(r *http.Request) (any, error) {
	name := r.PathValue("class")
	c, ok := v.inv.VMClass(name)
	if !ok {
		return nil, refuse(notFound, "There is no VM class %q.", name)
	}
	return v.wireClass(c), nil
}

func (v *VCenter) wireClass(c inventory.VMClass) wireClass {
	w := wireClass{ID: c.Name, CPUs: c.CPUs, MemoryMiB: c.MemoryMiB, ConfigStatus: "READY", Namespaces: []string{}}
	if c.Reserved {
		w.CPUReservation, w.MemoryReservation = 100, 100
	}
	for _, ns := range v.namespaces.list() {
		if slices.Contains(ns.VMClasses, c.Name) {
			w.Namespaces = append(w.Namespaces, ns.Name)
		}
	}
	return w
}

func (v *VCenter) listPolicies(*http.Request) (any, error) {
	out := []map[string]string{}
	for _, name := range v.catalog.policies.names {
		out = append(out, map[string]string{"policy": v.catalog.policies.id(name), "name": name, "description": ""})
	}
	return out, nil
}

func (v *VCenter) listLibraries(*http.Request) (any, error) {
	out := []string{}
	for _, name := range v.catalog.libraries.names {
		out = append(out, v.catalog.libraries.id(name))
	}
	return out, nil
}

func (v *VCenter) getLibrary(r *http.Request) (any, error) {
	id := strings.TrimPrefix(r.PathValue("library"), "id:")
	name, ok := v.catalog.libraries.name(id)
	if !ok {
		return nil, refuse(notFound, "There is no content library with the identifier %q.", id)
	}
	return map[string]any{"id": id, "name": name, "type": "LOCAL"}, nil
}

// findLibrary answers with the identifiers of the libraries of one name.
func (v *VCenter) findLibrary(r *http.Request) (any, error) {
	var search struct {
		Name string `json:"name"`
		Spec struct {
			Name string `json:"name"`
		} `json:"spec"`
	}
	if err := read(r, &search); err != nil {
		return nil, err
	}
	out := []string{}
	for _, name := range v.catalog.libraries.names {
		if name == search.Name || name == search.Spec.Name {
			out = append(out, v.catalog.libraries.id(name))
		}
	}
	return out, nil
}
