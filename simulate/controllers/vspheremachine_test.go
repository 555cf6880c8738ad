package controllers

import "testing"

// What a VSphereMachine waits for before there is a VM to ask for.
func TestWhatAMachineWaitsForBeforeItsVM(t *testing.T) {
	t.Parallel()
	worker, leader := fields{}, fields{"labels": fields{labelControlPlane: ""}}
	for name, c := range map[string]struct {
		metadata, spec, initialization fields
		want                           string
	}{
		"a worker at first":                 {worker, fields{}, fields{}, "WaitingForControlPlaneInitialized"},
		"a worker, then":                    {worker, fields{}, fields{"controlPlaneInitialized": true}, "WaitingForBootstrapData"},
		"a control-plane machine":           {leader, fields{}, fields{}, "WaitingForBootstrapData"},
		"data, and infrastructure is ready": {worker, fields{"bootstrap": fields{"dataSecretName": "x"}}, fields{"infrastructureProvisioned": true}, ""},
		"data, and infrastructure is not":   {worker, fields{"bootstrap": fields{"dataSecretName": "x"}}, fields{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			machine := viewOf(fields{"metadata": c.metadata, "spec": c.spec}, nil)
			cluster := viewOf(fields{"status": fields{"initialization": c.initialization}}, nil)
			if got := waitsBeforeVM(machine, cluster); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
		})
	}
}
