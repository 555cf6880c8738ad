package resource

import (
	"regexp"
	"strings"
)

// What stands in place of a value that must not be shown.
const (
	// Hidden is for output.
	Hidden = "(hidden)"
	// NotKept is for saved worlds: the value was there and was not written down,
	// so nothing is known about whether it differs from another.
	NotKept = "(not kept)"
)

// shownVariables are the class variables (domain.md 1.21) whose values are no
// secrets by their meaning. All others are hidden: users may put anything in them.
var shownVariables = map[string]bool{
	"vmClass": true, "storageClass": true, "storageClasses": true, "defaultStorageClass": true,
	"defaultVolumeSnapshotClass": true, "volumes": true, "nodePoolVolumes": true, "controlPlaneVolumes": true,
	"node": true, "nodePoolLabels": true, "nodePoolTaints": true, "ntp": true, "podSecurityStandard": true,
	"controlPlaneCertificateRotation": true, "kubernetes": true, "vsphereOptions": true,
	"resourceConfiguration": true, "bootstrapAddons": true, "TKR_DATA": true,
}

// ShownVariable says whether the value of a class variable may be shown. What is
// below it is still subject to SecretName and Redact.
func ShownVariable(name string) bool { return shownVariables[name] }

var secretName = regexp.MustCompile(`(?i)(pass(word|wd|phrase)?|secret|token|credential|private[-_]?key|apikey|api[-_]?key|accesskey|encryption|userdata|kubeconfig|last-applied-configuration)`)

// SecretName says whether a field, annotation or variable of this name holds
// something that must not be shown. A reference to a Secret by name is not; the
// copy of a whole object that kubectl apply keeps is.
func SecretName(name string) bool {
	return secretName.MatchString(name) && !strings.HasSuffix(name, "Ref") && !strings.HasSuffix(name, "Name")
}

// userInfo matches the credentials in a URL, also where several are in one text.
// A password may hold any character unescaped: where there is a colon, everything
// up to the last @ before a blank or a quote counts as credentials. That hides
// the host of "https://host:8443/a@b" as well, which cannot be told apart.
var userInfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)(?:[^\s/?#:"]*:(?:[^\s"]|\\")*|[^\s/?#"]*)@`)

// Redact hides the credentials of every URL in text.
func Redact(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return userInfo.ReplaceAllString(text, "${1}"+Hidden+"@")
}

// HideVariables replaces, in a Cluster's content, the values of class variables
// and of annotations that may not be shown by mark, in place.
func HideVariables(cluster map[string]any, mark string) {
	topology := Fields(cluster, "spec", "topology")
	HideAnnotations(cluster, mark)
	HideAnnotations(Fields(topology, "controlPlane"), mark)
	hide := func(list []any) {
		for _, item := range list {
			v, ok := item.(map[string]any)
			if !ok || v["value"] == nil {
				continue
			}
			if !ShownVariable(Text(v, "name")) {
				v["value"] = mark
				continue
			}
			v["value"] = hideWithin(v["value"], mark)
		}
	}
	hide(Items(topology, "variables"))
	hide(Items(topology, "controlPlane", "variables", "overrides"))
	for _, md := range Items(topology, "workers", "machineDeployments") {
		hide(Items(md, "variables", "overrides"))
		if content, ok := md.(map[string]any); ok {
			HideAnnotations(content, mark)
		}
	}
}

// HideAnnotations replaces, in the content of an object or of a template, the
// annotations that may not be shown by mark, in place: those with a secret name
// or with credentials in a URL.
func HideAnnotations(content map[string]any, mark string) {
	hideWithin(Fields(content, "metadata", "annotations"), mark)
}

// hideWithin hides fields with secret names and credentials in URLs at any depth.
func hideWithin(value any, mark string) any {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			if _, scalar := child.(string); scalar && SecretName(key) {
				v[key] = mark
				continue
			}
			v[key] = hideWithin(child, mark)
		}
	case []any:
		for i, child := range v {
			v[i] = hideWithin(child, mark)
		}
	case string:
		if Redact(v) != v {
			return mark
		}
	}
	return value
}
