package schema

import (
	"fmt"
	"strconv"
)

// inventory: names are unique, and what refers to a name refers to something.
func (r *relation) inventory() {
	r.unique(r.doc.field("spec", "zones"), "zone", "spec", "zones")
	r.unique(r.doc.field("spec", "datastores"), "datastore", "spec", "datastores")
	r.unique(r.doc.field("spec", "storagePolicies"), "storage policy", "spec", "storagePolicies")
	r.unique(r.doc.field("spec", "vmClasses"), "VM class", "spec", "vmClasses")
	r.unique(r.doc.field("spec", "contentLibraries"), "content library", "spec", "contentLibraries")
	r.refers("zone", r.names("zones"), "datastores", "zones")
	r.refers("datastore", r.names("datastores"), "storagePolicies", "datastores")
	images := map[string]bool{}
	for _, library := range r.doc.field("spec", "contentLibraries").elements() {
		for _, image := range library.field("images").elements() {
			images[image.field("name").str()] = true
		}
	}
	r.refers("image", images, "kubernetesReleases", "images")
	r.networks()
}

func (r *relation) names(of string) map[string]bool {
	names := map[string]bool{}
	for _, item := range r.doc.field("spec", of).elements() {
		names[item.field("name").str()] = true
	}
	return names
}

// refers: what the items of spec.<from> list under field is known.
func (r *relation) refers(what string, known map[string]bool, from, field string) {
	for i, item := range r.doc.field("spec", from).elements() {
		for j, n := range item.field(field).elements() {
			if n.str() != "" && !known[n.str()] {
				r.refuse(n, Problem{Message: fmt.Sprintf("there is no such %s in this inventory", what)},
					"spec", from, strconv.Itoa(i), field, strconv.Itoa(j))
			}
		}
	}
}
