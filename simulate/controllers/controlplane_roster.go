package controllers

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A census has the machines of one cluster.
type census struct {
	machines []*enrolled // by name
	lull     *lull       // nil when there may be something to do
	secrets  bool        // whether all Secrets of the control plane are known to be there
}

// An enrolled machine is one of a control plane, until its Machine is gone.
type enrolled struct {
	*kit
	cluster clusterName

	comparison comparison
	inspection inspection
	certified  *unstructured.Unstructured // the KubeadmConfig that says when the certificates expire
	guest      guest
}

// noteLostSecret takes in that a Secret is gone. One of a control plane is called
// after the cluster and what it is for.
func (r *roster) noteLostSecret(name objectName) {
	end := max(strings.LastIndexByte(name.name, '-'), 0)
	cluster := clusterName{name.namespace, name.name[:end]}
	if c := r.clusters[cluster]; c != nil {
		c.secrets = false
		r.disturb(cluster)
	}
}

// disturb ends the lull of a control plane, if there is one.
func (r *roster) disturb(cluster clusterName) {
	if c := r.clusters[cluster]; c != nil {
		c.lull = nil
	}
}

// enrol has a kit be of the census that its Machine names, if it is of a control plane.
func (r *roster) enrol(k *kit) {
	cluster := clusterName{k.name.namespace, resource.Text(k.labels, labelCluster)}
	leads := k.labels[labelControlPlane] != nil
	if e := k.enrolled; e != nil && leads && e.cluster == cluster {
		return
	}
	r.strike(k)
	if !leads {
		return
	}
	k.enrolled = &enrolled{kit: k, cluster: cluster}
	c := r.clusters[cluster]
	if c == nil {
		c = &census{}
		r.clusters[cluster] = c
	}
	at, _ := slices.BinarySearchFunc(c.machines, k.enrolled, compareEnrolled)
	c.machines = slices.Insert(c.machines, at, k.enrolled)
}

// strike takes a kit out of its census, if it is of one.
func (r *roster) strike(k *kit) {
	e := k.enrolled
	if e == nil {
		return
	}
	k.enrolled = nil
	c := r.clusters[e.cluster]
	c.machines = slices.DeleteFunc(c.machines, func(other *enrolled) bool { return other == e })
	c.lull = nil
	if len(c.machines) == 0 {
		delete(r.clusters, e.cluster)
	}
}

// census is that of a cluster; an empty one where it has no machines.
func (r *roster) census(cluster clusterName) *census {
	if c := r.clusters[cluster]; c != nil {
		return c
	}
	return &census{}
}

func compareEnrolled(a, b *enrolled) int { return cmp.Compare(a.name.name, b.name.name) }
