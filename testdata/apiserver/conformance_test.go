package apiserver

import (
	"testing"

	feature "k8s.io/apiserver/pkg/util/feature"

	"github.com/vksync/vksync/simulate/kubeapi/conformance"
)

const snapshots = "ListFromCacheSnapshot"

// The suite that vksync's simulated API passes describes a real one.
func TestConformance(t *testing.T) {
	// Else old pages are served from memory, and none is ever too old in a test.
	s := Start(t, snapshots+"=false")
	t.Cleanup(func() {
		if err := feature.DefaultMutableFeatureGate.Set(snapshots + "=true"); err != nil {
			t.Error(err)
		}
	})
	s.Define(t)
	conformance.Run(t, conformance.Server{Config: s.Config, Compact: func(t *testing.T) { s.Compact(t) }})
}
