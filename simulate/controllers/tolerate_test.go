package controllers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// A stopped clock remembers what it was asked for.
type stoppedClock struct{ asked []time.Duration }

func (*stoppedClock) Now() time.Time                        { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
func (c *stoppedClock) AfterFunc(d time.Duration, _ func()) { c.asked = append(c.asked, d) }

func TestAFaultIsTriedAgainWhereItIsTolerated(t *testing.T) {
	t.Parallel()
	for name, reconcile := range map[string]func(*Manager, *unstructured.Unstructured) (time.Duration, error){
		"an error": func(*Manager, *unstructured.Unstructured) (time.Duration, error) { return 0, errors.New("boom") },
		"a panic":  func(*Manager, *unstructured.Unstructured) (time.Duration, error) { panic("boom") },
	} {
		clock := &stoppedClock{}
		store := kubeapi.New(kubeapi.Config{Kinds: Kinds(), Clock: clock})
		_, err := store.Put("test", &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": kindVM.apiVersion, "kind": kindVM.Kind, "metadata": map[string]any{"namespace": "n", "name": "one"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		m := &Manager{store: store, clock: clock}
		var told []string
		m.Tolerate(func(at *unstructured.Unstructured, err error) { told = append(told, nameOf(at)+": "+err.Error()) })
		odd := &turn{
			subject: &subject{of: &watch{kind: kindVM}, name: objectName{"n", "one"}}, controller: &controller{"odd", reconcile},
			next: clock.Now().UnixNano(),
		}
		m.run(odd, odd.next)
		if len(told) != 1 || !strings.HasPrefix(told[0], "one: simulating odd of VirtualMachine n/one: ") || !strings.Contains(told[0], "boom") {
			t.Errorf("%s: told %q", name, told)
		}
		if m.Err() != nil {
			t.Errorf("%s: the simulation has ended: %v", name, m.Err())
		}
		if n := len(clock.asked); n == 0 || clock.asked[n-1] != faultRetry {
			t.Errorf("%s: asked the clock for %v, want %s at last", name, clock.asked, faultRetry)
		}
	}
}
