// Package vcenter is a simulated vCenter: vcsim for the SOAP API, and a REST
// side of its own for Supervisors, vSphere Namespaces, VM classes, storage
// policies and content libraries. It hides which calls would kill vcsim, how its
// objects are built without waiting for its task ticks, and who has room for
// what.
//
// Real is what vcsim does with folders, resource pools, virtual machines, power
// and guest information, and what it answers to a client. The VMs of the Supervisor
// are put into vcsim, and powered, by tasks with a work of our own, which leaves
// what vcsim's would leave and takes a tenth of the time. Modelled is where a VM
// goes and whether it fits: vcsim enforces no capacity and places at random, so a
// ledger decides here, and every VM is created with explicit host, pool, datastore
// and UUIDs.
package vcenter
