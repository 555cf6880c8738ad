package apiserver

import (
	"testing"

	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/simulate/controllers"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAllKindsOfASupervisorAreServed(t *testing.T) {
	s := Start(t)
	s.Define(t)
	c, err := supervisor.Connect(t.Context(), s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range controllers.Kinds() {
		if gk := (schema.GroupKind{Group: kind.Group, Kind: kind.Kind}); !c.Serves(gk) {
			t.Errorf("%s is not served", gk)
		}
	}
}
