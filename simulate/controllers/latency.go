package controllers

import (
	"encoding/base64"
	"hash/fnv"
	"math"
	"strconv"
	"time"
)

// Step is something outside the controllers that takes time.
type Step string

// The steps, in the order of a cluster's way into being.
const (
	StepNamespace      Step = "vSphere Namespace configured"
	StepNamespaceOff   Step = "vSphere Namespace removed"
	StepSubnetSet      Step = "SubnetSet realised"
	StepVirtualNetwork Step = "VirtualNetwork realised"
	StepVIP            Step = "load-balancer address allocated"
	StepSubnetPort     Step = "SubnetPort realised"
	StepInterface      Step = "NetworkInterface realised"
	StepPlacement      Step = "VM placed"
	StepCreate         Step = "VM created from image"
	StepPowerOn        Step = "VM powered on"
	StepGuestAddress   Step = "guest has an address"
	StepTools          Step = "VMware Tools reported"
	StepProbe          Step = "readiness probe answered"
	StepInit           Step = "kubeadm init"
	StepJoinControl    Step = "kubeadm join, control plane"
	StepJoinWorker     Step = "kubeadm join, worker"
	StepNodeReady      Step = "node ready after join"
	StepEtcd           Step = "etcd member settled"
	StepDrain          Step = "node drained"
	StepVolumeDetach   Step = "volumes detached"
	StepPowerOff       Step = "VM powered off"
	StepDestroy        Step = "VM destroyed"
)

// Triangle is a triangular distribution of durations.
type Triangle struct{ Min, Mode, Max time.Duration }

func seconds(min, mode, max float64) Triangle {
	d := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return Triangle{d(min), d(mode), d(max)}
}

// DefaultLatencies are the modes of domain.md 2.4 with the spread of peers.md
// D.5 (linked clones, fast deploy). They are estimates: a forecast says so.
var DefaultLatencies = map[Step]Triangle{
	StepNamespace:      seconds(3, 6, 15),
	StepNamespaceOff:   seconds(5, 10, 30),
	StepSubnetSet:      seconds(1, 2, 4),
	StepVirtualNetwork: seconds(1, 2, 4),
	StepVIP:            seconds(20, 45, 75),
	StepSubnetPort:     seconds(0.3, 1, 3),
	StepInterface:      seconds(0.3, 0.4, 1),
	StepPlacement:      seconds(1, 2, 4),
	StepCreate:         seconds(10, 15, 35),
	StepPowerOn:        seconds(3, 5, 10),
	StepGuestAddress:   seconds(20, 25, 45),
	StepTools:          seconds(0, 0, 0),
	StepProbe:          seconds(1, 5, 10),
	StepInit:           seconds(60, 75, 120),
	StepJoinControl:    seconds(35, 45, 80),
	StepJoinWorker:     seconds(20, 30, 60),
	StepNodeReady:      seconds(3, 10, 30),
	StepEtcd:           seconds(5, 10, 15),
	StepDrain:          seconds(0.5, 1, 3),
	StepVolumeDetach:   seconds(0, 0, 0), // the nodes of simulated clusters have no volumes
	StepPowerOff:       seconds(1, 2, 4),
	StepDestroy:        seconds(1, 2, 4),
}

// Never is the latency of what does not happen at all: Tools of a guest that has
// none, a probe that nobody answers.
var Never = Triangle{-1, -1, -1}

// happens says whether a step ever comes to an end.
func (m *Manager) happens(step Step) bool { return m.latencies[step] != Never }

// at is the value below which a share u of all draws lies.
func (t Triangle) at(u float64) time.Duration {
	span, left := float64(t.Max-t.Min), float64(t.Mode-t.Min)
	if span <= 0 {
		return t.Mode
	}
	if u < left/span {
		return t.Min + time.Duration(math.Sqrt(u*span*left))
	}
	return t.Max - time.Duration(math.Sqrt((1-u)*span*(span-left)))
}

// takes draws how long step takes for the object called id, to the millisecond.
func (m *Manager) takes(step Step, id ...string) time.Duration {
	u := m.chance.unit(append([]string{string(step)}, id...)...)
	return m.latencies[step].at(u).Round(time.Millisecond)
}

// hash32 is the FNV-32a of text as base64 for URLs.
func hash32(text string) string {
	h := fnv.New32a()
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// decimalHash is the FNV-32a of text as a number, as in machine-template-hash.
func decimalHash(text string) string {
	h := fnv.New32a()
	h.Write([]byte(text))
	return strconv.FormatUint(uint64(h.Sum32()), 10)
}
