package apiserver

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate/inventory"
)

func lab(t testing.TB) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Decode(schema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func desired(t testing.TB, files fstest.MapFS) *resource.Set {
	t.Helper()
	d, problems := schema.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return &d.Resources
}

const teamA = `
apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-a}
spec:
  supervisor: lab
  storagePolicies: [{name: vks-gold}]
  vmClasses: [best-effort-small, best-effort-medium]
  contentLibraries: [vks-releases]
---
`

// clusterNamed is a cluster of one control-plane machine and one worker in team-a.
func clusterNamed(name string) string {
	return fmt.Sprintf(`
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: %s, namespace: team-a}
spec:
  clusterNetwork:
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: v1.34
    controlPlane: {replicas: 1}
    workers:
      machineDeployments:
      - {class: node-pool, name: np, replicas: 1}
    variables:
    - {name: vmClass, value: best-effort-small}
    - {name: storageClass, value: vks-gold}
`, name)
}

func TestAClusterBecomesAvailableOnARealAPIServer(t *testing.T) {
	s := StartSite(t, lab(t), 200)
	e, err := reconcile.Connect(t.Context(), s.Endpoints("fleet"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	d := desired(t, fstest.MapFS{"fleet.yaml": {Data: []byte(teamA + clusterNamed("prod"))}})
	p, err := e.Plan(t.Context(), d, reconcile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var events bytes.Buffer
	encoder := journal.NewEncoder(&events)
	recorder := journal.NewRecorder(time.Now(), func(e journal.Event) {
		if err := encoder.Encode(e); err != nil {
			t.Error(err)
		}
	})
	end, err := e.Run(ctx, p, apply.Options{Journal: recorder})
	if err != nil || end.Outcome != journal.Reached || end.Reached != end.Goals {
		t.Fatalf("the run ended %+v, %v, controllers %v\n%s\n%s", end, err, s.controllers.Err(), p.Text(), &events)
	}
}
