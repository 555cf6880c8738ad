package simulate_test

import (
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The health check of a pool has no label of the pool, and goes as soon as the pool is
// marked, also where that comes of the end of the Cluster; that of the control plane
// stays to the last.
func TestAHealthCheckGoesWithItsPool(t *testing.T) {
	t.Parallel()
	const check = "healthCheck: {checks: {nodeStartupTimeoutSeconds: 1200}}"
	l := liveAs(t, clusterOf("v1.34", "", "name: a, replicas: 1, "+check))
	l.patch("Cluster", "prod", `{"spec":{"topology":{"controlPlane":{"healthCheck":{"checks":{"nodeStartupTimeoutSeconds":1200}}}}}}`)
	l.pass(time.Minute)
	pool, controlPlane := l.pool("a").GetName(), l.controlPlane().GetName()
	labels := l.object("MachineHealthCheck", pool).GetLabels()
	if len(labels) != 2 || labels["cluster.x-k8s.io/cluster-name"] != "prod" {
		t.Errorf("the health check of the pool has %v", labels)
	}
	l.doomed = true
	l.cut()
	if err := l.kind("Cluster").Delete(t.Context(), "prod", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("the Cluster is gone", func() bool {
		_, err := l.kind("Cluster").Get(t.Context(), "prod", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	l.pass(time.Minute)
	h := l.h.happened()
	h.inOrder(t, "a pool on its way out has no health check", marked("MachineDeployment", pool), gone("MachineHealthCheck", pool), gone("Machine", ofPool("a")), gone("MachineDeployment", pool))
	h.inOrder(t, "the control plane's is garbage of the Cluster", gone("KubeadmControlPlane", controlPlane), gone("Cluster", "prod"), gone("MachineHealthCheck", controlPlane))
}
