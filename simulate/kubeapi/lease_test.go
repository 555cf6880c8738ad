package kubeapi_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Leader election goes through a Lease: whoever holds a stale one is refused.
func TestLeaseIsTakenOverOnlyWhenFresh(t *testing.T) {
	w := newWorld(t)
	config := serve(t, w)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	lock := func(identity string) *resourcelock.LeaseLock {
		return &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: "team-a", Name: "vksync"},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}
	}
	record := func(holder string) resourcelock.LeaderElectionRecord {
		at := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 123456000, time.UTC))
		return resourcelock.LeaderElectionRecord{HolderIdentity: holder, LeaseDurationSeconds: 15, AcquireTime: at, RenewTime: at}
	}
	first, second := lock("first"), lock("second")
	if err := first.Create(t.Context(), record("first")); err != nil {
		t.Fatal(err)
	}
	got, _, err := second.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "the lease that the second reads", got.HolderIdentity, "first")
	if err := second.Update(t.Context(), record("second")); err != nil {
		t.Fatal(err)
	}
	if err := first.Update(t.Context(), record("first")); err == nil {
		t.Error("the first renewed a lease that the second had taken over")
	}
	u := w.Get(leaseKey)
	diff(t, "generation of a lease, which counts none", u.GetGeneration(), int64(0))
}
