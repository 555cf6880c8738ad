package controllers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// annotationOSImage selects the operating system of nodes (domain.md 1.21).
const annotationOSImage = "run.tanzu.vmware.com/resolve-os-image"

func classExists(r kubeapi.Request, topology map[string]any) error {
	name := resource.Text(topology, "classRef", "name")
	namespace := resource.Text(topology, "classRef", "namespace")
	if namespace == "" {
		namespace = r.Object.GetNamespace()
	}
	if r.Get(kindClusterClass.key(namespace, name)) == nil {
		return fmt.Errorf("admission webhook \"default.tkr-resolver.run.tanzu.vmware.com\" denied the request: ClusterClass not found: %s/%s", namespace, name)
	}
	return nil
}

// resolveRelease rewrites the version to that of the release it stands for and
// notes the release on the Cluster: the three writes that a plan must ignore.
func resolveRelease(inv *inventory.Inventory, r kubeapi.Request, topology map[string]any) error {
	asked := strings.ReplaceAll(resource.Text(topology, "version"), "---", "+")
	unresolved := func(why string) error {
		return fmt.Errorf("admission webhook \"tkr-resolver-cluster-webhook.tanzu.vmware.com\" denied the request: Could not resolve KR/OSImage for version %q: %s", asked, why)
	}
	release, ok := inv.Release(asked)
	switch {
	case !ok:
		return unresolved("no KubernetesRelease matches; there are " + strings.Join(releaseVersions(inv), ", "))
	case release.Incompatible:
		return unresolved("KubernetesRelease " + releaseName(release.Version) + " is not compatible with this Supervisor")
	}
	parts := []any{topology["controlPlane"]}
	for _, md := range deploymentsOf(topology) {
		parts = append(parts, md)
	}
	for _, part := range parts {
		if n := len(matchingImages(inv, release, part)); n != 1 {
			return unresolved(fmt.Sprintf("%d OSImages of %s match selector %q, want exactly one", n, releaseName(release.Version), osSelector(part)))
		}
	}
	topology["version"] = release.Version
	resource.SetField(r.Object.Object, releaseName(release.Version), "metadata", "labels", labelRelease)
	setVariable(topology, "TKR_DATA", map[string]any{release.Version: map[string]any{
		"osImageRef": map[string]any{"name": matchingImages(inv, release, topology["controlPlane"])[0]},
		"labels":     map[string]any{labelRelease: releaseName(release.Version)},
	}})
	return nil
}

func releaseVersions(inv *inventory.Inventory) []string {
	var out []string
	for _, r := range inv.Spec.KubernetesReleases {
		if !r.Incompatible {
			out = append(out, r.Version)
		}
	}
	slices.SortFunc(out, inventory.CompareVersions)
	return out
}

// releaseName is a version in the form of object names and labels.
func releaseName(version string) string { return strings.ReplaceAll(version, "+", "---") }

// osSelector is what the metadata of a control plane or pool asks for; the VKS
// classes themselves ask for photon.
func osSelector(part any) string {
	if s := resource.Text(part, "metadata", "annotations", annotationOSImage); s != "" {
		return s
	}
	return "os-name=photon"
}

// matchingImages are the images of a release that a part may use. An image that
// is in no library matches anything: its release says it exists.
func matchingImages(inv *inventory.Inventory, release inventory.KubernetesRelease, part any) []string {
	var out []string
	for _, name := range release.Images {
		image, known := inv.Image(name)
		if !known || selects(osSelector(part), image.OS) {
			out = append(out, name)
		}
	}
	return out
}

func selects(selector string, os inventory.OS) bool {
	for _, term := range strings.Split(selector, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(term), "=")
		switch key {
		case "os-name":
			if value != os.Name {
				return false
			}
		case "os-version":
			if value != os.Version {
				return false
			}
		}
	}
	return true
}

func setVariable(topology map[string]any, name string, value any) {
	var kept []any
	for _, v := range resource.Items(topology, "variables") {
		if resource.Text(v, "name") != name {
			kept = append(kept, v)
		}
	}
	topology["variables"] = append(kept, map[string]any{"name": name, "value": value})
}

// defaultNetwork fills in the address blocks of domain.md V3.
func defaultNetwork(cluster map[string]any) {
	for field, block := range map[string]string{"pods": "192.168.0.0/16", "services": "10.96.0.0/12"} {
		if len(resource.Items(cluster, "spec", "clusterNetwork", field, "cidrBlocks")) == 0 {
			resource.SetField(cluster, []any{block}, "spec", "clusterNetwork", field, "cidrBlocks")
		}
	}
}
