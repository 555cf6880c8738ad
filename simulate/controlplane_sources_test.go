package simulate_test

import (
	"slices"
	"testing"
	"time"
)

// A configuration that takes a file from a Secret that is not there has no data, and
// does not hold the lock; it is tried again until the Secret is there.
func TestBootstrapDataWaitsForWhatIsInIt(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.create(1, 0)
	l.until("there is a machine", func() bool { return len(l.names()) > 0 })
	name := l.names()[0]
	l.patch("KubeadmConfig", name, `{"spec":{"files":[{"path":"/x","contentFrom":{"secret":{"name":"extra","key":"x"}}}]}}`)
	l.pass(5 * time.Minute)
	for condition, want := range map[string][]string{
		"CertificatesAvailable": {"True/Available"}, "DataSecretAvailable": {"False/NotAvailable"}, "Ready": {"False/NotReady"},
	} {
		if got := l.sequence("KubeadmConfig", name, condition); !slices.Equal(got, want) {
			t.Errorf("%s was %v, want %v", condition, got, want)
		}
	}
	if l.h.all(made("Secret", name)) != nil {
		t.Error("there is data without the file")
	}
	if held, freed := l.h.all(made("ConfigMap", "prod-lock")), l.h.all(gone("ConfigMap", "prod-lock")); len(held) < 2 || len(held) != len(freed) {
		t.Errorf("the lock was taken %d times and released %d times, want both for each try", len(held), len(freed))
	}
	l.make(`{apiVersion: v1, kind: Secret, metadata: {namespace: team-a, name: extra}, data: {y: ""}}`)
	l.pass(5 * time.Minute)
	if l.h.all(made("Secret", name)) != nil {
		t.Error("there is data without the key")
	}
	l.patch("Secret", "extra", `{"data":{"x":""}}`)
	l.pass(20 * time.Minute)
	if l.h.all(made("Secret", name)) == nil {
		t.Error("there is no data")
	}
}
