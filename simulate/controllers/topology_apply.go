package controllers

import (
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// An application stands for a server-side apply by the topology controller: what it
// says wins over what anybody else wrote, and what it does not say is left alone,
// except what it said before. The store keeps no record of that for objects that
// only controllers write, so a field that it could have said goes when the topology
// itself has changed, and stays otherwise.
type application struct {
	*draft
	changed bool
}

// say makes a field be value; nil says nothing of it.
func (a application) say(value any, path ...string) {
	switch {
	case resource.Equal(resource.Field(a.root, path...), value):
	case value != nil:
		a.replace(value, path...)
	case a.changed:
		a.retract(path...)
	}
}

// retract removes a field, and what was only there to hold it.
func (a application) retract(path ...string) {
	for a.unset(path...); len(path) > 2; a.unset(path...) {
		path = path[:len(path)-1]
		if holder, ok := resource.Field(a.root, path...).(map[string]any); !ok || len(holder) > 0 {
			return
		}
	}
}

// sayMetadata says labels and annotations of an object, and the same of what is
// made from its template, whose metadata is at machines.
func (a application) sayMetadata(labels, annotations map[string]any, machines ...string) {
	for section, wanted := range map[string]map[string]any{"labels": labels, "annotations": annotations} {
		given := append(append([]string{}, machines...), section)
		if a.changed {
			for key := range resource.Fields(a.root, given...) {
				if _, still := wanted[key]; !still {
					a.unset("metadata", section, key)
					a.unset(append(given, key)...)
				}
			}
		}
		for key, value := range wanted {
			a.set(value, "metadata", section, key)
			a.set(value, append(given, key)...)
		}
	}
}

// sayMachines says what never replaces a machine, in the spec of a template of machines.
func (a application) sayMachines(p part, spec ...string) {
	at := func(path ...string) []string { return append(append([]string{}, spec...), path...) }
	for _, name := range []string{"nodeDrainTimeoutSeconds", "nodeVolumeDetachTimeoutSeconds", "nodeDeletionTimeoutSeconds"} {
		a.say(p.setting("deletion", name), at("deletion", name)...)
	}
	for _, name := range []string{"readinessGates", "taints"} {
		a.say(p.setting(name), at(name)...)
	}
}

// sayKubeadm says the bootstrap configuration of the control plane. Files of others stay.
func (a application) sayKubeadm(p part) {
	a.say("cloud-config", "spec", "kubeadmConfigSpec", "format")
	before := resource.Items(a.root, "spec", "kubeadmConfigSpec", "files")
	files := p.files(before)
	for _, file := range before {
		if !strings.HasPrefix(resource.Text(file, "path"), variableFiles) {
			files = append(files, file)
		}
	}
	if len(files) > 0 {
		a.say(files, "spec", "kubeadmConfigSpec", "files")
	} else {
		a.unset("spec", "kubeadmConfigSpec", "files")
	}
}
