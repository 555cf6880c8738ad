package simulate

import (
	"fmt"
	"hash/fnv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/controllers"
)

// sandboxActor writes what belongs to no controller of a Supervisor.
const sandboxActor = "vksync-sandbox"

// faultTeller tells f of every fault of the simulation, each once, and shows it.
func (w *World) faultTeller(f func(error)) controllers.Fault {
	told := map[string]bool{}
	return func(u *unstructured.Unstructured, err error) {
		if told[err.Error()] {
			return
		}
		told[err.Error()] = true
		if f != nil {
			f(err)
		}
		w.showFault(u, err)
	}
}

// showFault makes a fault of the simulation an Event of the object it happened
// with, where kubectl describe shows it.
func (w *World) showFault(u *unstructured.Unstructured, fault error) {
	if u == nil || u.GetNamespace() == "" {
		return
	}
	h := fnv.New64a()
	h.Write([]byte(fault.Error()))
	now := w.Now().UTC().Format(time.RFC3339)
	// The namespace may be on its way out, and take no more Events.
	_, _ = w.store.Put(sandboxActor, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{"namespace": u.GetNamespace(), "name": fmt.Sprintf("%.200s.%016x", u.GetName(), h.Sum64())},
		"involvedObject": map[string]any{
			"apiVersion": u.GetAPIVersion(), "kind": u.GetKind(),
			"namespace": u.GetNamespace(), "name": u.GetName(), "uid": string(u.GetUID()),
		},
		"type": "Warning", "reason": "SimulationFault", "message": fault.Error(),
		"count": int64(1), "firstTimestamp": now, "lastTimestamp": now,
		"source": map[string]any{"component": sandboxActor},
	}})
}
