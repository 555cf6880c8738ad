package trace

import (
	"fmt"
	"strings"
)

// relate says of each history of a step which machine and role it belongs to.
func relate(histories []*history) {
	machines := map[ID]*history{}
	for _, h := range histories {
		if h.id.Kind == "Machine" {
			machines[h.id] = h
		}
	}
	for _, h := range histories {
		m := within(h.id, machines)
		if m == nil {
			continue
		}
		h.machine, h.cluster, h.pool, h.role = fmt.Sprint(m.id.Name, "#", m.id.Life), m.cluster, m.pool, "worker"
		if _, is := m.labels["cluster.x-k8s.io/control-plane"]; is {
			h.role = "controlplane"
		}
	}
}

// within is the Machine whose name an object has, or whose name followed by - it
// begins with, as interfaces do; the zero value when there is none.
func within[M any](id ID, machines map[ID]M) (none M) {
	for machine := (ID{"cluster.x-k8s.io", "Machine", id.Namespace, id.Name, id.Life}); ; {
		if m, there := machines[machine]; there {
			return m
		}
		at := strings.LastIndexByte(machine.Name, '-')
		if at < 0 {
			return none
		}
		machine.Name = machine.Name[:at]
	}
}
