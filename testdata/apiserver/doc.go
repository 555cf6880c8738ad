// Package apiserver runs a real Kubernetes API server inside of a test: the
// generic control plane of Kubernetes 1.36 (no pods, nodes or services) on an
// etcd of its own that never syncs its files, all on loopback, ready in a few
// seconds. vksync's simulated API is held to it, and vksync is run against it.
//
// It is a module of its own, so that the product does not depend on any of this.
// The kinds of Cluster API come from the definitions in its own module; those of
// vSphere, which are not published as a module, are made from the list that the
// simulation serves, with content that is not checked.
package apiserver
