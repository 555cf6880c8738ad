package plan_test

import (
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

func TestWhoHoldsAField(t *testing.T) {
	t.Parallel()
	entry := func(manager, at string, fields map[string]any) any {
		return map[string]any{"manager": manager, "operation": "Update", "time": at, "fieldsV1": fields}
	}
	pools := func(below any) map[string]any {
		return map[string]any{"f:spec": map[string]any{"f:topology": map[string]any{"f:workers": map[string]any{
			"f:machineDeployments": map[string]any{`k:{"name":"np"}`: below},
		}}}}
	}
	live := resource.NewObject(map[string]any{"metadata": map[string]any{"managedFields": []any{
		entry(resource.FieldManager, "2026-01-01T12:00:00Z", pools(map[string]any{"f:replicas": map[string]any{}})),
		entry("kubectl-edit", "2026-01-01T10:00:00Z", pools(map[string]any{"f:replicas": map[string]any{}})),
		entry("night-shift", "2026-01-01T11:00:00Z", pools(map[string]any{"f:replicas": map[string]any{}, "f:class": map[string]any{}})),
		entry("controller", "2026-01-01T09:00:00Z", map[string]any{"f:spec": map[string]any{"f:controlPlaneEndpoint": map[string]any{}}}),
	}}})
	for path, want := range map[string]string{
		"spec.topology.workers.machineDeployments[np].replicas": "night-shift",
		"spec.topology.workers.machineDeployments[np].class":    "night-shift",
		"spec.topology.workers.machineDeployments[np]":          "night-shift",
		"spec.topology.workers.machineDeployments[other]":       "",
		"spec.topology.version":                                 "",
		"spec.controlPlaneEndpoint.host":                        "controller",
		"spec.top":                                              "",
	} {
		manager, since := plan.Holder(live, path)
		if manager != want {
			t.Errorf("%s is held by %q, want %q", path, manager, want)
		}
		if want == "night-shift" && !since.Equal(time.Date(2026, 1, 1, 11, 0, 0, 0, time.UTC)) {
			t.Errorf("%s is held since %s", path, since)
		}
	}
}
