// Package controllers is what a Supervisor does: it plays the controllers of
// Cluster API (topology, cluster, control plane, bootstrap, machines), of its
// vSphere provider in supervisor mode, of VM Service and of four network providers
// (NSX VPC, NSX-T, distributed switches, none), with the objects, names, owners,
// conditions and order that the real ones were seen to have (observed.md sections 5
// and 6) or are documented to have (domain.md 2.1, E1-E53), from the creation of a
// cluster through its changes to its end (domain.md part 3). Recordings of the real
// ones are compared with what they write, see package trace.
//
// A controller is a function from one object to writes. It is called again
// whenever something it depends on has changed, and at most once per second for
// one object, as the real ones are. Everything it knows is in the Store, so a
// world that was saved and loaded goes on where it stopped. Time, randomness
// and vCenter come in through Config; the package has no clock of its own.
//
// What is read of an object again and again is read once per version, into a view
// (views.go). Observe, which hears of every change, keeps the views, the roster of
// machines with their control planes and MachineSets, the kin of clusters, owners and
// what is settled in step with the Store, and drops them with what they are of: they
// save looking and decide nothing. A pass for which nothing that it reads has changed
// counts as one that had nothing to do. What many objects say alike is one map for all
// (shared.go).
//
// What is a model here and not a controller: how long vSphere, guests and the
// load balancer take (latency.go), and that a node joins (workload.go).
package controllers
