// Package resource is the vocabulary of vksync: what a resource is called
// (Addr), what it holds (Object), many of them in a stable order (Set), and how
// one of them changed (Change). It hides the shape of unstructured Kubernetes
// content behind a few accessors, and imports nothing of vksync.
//
// Desired and observed resources have the same type, so a difference is
// symmetric. vSphere Namespaces, which live in vCenter and not in a Kubernetes
// API, are Objects of group vksync.dev as well.
package resource
