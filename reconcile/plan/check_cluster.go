package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

func (f *preflight) checkNamespace(o resource.Object, _ topology) {
	ns, ok := f.namespace(o.GetNamespace())
	switch {
	case !ok && f.known(resource.KindVSphereNamespace):
		f.fail(CodeNamespace, o, "add a VSphereNamespace, or have it made in vCenter",
			"vSphere Namespace %s does not exist and is not desired", o.GetNamespace())
	case !ok:
		f.unreadable(CodeNamespace, resource.KindVSphereNamespace)
	case resource.Text(ns.Object, "status", "configStatus") == "ERROR", resource.Text(ns.Object, "status", "configStatus") == "REMOVING":
		f.fail(CodeNamespace, o, "look at the namespace in vCenter", "vSphere Namespace %s is %s",
			ns.GetName(), resource.Text(ns.Object, "status", "configStatus"))
	}
}

func (f *preflight) checkRelease(o resource.Object, t topology) {
	if resource.Field(t.root, "version") == nil {
		return
	}
	releases := append(slices.Clone(f.byKind["KubernetesRelease"]), f.byKind["TanzuKubernetesRelease"]...)
	if len(releases) == 0 {
		f.unreadable(CodeRelease, "KubernetesRelease")
		return
	}
	var have, unfit []string
	for _, r := range releases {
		version := resource.Text(r.Object, "spec", "version")
		if version == "" {
			version = r.GetName()
		}
		matches := coversVersion(t.version(), version) || coversVersion(t.version(), resource.Text(r.Object, "spec", "kubernetes", "version"))
		why := unfitness(r)
		switch {
		case matches && why == "":
			return
		case matches:
			unfit = append(unfit, fmt.Sprintf("%s is %s", version, why))
		case why == "":
			have = append(have, version)
		}
	}
	hint := "available: " + list(have)
	if len(unfit) > 0 {
		f.fail(CodeRelease, o, hint, "Kubernetes release %s cannot be used: %s", t.version(), list(unfit))
		return
	}
	f.fail(CodeRelease, o, hint, "there is no Kubernetes release %s", t.version())
}

// unfitness is why a release cannot be resolved to, empty when it can (domain.md 1.20).
func unfitness(release resource.Object) string {
	for _, label := range []string{"incompatible", "deactivated", "invalid"} {
		if _, there := release.GetLabels()[label]; there {
			return label
		}
	}
	for _, kind := range []string{"Compatible", "Ready"} {
		if c := resource.ConditionOf(release.Object, kind); c.Status == "False" {
			return strings.TrimSuffix("not "+strings.ToLower(kind)+": "+c.Message, ": ")
		}
	}
	return ""
}

func (f *preflight) checkClass(o resource.Object, t topology) {
	if t.class() == "" {
		return
	}
	namespace := t.classNamespace()
	if namespace == "" {
		namespace = o.GetNamespace()
	}
	have := names(f.inNamespace[[2]string{"ClusterClass", namespace}])
	switch {
	case slices.Contains(have, t.class()):
	case !f.known("ClusterClass"):
		f.unreadable(CodeClass, "ClusterClass")
	case len(have) == 0 && namespace == o.GetNamespace() && f.madeByPlan(namespace):
		f.unknown(CodeClass, "the ClusterClasses of vSphere Namespace %s are known once it exists", namespace)
	default:
		f.fail(CodeClass, o, "there: "+list(have), "there is no ClusterClass %s in namespace %s", t.class(), namespace)
	}
}

// madeByPlan says whether a namespace does not exist yet.
func (f *preflight) madeByPlan(namespace string) bool {
	_, there := f.observed.Live.Get(namespaceAddr(resource.Addr{Namespace: namespace}))
	return !there
}

func (f *preflight) checkVMClass(o resource.Object, t topology) {
	have, known := f.vmClasses(o.GetNamespace())
	for _, p := range t.parts() {
		class := p.vmClass()
		switch {
		case class == "" || slices.Contains(have, class):
		case !known:
			f.unreadable(CodeVMClass, "VirtualMachineClass")
		default:
			f.fail(CodeVMClass, o, "assigned: "+list(have)+"; add it to the vSphere Namespace or use one of these",
				"VM class %s of %s is not assigned to vSphere Namespace %s", class, p, o.GetNamespace())
		}
	}
}

func (f *preflight) checkStorageClass(o resource.Object, t topology) {
	have, known := f.storageClasses(o.GetNamespace())
	for _, use := range t.storageClasses() {
		switch {
		case slices.Contains(have, strings.TrimSuffix(use, "-latebinding")):
		case !known:
			f.unreadable(CodeStorage, "StoragePolicyQuota")
		default:
			f.fail(CodeStorage, o, "assigned: "+list(have)+"; add its policy to the vSphere Namespace or use one of these",
				"storage class %s is not assigned to vSphere Namespace %s", use, o.GetNamespace())
		}
	}
}

// storageClasses lists every storage class that a cluster names (V6).
func (t topology) storageClasses() []string {
	var out []string
	for _, p := range t.parts() {
		out = append(out, p.storageClass(), resource.Text(p.variable("defaultStorageClass")))
		out = append(out, texts(resource.Items(p.variable("storageClasses")))...)
		persistent := resource.Fields(p.variable("vsphereOptions"), "persistentVolumes")
		out = append(out, resource.Text(persistent, "defaultStorageClass"))
		out = append(out, texts(resource.Items(persistent, "availableStorageClasses"))...)
		for _, v := range p.volumes() {
			out = append(out, resource.Text(v, "storageClass"))
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}

// volumes are the disks of a machine of the part beside its root disk.
func (p part) volumes() []any {
	out := slices.Clone(resource.Items(p.variable("volumes")))
	legacy := "nodePoolVolumes"
	if p.name == "" {
		legacy = "controlPlaneVolumes"
	}
	return append(out, resource.Items(p.variable(legacy))...)
}

func (f *preflight) checkZone(o resource.Object, t topology) {
	have, known := f.zones(o.GetNamespace())
	for _, p := range t.parts() {
		zone := resource.Text(p.content, "failureDomain")
		switch {
		case zone == "" || slices.Contains(have, zone):
		case !known:
			f.unreadable(CodeZone, "Zone")
		default:
			f.fail(CodeZone, o, "zones: "+list(have), "failure domain %s of %s is not a zone of vSphere Namespace %s", zone, p, o.GetNamespace())
		}
	}
}

// leftovers are the objects of a cluster that have its name and may outlive it,
// by what follows the name (domain.md 3.6).
var leftovers = []struct{ group, kind, suffix string }{
	{"", "Secret", "-ca"},
	{"vmoperator.vmware.com", "VirtualMachineService", ""},
	{"vmoperator.vmware.com", "VirtualMachineSetResourcePolicy", ""},
}

// checkLeftover looks for what an earlier cluster of the same name left behind:
// the new one would take over its certificates or its address.
func (f *preflight) checkLeftover(o resource.Object, _ topology) {
	if f.touched[o.Addr()] != Create || f.madeByPlan(o.GetNamespace()) {
		return
	}
	for _, left := range leftovers {
		if !f.known(left.kind) {
			f.unreadable(CodeLeftover, left.kind)
			continue
		}
		addr := resource.Addr{Supervisor: o.Supervisor, Group: left.group, Kind: left.kind, Namespace: o.GetNamespace(), Name: o.GetName() + left.suffix}
		if _, there := f.observed.Live.Get(addr); there {
			f.fail(CodeLeftover, o, "delete it, or wait until the earlier cluster is gone", "%s is left of an earlier cluster", addr)
		}
	}
}
