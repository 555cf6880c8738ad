package topology

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/vksync/vksync/reconcile/resource"
)

// annotationAnyVersion lifts the rules for the step from one version to the next.
const annotationAnyVersion = "unsafe.topology.cluster.x-k8s.io/disable-update-version-check"

// versionIsValid refuses what is no version. One without patch is none here; VKS's
// release resolver has put a whole one in its place before.
func versionIsValid(path *field.Path, text string) field.ErrorList {
	var errs field.ErrorList
	if !strings.HasPrefix(text, "v") {
		errs = append(errs, field.Invalid(path, text, "must start with v"))
	}
	if _, ok := parse(text); !ok {
		errs = append(errs, field.Invalid(path, text, "version must be a valid semantic version"))
	}
	return errs
}

// versionStep refuses a version that the old one does not lead to, and any other
// than the old one while that is not reached.
func (a Around) versionStep(path *field.Path, old, new, class map[string]any) field.ErrorList {
	asked := resource.Text(new, "spec", "topology", "version")
	to, okTo := parse(asked)
	from, okFrom := parse(resource.Text(old, "spec", "topology", "version"))
	if !okTo || !okFrom || annotated(new, annotationAnyVersion) || to.String() == from.String() {
		return nil
	}
	refuse := func(format string, args ...any) field.ErrorList {
		return field.ErrorList{field.Invalid(path, asked, fmt.Sprintf(format, args...))}
	}
	if before(to, from) {
		return refuse("version cannot be decreased from %q to %q", from, to)
	}
	if far := from.WithMinor(from.Minor() + 2).WithPatch(0); limited(class) && !before(to, far) {
		return refuse("version cannot be increased from %q to %q", from, to)
	}
	if pending := resource.Text(new, "metadata", "annotations", "runtime.cluster.x-k8s.io/pending-hooks"); strings.Contains(pending, "AfterClusterUpgrade") {
		return refuse("version cannot be changed when the %q hook is still blocking", "AfterClusterUpgrade")
	}
	if under := a.underWay(old, from); under != nil {
		return refuse("version cannot be changed: %v", under)
	}
	return nil
}

// limited says whether Clusters of a class may go up by one minor only: those of a
// class that lists its versions go through them by themselves.
func limited(class map[string]any) bool {
	return len(resource.Items(class, "spec", "kubernetesVersions")) == 0 &&
		resource.Text(class, "spec", "upgrade", "external", "generateUpgradePlanExtension") == ""
}

// underWay is why an earlier upgrade, to the version that the Cluster has, is not
// done; nil when it is.
func (a Around) underWay(old map[string]any, at *version.Version) error {
	if a.ControlPlane == nil {
		return underWayByStatus(old)
	}
	var reasons []string
	for _, r := range []error{a.controlPlaneUnderWay(at), a.deploymentsUnderWay(at)} {
		if r != nil {
			reasons = append(reasons, r.Error())
		}
	}
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		return errors.New(reasons[0])
	}
	return errors.New("[" + strings.Join(reasons, ", ") + "]")
}

func (a Around) controlPlaneUnderWay(at *version.Version) error {
	has, ok := parse(resource.Text(a.ControlPlane, "spec", "version"))
	switch {
	case !ok:
		return nil
	case has.String() != at.String():
		//lint:ignore ST1005 the words are the webhook's
		return fmt.Errorf("Cluster.spec.topology.version %s was not propagated to control plane yet (control plane version %s)", at, has)
	}
	reached := versionsOf(a.ControlPlane)
	if len(reached) == 0 {
		return errors.New("control plane is currently provisioning")
	}
	for _, text := range reached {
		if v, ok := parse(text); ok && behind(v, has) {
			return errors.New("control plane is still completing a previous upgrade")
		}
	}
	return nil
}

// versionsOf are the versions of the machines of a control plane, by its status.
func versionsOf(controlPlane map[string]any) []string {
	var out []string
	for _, item := range resource.Items(controlPlane, "status", "versions") {
		if v := resource.Text(item, "version"); v != "" {
			out = append(out, v)
		}
	}
	if v := resource.Text(controlPlane, "status", "version"); len(out) == 0 && v != "" {
		out = append(out, v)
	}
	return out
}

// deploymentsUnderWay names the MachineDeployments that are, or have a Machine that
// is, of another version.
func (a Around) deploymentsUnderWay(at *version.Version) error {
	var names []string
	for _, md := range a.Deployments {
		has := resource.Text(md, "spec", "template", "spec", "version")
		if v, ok := parse(has); ok && v.String() != at.String() || a.hasMachineNotAt(md, has) {
			names = append(names, resource.Text(md, "metadata", "name"))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("there are still MachineDeployments completing a previous upgrade: [%s]", strings.Join(names, ", "))
}

func (a Around) hasMachineNotAt(md map[string]any, at string) bool {
	for _, machine := range a.Machines {
		if resource.Text(machine, "metadata", "labels", "cluster.x-k8s.io/deployment-name") != resource.Text(md, "metadata", "name") {
			continue
		}
		kubelet := resource.Text(machine, "status", "nodeInfo", "kubeletVersion")
		if resource.Text(machine, "spec", "version") != at || kubelet != "" && kubelet != at {
			return true
		}
	}
	return false
}

// underWayByStatus is what a Cluster itself tells of an upgrade, in the words of
// the webhook, which reads the control plane instead.
func underWayByStatus(cluster map[string]any) error {
	c := resource.ConditionOf(cluster, "TopologyReconciled")
	if c.Status != "False" {
		return nil
	}
	switch c.Reason {
	case "ClusterUpgrading", "ControlPlaneUpgradePending":
		return errors.New("control plane is still completing a previous upgrade")
	case "MachineDeploymentsUpgradePending", "MachineDeploymentsUpgradeDeferred":
		return errors.New("there are still MachineDeployments completing a previous upgrade")
	}
	return nil
}

// parse reads a semantic version, with or without v; false when text is none.
func parse(text string) (*version.Version, bool) {
	v, err := version.ParseSemantic(strings.TrimPrefix(text, "v"))
	return v, err == nil
}

// before says whether a release is earlier than another, whatever stands behind
// its patch number.
func before(v, w *version.Version) bool {
	return slices.Compare(v.Components(), w.Components()) < 0
}

// behind says whether a machine's version is an earlier one, or another build of it.
func behind(v, w *version.Version) bool {
	return v.LessThan(w) || !w.LessThan(v) && v.BuildMetadata() < w.BuildMetadata()
}
