package apiserver

import (
	"testing"

	"github.com/vksync/vksync/simulate/kubeapi/conformance"
)

// The suite that vksync's simulated API passes describes a real one.
func TestConformance(t *testing.T) {
	s := Start(t)
	s.Define(t)
	conformance.Run(t, conformance.Server{Config: s.Config, Compact: func(t *testing.T) { s.Compact(t) }})
}
