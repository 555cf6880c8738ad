// Package conformance says what clients of vksync's simulated Kubernetes API may
// count on, as tests that run against any API server: the simulated one has to
// pass what a real one passes, word for word where clients look at words.
//
// It hides how requests are made and compared. It speaks HTTP itself: what a
// client library would smooth over is what it is about.
package conformance

import (
	"testing"

	"k8s.io/client-go/rest"
)

// Server is an API server to hold to the suite. It serves the kinds of Kubernetes
// itself and cluster.x-k8s.io/v1beta2 Cluster and vmoperator.vmware.com/v1alpha5
// VirtualMachine, and runs a garbage collector and a namespace controller. The
// suite makes its own namespaces and leaves them behind. Of no kind it has kept
// what happened up to version 1.
type Server struct {
	// Config leads to the server, as somebody who may do everything.
	Config *rest.Config
	// Compact has the server forget all versions but the present one, so that
	// lists can no longer be continued from before.
	Compact func(t *testing.T)
}

// Run holds the server to all of the suite.
func Run(t *testing.T, s Server) {
	for _, part := range []struct {
		name  string
		cases []testCase
	}{
		{"apply", applyCases}, {"ownership", ownershipCases}, {"locking", lockingCases}, {"patch", patchCases},
		{"list", listCases}, {"selectors", selectorCases}, {"watch", watchCases},
		{"status", statusCases}, {"names", nameCases}, {"namespaces", namespaceCases},
		{"finalizers", finalizerCases}, {"garbage", garbageCases}, {"collection", collectionCases},
		{"table", tableCases}, {"metadata", metadataCases}, {"errors", errorCases}, {"native", nativeCases}, {"discovery", discoveryCases},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, c := range part.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newClient(t, s)) })
			}
		})
	}
}

// A testCase is one thing that clients count on.
type testCase struct {
	name string
	run  func(*client)
}
