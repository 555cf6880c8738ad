package inventory

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Version is the vCenter version, DefaultVersion when none is named.
func (inv *Inventory) Version() string {
	return cmp.Or(inv.Spec.VCenter.Version, DefaultVersion)
}

// Zone finds a zone by name.
func (inv *Inventory) Zone(name string) (Zone, bool) {
	return find(inv.Spec.Zones, func(z Zone) bool { return z.Name == name })
}

// ZoneNames lists the zones in the order written.
func (inv *Inventory) ZoneNames() []string {
	var out []string
	for _, z := range inv.Spec.Zones {
		out = append(out, z.Name)
	}
	return out
}

// ZoneOfHost is the name of the zone that host is in, or "".
func (inv *Inventory) ZoneOfHost(host string) string {
	for _, z := range inv.Spec.Zones {
		if slices.ContainsFunc(z.Hosts, func(h Host) bool { return h.Name == host }) {
			return z.Name
		}
	}
	return ""
}

// ZoneOfCluster is the name of the zone that a vSphere cluster is, or "".
func (inv *Inventory) ZoneOfCluster(cluster string) string {
	z, _ := find(inv.Spec.Zones, func(z Zone) bool { return z.Cluster == cluster })
	return z.Name
}

// Datastore finds a datastore by name.
func (inv *Inventory) Datastore(name string) (Datastore, bool) {
	return find(inv.Spec.Datastores, func(d Datastore) bool { return d.Name == name })
}

// Policy finds a storage policy by name.
func (inv *Inventory) Policy(name string) (StoragePolicy, bool) {
	return find(inv.Spec.StoragePolicies, func(p StoragePolicy) bool { return p.Name == name })
}

// VMClass finds a VM class by name.
func (inv *Inventory) VMClass(name string) (VMClass, bool) {
	return find(inv.Spec.VMClasses, func(c VMClass) bool { return c.Name == name })
}

// Library finds a content library by name.
func (inv *Inventory) Library(name string) (ContentLibrary, bool) {
	return find(inv.Spec.ContentLibraries, func(l ContentLibrary) bool { return l.Name == name })
}

// Image finds an image by its name or its display name, in any library.
func (inv *Inventory) Image(name string) (Image, bool) {
	for _, l := range inv.Spec.ContentLibraries {
		for _, i := range l.Images {
			if i.Name == name || i.DisplayName == name {
				return i, true
			}
		}
	}
	return Image{}, false
}

// Release finds the Kubernetes release that a version names: exactly, or as the
// highest compatible one that begins with it up to a separator, so v1.34 takes
// v1.34.1+vmware.1-vkr.4 but not v1.3.
func (inv *Inventory) Release(version string) (KubernetesRelease, bool) {
	var best KubernetesRelease
	for _, r := range inv.Spec.KubernetesReleases {
		if r.Version == version {
			return r, true
		}
		if !r.Incompatible && hasVersionPrefix(r.Version, version) && CompareVersions(r.Version, best.Version) > 0 {
			best = r
		}
	}
	return best, best.Version != ""
}

func hasVersionPrefix(version, prefix string) bool {
	rest, ok := strings.CutPrefix(version, prefix)
	return ok && prefix != "" && (rest == "" || strings.ContainsRune(".+-", rune(rest[0])))
}

// CompareVersions orders versions such as v1.34.1+vmware.1-vkr.4 by their
// numbers and words from left to right; numbers compare as numbers.
func CompareVersions(a, b string) int {
	separator := func(r rune) bool { return strings.ContainsRune(".+-", r) }
	return slices.CompareFunc(
		strings.FieldsFunc(strings.TrimPrefix(a, "v"), separator),
		strings.FieldsFunc(strings.TrimPrefix(b, "v"), separator),
		func(a, b string) int {
			x, errX := strconv.ParseUint(a, 10, 64)
			y, errY := strconv.ParseUint(b, 10, 64)
			if errX != nil || errY != nil {
				return strings.Compare(a, b)
			}
			return cmp.Compare(x, y)
		})
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}
