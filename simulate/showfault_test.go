package simulate

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate/inventory"
)

func TestAFaultIsToldOnceAndShown(t *testing.T) {
	t.Parallel()
	inv, err := inventory.Decode(schema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Config{Inventory: inv})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	var told []string
	tell := w.faultTeller(func(err error) { told = append(told, err.Error()) })
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "vmoperator.vmware.com/v1alpha5", "kind": "VirtualMachine", "metadata": map[string]any{"namespace": "team-a", "name": "one", "uid": "u1"},
	}}
	for _, text := range []string{"first", "first", "second"} {
		tell(u, errors.New(text))
	}
	tell(nil, errors.New("of no object"))
	if len(told) != 3 {
		t.Errorf("told %q, want each of the three once", told)
	}
	events := w.store.List(k8sschema.GroupKind{Kind: "Event"}, "team-a", nil)
	var shown []string
	for _, e := range events {
		if resource.Text(e.Object, "involvedObject", "uid") == "u1" && resource.Text(e.Object, "type") == "Warning" {
			shown = append(shown, resource.Text(e.Object, "message"))
		}
	}
	if len(shown) != 2 {
		t.Errorf("events say %q, want first and second", shown)
	}
}
