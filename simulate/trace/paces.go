package trace

import "slices"

// Paces are how long what is no controller took in a recording, in seconds, at the
// median; 0 is not known.
type Paces struct {
	Address      float64 // from a VM powered on to its address
	JoinControl  float64 // from the address to the Node, but for the first control plane
	JoinWorker   float64
	Etcd         float64 // from the Node of a control plane to its healthy etcd member
	LoadBalancer float64 // from the service to its address
}

// PacesOf reads them off a recording.
func PacesOf(r *Recording) Paces {
	spans := map[string][]float64{}
	type machine struct {
		control                  bool
		powered, address, joined int64
	}
	machines := map[string]*machine{}
	var service int64
	joinedControl := 0
	for _, c := range r.Changes {
		m := machines[c.ID.Namespace+"/"+c.ID.Name]
		if m == nil {
			m = &machine{}
			machines[c.ID.Namespace+"/"+c.ID.Name] = m
		}
		span := func(what string, since int64) {
			if since > 0 {
				spans[what] = append(spans[what], float64(c.T-since)/1000)
			}
		}
		switch c.ID.Kind {
		case "VirtualMachine":
			if c.Conditions["VirtualMachinePowerStateSynced"] == "True/Synced" || c.Conditions["VirtualMachinePowerStateSynced"] == "True/True" {
				m.powered = c.T
			}
			if v := c.Conditions["VirtualMachineGuestNetworkConfigSynced"]; len(v) > 4 && v[:5] == "True/" && m.address == 0 {
				m.address = c.T
				span("address", m.powered)
			}
		case "Machine":
			if c.Labels != nil {
				_, m.control = (*c.Labels)["cluster.x-k8s.io/control-plane"]
			}
			switch {
			case c.Phase == "Running" && m.control:
				if joinedControl++; joinedControl > 1 {
					span("control", m.address)
				}
				m.joined = c.T
			case c.Phase == "Running":
				span("worker", m.address)
			}
			if v := c.Conditions["EtcdMemberHealthy"]; v == "True/Healthy" && m.joined > 0 {
				span("etcd", m.joined)
				m.joined = 0
			}
		case "VirtualMachineService":
			if c.Verb == Added {
				service = c.T
			}
		case "VSphereCluster":
			if v := c.Conditions["LoadBalancerReady"]; len(v) > 4 && v[:5] == "True/" {
				span("balancer", service)
			}
		}
	}
	return Paces{Address: median(spans["address"]), JoinControl: median(spans["control"]), JoinWorker: median(spans["worker"]),
		Etcd: median(spans["etcd"]), LoadBalancer: median(spans["balancer"])}
}

func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[len(of)/2]
}
