package simulate_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Certificates that a machine uses are not made again once they are lost: nothing can
// join. The kubeconfig is, as long as there is a CA to sign it.
func TestLostCertificatesAreNotMadeAgain(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 0)
	l.cut()
	for _, name := range []string{"prod-kubeconfig", "prod-ca"} {
		if err := l.kind("Secret").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		l.pass(time.Minute)
	}
	if len(l.h.all(made("Secret", "prod-kubeconfig"))) != 1 || l.h.all(made("Secret", "prod-ca")) != nil {
		t.Error("want the kubeconfig made again, and not the CA")
	}
	if got := l.says("CertificatesAvailable"); got != "False/NotAvailable" {
		t.Errorf("CertificatesAvailable is %s", got)
	}
	if got := l.says("Available"); got != "False/NotAvailable" {
		t.Errorf("Available is %s", got)
	}
	l.scale("3")
	l.pass(10 * time.Minute)
	if got := l.made(); got != nil || l.says("ScalingUp") != "True/ScalingUp" {
		t.Errorf("%v were made without certificates, ScalingUp is %s", got, l.says("ScalingUp"))
	}
	l.make(`{apiVersion: v1, kind: Secret, metadata: {namespace: team-a, name: prod-ca, labels: {cluster.x-k8s.io/cluster-name: prod}}}`)
	l.pass(11 * time.Minute)
	if got := l.says("CertificatesAvailable"); got != "True/Available" {
		t.Errorf("the CA is back and CertificatesAvailable is %s", got)
	}
	l.settle("scaling")
}

// Without the CA of etcd there is no client for the workload cluster: nothing can be
// said of it any more, and nothing is done, until it is back (GetWorkloadCluster).
func TestWithoutTheCAOfEtcdNothingIsInspected(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	name, inspected := l.names()[0], []string{"EtcdClusterHealthy", "ControlPlaneComponentsHealthy"}
	l.cut()
	if err := l.kind("Secret").Delete(t.Context(), "prod-etcd", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.scale("1")
	l.pass(10 * time.Minute)
	for _, condition := range append(inspected, "Available") {
		if got := l.says(condition); got != "Unknown/InspectionFailed" {
			t.Errorf("%s is %s", condition, got)
		}
	}
	for _, gate := range []string{"EtcdMemberHealthy", "APIServerPodHealthy", "NodeKubeadmLabelsAndTaintsSet"} {
		if got := l.sequence("Machine", name, gate); !slices.Equal(got, []string{"Unknown/InspectionFailed"}) {
			t.Errorf("%s of %s was %v", gate, name, got)
		}
	}
	if len(l.names()) != 3 {
		t.Error("it was scaled, and nobody knows whether etcd stands it")
	}
	l.make(`{apiVersion: v1, kind: Secret, metadata: {namespace: team-a, name: prod-etcd, labels: {cluster.x-k8s.io/cluster-name: prod}}}`)
	l.settle("scaling")
	if len(l.names()) != 1 {
		t.Errorf("%v are left of three", l.names())
	}
	for _, condition := range inspected {
		if got := l.says(condition); got != "True/Healthy" {
			t.Errorf("%s is %s with the CA back", condition, got)
		}
	}
}
