package simulate_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/resource"
)

// initialised are the machines that ran kubeadm init.
func (l *life) initialised() []string {
	l.Helper()
	list, err := l.kind("KubeadmConfig").List(l.Context(), metav1.ListOptions{})
	if err != nil {
		l.Fatal(err)
	}
	var out []string
	for _, config := range list.Items {
		if resource.Field(config.Object, "spec", "initConfiguration") != nil {
			out = append(out, config.GetName())
		}
	}
	return out
}

// One machine runs kubeadm init, under the lock; the others join.
func TestOneMachineRunsKubeadmInit(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 2)
	if got, want := l.initialised(), l.names()[:1]; !slices.Equal(got, want) {
		t.Errorf("%v ran kubeadm init, want %v", got, want)
	}
	l.h.inOrder(t, "E23, E41", made("ConfigMap", "prod-lock"), says("KubeadmConfig", cp, "DataSecretAvailable", "True", "Available"), says("Cluster", "prod", "ControlPlaneInitialized", "True", ""), gone("ConfigMap", "prod-lock"))
	if got := l.sequence("KubeadmConfig", l.names()[0], "DataSecretAvailable"); !slices.Equal(got, []string{"True/Available"}) {
		t.Errorf("DataSecretAvailable of the first machine was %v", got)
	}
	if got := l.sequence("KubeadmConfig", worker, "DataSecretAvailable"); !slices.Equal(got[:2], []string{"False/NotAvailable", "True/Available"}) {
		t.Errorf("DataSecretAvailable of workers was %v", got)
	}
	l.h.inOrder(t, "nothing is said of certificates before they are needed", says("KubeadmConfig", worker, "DataSecretAvailable", "False", "NotAvailable"),
		gone("ConfigMap", "prod-lock"), says("KubeadmConfig", worker, "CertificatesAvailable", "True", "Available"))
	if got := l.h.all(says("KubeadmConfig", worker, "CertificatesAvailable", "True", "Available"))[0]; got < l.h.all(gone("ConfigMap", "prod-lock"))[0] {
		t.Error("a worker that waits says that the certificates are there")
	}
	for _, machine := range l.machines() {
		config := l.object("KubeadmConfig", machine.GetName())
		if config.GetAnnotations()["machine.cluster.x-k8s.io/certificates-expiry"] == "" {
			t.Errorf("nothing says when the certificates of %s expire", machine.GetName())
		}
	}
}

// A first machine that goes before it is through releases the lock; its successor
// runs kubeadm init.
func TestTheLockOfAFirstMachineThatGoesIsReleased(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.create(3, 0)
	l.until("there is a lock", func() bool { return l.h.all(made("ConfigMap", "prod-lock")) != nil })
	first := l.names()[0]
	l.pass(10 * time.Second)
	if err := l.kind("Machine").Delete(t.Context(), first, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.settle("the creation")
	l.h.inOrder(t, "domain.md 1.9", made("ConfigMap", "prod-lock"), gone("Machine", first), gone("ConfigMap", "prod-lock"))
	if locks := l.h.all(made("ConfigMap", "prod-lock")); len(locks) != 2 {
		t.Errorf("the lock was taken %d times, want twice", len(locks))
	}
	if got, want := l.initialised(), l.names()[:1]; !slices.Equal(got, want) || slices.Contains(got, first) {
		t.Errorf("%v ran kubeadm init, want %v", got, want)
	}
	if got := l.sequence("KubeadmConfig", l.names()[0], "DataSecretAvailable"); !slices.Equal(got, []string{"False/NotAvailable", "True/Available"}) {
		t.Errorf("DataSecretAvailable of the successor was %v: one pass releases the lock, the next one takes it", got)
	}
}

// The lock is released by the first machine that joins. Where none does it stays.
func TestTheLockStaysWhereNobodyJoins(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 0)
	if l.h.all(gone("ConfigMap", "prod-lock")) != nil {
		t.Error("the lock is gone, and nobody has joined")
	}
	l.scale("3")
	l.settle("scaling")
	l.h.inOrder(t, "domain.md 1.9", made("Machine", l.names()[1]), gone("ConfigMap", "prod-lock"), says("KubeadmConfig", l.names()[1], "DataSecretAvailable", "True", "Available"))
}

// A control plane that is deleted waits for the workers, then all its machines go
// at once and no member leaves etcd in order (domain.md 3.6).
func TestADeletedControlPlaneGoesAtOnce(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 2)
	names := l.names()
	l.cut()
	if err := l.kind("Cluster").Delete(t.Context(), "prod", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("the cluster is gone", func() bool { return l.h.all(gone("Cluster", "prod")) != nil })
	l.h.allBefore(t, "3.6", gone("Machine", worker), marked("Machine", cp))
	for _, name := range names {
		l.h.inOrder(t, "3.6: all at once", marked("Machine", name), gone("Machine", cp))
	}
	l.h.allBefore(t, "observed.md 6.6", gone("Machine", cp), gone("KubeadmControlPlane", ".*"))
	for condition, want := range map[string][]string{
		"Available":          {"False/NotAvailable", "Unknown/InspectionFailed"},
		"Deleting":           {"True/WaitingForMachineDeletion", "True/DeletionCompleted"},
		"ScalingDown":        {"True/ScalingDown", "False/NotScalingDown"},
		"EtcdClusterHealthy": {"False/NotHealthy"},
		"MachinesUpToDate":   {"True/NoReplicas"},
	} {
		if got := l.sequence("KubeadmControlPlane", ".*", condition); !slices.Equal(got, want) {
			t.Errorf("6.4: %s was %v, want %v", condition, got, want)
		}
	}
	for _, name := range names {
		if got := l.sequence("Machine", name, "EtcdMemberHealthy"); !slices.Equal(got, []string{"False/Deleting"}) {
			t.Errorf("6.4: EtcdMemberHealthy of %s was %v", name, got)
		}
	}
}
