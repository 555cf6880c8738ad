package phase_test

import (
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

func conditions(list ...string) []any {
	var out []any
	for i := 0; i < len(list); i += 2 {
		out = append(out, map[string]any{"type": list[i], "status": list[i+1], "reason": list[i] + list[i+1]})
	}
	return out
}

func counts(desired, current, upToDate, available int64) map[string]any {
	return map[string]any{"desiredReplicas": desired, "replicas": current, "upToDateReplicas": upToDate, "availableReplicas": available}
}

func TestReachedCluster(t *testing.T) {
	t.Parallel()
	good := func() map[string]any {
		return map[string]any{
			"observedGeneration": int64(2),
			"conditions":         conditions("Available", "True", "TopologyReconciled", "True", "ScalingUp", "False"),
			"controlPlane":       counts(3, 3, 3, 3), "workers": counts(2, 2, 2, 2),
		}
	}
	tests := map[string]struct {
		version string
		change  func(status map[string]any)
		lacks   string // the condition of the link; empty when reached
	}{
		"all is well":                {change: func(map[string]any) {}},
		"the spec was not looked at": {change: func(s map[string]any) { s["observedGeneration"] = int64(1) }, lacks: "observedGeneration"},
		"not available":              {change: func(s map[string]any) { s["conditions"] = conditions("Available", "False") }, lacks: "Available"},
		"nothing was reported":       {change: func(s map[string]any) { delete(s, "conditions") }, lacks: "Available"},
		"available while it upgrades": {change: func(s map[string]any) {
			s["conditions"] = conditions("Available", "True", "TopologyReconciled", "False")
		}, lacks: "TopologyReconciled"},
		"available while it rolls out":     {change: func(s map[string]any) { s["conditions"] = conditions("Available", "True", "RollingOut", "True") }, lacks: "RollingOut"},
		"available while it grows":         {change: func(s map[string]any) { s["conditions"] = conditions("Available", "True", "ScalingUp", "True") }, lacks: "ScalingUp"},
		"one control-plane machine of 3":   {change: func(s map[string]any) { s["controlPlane"] = counts(3, 3, 3, 1) }, lacks: "controlPlane.availableReplicas"},
		"a worker of the old template":     {change: func(s map[string]any) { s["workers"] = counts(2, 2, 1, 2) }, lacks: "workers.upToDateReplicas"},
		"a worker too many":                {change: func(s map[string]any) { s["workers"] = counts(2, 3, 2, 2) }, lacks: "workers.replicas"},
		"no workers wanted, none reported": {change: func(s map[string]any) { s["workers"] = map[string]any{} }},
		"v1beta1 with v1beta2 conditions": {version: "v1beta1", change: func(s map[string]any) {
			s["v1beta2"] = map[string]any{"conditions": s["conditions"], "workers": s["workers"], "controlPlane": s["controlPlane"]}
			s["conditions"] = conditions("Ready", "False")
			delete(s, "workers")
			delete(s, "controlPlane")
		}},
		"v1beta1 with a worker missing": {version: "v1beta1", change: func(s map[string]any) {
			s["v1beta2"] = map[string]any{"conditions": s["conditions"], "workers": counts(2, 2, 2, 1)}
			delete(s, "workers")
		}, lacks: "workers.availableReplicas"},
		"v1beta1 of an older server": {version: "v1beta1", change: func(s map[string]any) {
			s["conditions"] = conditions("Ready", "True")
			delete(s, "workers")
			delete(s, "controlPlane")
		}},
		"v1beta1 of an older server, not ready": {version: "v1beta1", change: func(s map[string]any) { s["conditions"] = conditions("Ready", "False") }, lacks: "Available"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := good()
			tt.change(status)
			version := tt.version
			if version == "" {
				version = "v1beta2"
			}
			o := resource.NewObject(map[string]any{
				"apiVersion": "cluster.x-k8s.io/" + version, "kind": "Cluster",
				"metadata": map[string]any{"namespace": "team", "name": "prod", "generation": int64(2)},
				"status":   status,
			})
			reached, link := phase.Reached(o)
			if reached != (tt.lacks == "") || link.Condition != tt.lacks {
				t.Errorf("reached %v with %+v, want it to lack %q", reached, link, tt.lacks)
			}
			if short := phase.Short(o); short != strings.HasSuffix(tt.lacks, ".availableReplicas") {
				t.Errorf("short %t, but it lacks %q", short, tt.lacks)
			}
			resource.SetField(o.Object, true, "spec", "paused")
			if phase.Short(o) {
				t.Error("short while it is to be left alone")
			}
		})
	}
}

// The counts of a status are those of before until a controller has handed the
// topology on, whatever generation another one has seen.
func TestReachedNeedsWhatTheTopologyAsksFor(t *testing.T) {
	t.Parallel()
	pool := func(replicas any) any {
		p := map[string]any{"class": "node-pool", "name": "np"}
		if replicas != nil {
			p["replicas"] = replicas
		}
		return p
	}
	tests := map[string]struct {
		controlPlane any
		pools        []any
		lacks        string
	}{
		"as counted":                  {int64(3), []any{pool(int64(1)), pool(int64(1))}, ""},
		"more workers":                {int64(3), []any{pool(int64(1)), pool(int64(2))}, "workers.desiredReplicas"},
		"fewer workers":               {int64(3), []any{pool(int64(1))}, "workers.desiredReplicas"},
		"no workers":                  {int64(3), nil, "workers.desiredReplicas"},
		"a larger control plane":      {int64(5), []any{pool(int64(2))}, "controlPlane.desiredReplicas"},
		"an autoscaler decides":       {int64(3), []any{pool(int64(1)), pool(nil)}, ""},
		"the control plane's default": {nil, []any{pool(int64(2))}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			controlPlane := map[string]any{}
			if tt.controlPlane != nil {
				controlPlane["replicas"] = tt.controlPlane
			}
			reached, link := phase.Reached(resource.NewObject(map[string]any{
				"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
				"metadata": map[string]any{"namespace": "team", "name": "prod", "generation": int64(2)},
				"spec": map[string]any{"topology": map[string]any{
					"controlPlane": controlPlane, "workers": map[string]any{"machineDeployments": tt.pools},
				}},
				"status": map[string]any{
					"observedGeneration": int64(2), "conditions": conditions("Available", "True"),
					"controlPlane": counts(3, 3, 3, 3), "workers": counts(2, 2, 2, 2),
				},
			}))
			if reached != (tt.lacks == "") || link.Condition != tt.lacks {
				t.Errorf("reached %v with %+v, want it to lack %q", reached, link, tt.lacks)
			}
		})
	}
}

func TestReachedNamespace(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{"RUNNING": true, "CONFIGURING": false, "ERROR": false, "": false} {
		reached, link := phase.Reached(resource.NewObject(map[string]any{
			"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": map[string]any{"name": "team"},
			"status": map[string]any{"configStatus": status, "messages": []any{map[string]any{"severity": "ERROR", "message": "no room"}}},
		}))
		if reached != want {
			t.Errorf("status %q: reached %v, want %v", status, reached, want)
		}
		if !want && (link.Reason != status || link.Message != "no room") {
			t.Errorf("status %q: link is %+v", status, link)
		}
	}
}
