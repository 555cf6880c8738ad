package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// examples are the names of the example journals.
func examples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/journals/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no example journals: %v", err)
	}
	return paths
}

// eventsOf reads a journal.
func eventsOf(t testing.TB, path string) []journal.Event {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []journal.Event
	for d := journal.NewDecoder(f); ; {
		e, err := d.Decode()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

// rich is an example run that has everything that a page can show: a plan with
// changes of every effect and findings of every severity, a forecast, a site, an
// action that was refused and one that is tried again, and warnings.
func rich(t testing.TB) []journal.Event {
	t.Helper()
	events := eventsOf(t, "../../testdata/journals/fleet.jsonl")
	b := *events[0].Begin
	b.World = "Supervisor lab"
	b.Forecast = forecast(t, events)
	b.Site = []journal.Meter{
		{Kind: journal.HostMemory, Group: "zone-a", Name: "esx-1", Unit: "MiB", Capacity: 196608, Used: 20480},
		{Kind: journal.HostCPU, Group: "zone-a", Name: "esx-1", Unit: "MHz", Capacity: 41600, Used: 4000},
		{Kind: journal.Addresses, Name: "10.20.0.10-10.20.0.13", Unit: "addresses", Capacity: 4, Used: 1},
		{Kind: journal.Quota, Group: "web", Name: "memory", Unit: "MiB", Used: 4096},
		{Kind: "some-kind", Name: "of a newer vksync", Unit: "things", Capacity: 5, Used: 5},
	}
	b.Forecast.Peak = []journal.Meter{{Kind: journal.HostMemory, Group: "zone-a", Name: "esx-1", Unit: "MiB", Capacity: 196608, Used: 163840}}
	b.Plan = planJSON(t, b.Goals)
	events[0].Begin = &b
	end := events[len(events)-1]
	events = events[:len(events)-1]
	stuck := b.Goals[6].Addr // web/shop-us-east
	for _, e := range []journal.Event{
		{Usage: &journal.Usage{Meters: []journal.Meter{
			{Kind: journal.HostMemory, Group: "zone-a", Name: "esx-1", Unit: "MiB", Capacity: 196608, Used: 180224},
			{Kind: journal.Addresses, Name: "10.20.0.10-10.20.0.13", Unit: "addresses", Capacity: 4, Used: 4},
		}}},
		{Warning: &journal.Warning{Kind: "Service", Namespace: "web", Name: "shop-us-east", Reason: "AllocationFailed", Message: "no address is free", Cluster: "shop-us-east", PhaseID: phase.Infrastructure}},
		{Warning: &journal.Warning{Kind: "Service", Namespace: "web", Name: "shop-us-east", Reason: "AllocationFailed", Message: "no address is free", Cluster: "shop-us-east", PhaseID: phase.Infrastructure}},
		{Warning: &journal.Warning{Kind: "Node", Name: "esx-1", Reason: "Pressure", Message: "memory is short"}},
		{Action: &journal.Action{Addr: stuck, Verb: "create", Phase: phase.Topology, State: journal.ActionDelayed, Reason: "Timeout", Message: "the Supervisor did not answer; tried again at 14:50"}},
		{Action: &journal.Action{Addr: b.Goals[8].Addr, Verb: "create", Phase: phase.Topology, State: journal.ActionFailed, Reason: "Invalid", Message: "spec.topology.version: v9 is not there"}},
		{Usage: &journal.Usage{Meters: []journal.Meter{{Kind: journal.HostMemory, Group: "zone-a", Name: "esx-1", Unit: "MiB", Capacity: 196608, Used: 102400}}}},
	} {
		e.Seq, e.T = len(events), end.T
		events = append(events, e)
	}
	end.Seq = len(events)
	return append(events, end)
}

// forecast is how the example run went, as if it had been a forecast of itself
// that was half a minute faster.
func forecast(t testing.TB, events []journal.Event) *journal.Forecast {
	t.Helper()
	timeline := journal.NewTimeline()
	for _, e := range events {
		timeline.Apply(e)
	}
	f := journal.ForecastOf(timeline, nil, "a copy of the site at 09:00")
	for i, g := range f.Goals {
		for j, s := range g.Steps {
			if s.End > 60_000 {
				f.Goals[i].Steps[j].End -= 30_000
			}
		}
		if g.End > 60_000 {
			f.Goals[i].End -= 30_000
		}
	}
	return f
}

func planJSON(t testing.TB, goals []journal.Goal) []byte {
	t.Helper()
	addr := func(i int) resource.Addr { return goals[i].Addr }
	pos := resource.Position{File: "clusters/payments.yaml", Line: 12, Col: 3}
	p := &plan.Plan{
		Revision: "8f14e45fceea167a5a36dedd4bea2543f2b1c0aa", Policy: plan.Policy{Source: "fleet", Prune: true, Adopt: true},
		Findings: []plan.Finding{
			{Severity: plan.OK, Code: "hosts", Message: "the hosts have the memory for every machine"},
			{Severity: plan.Fail, Code: "cpu-quota", Addr: addr(3), Pos: pos, Message: "vSphere Namespace payments has no room for 12 vCPU", Hint: "raise its limit or ask for less"},
			{Severity: plan.Warn, Code: "addresses", Addr: addr(6), Message: "3 addresses are free and 4 are needed", Hint: "enlarge the pool"},
			{Severity: plan.Unknown, Code: "release", Message: "the releases could not be read"},
			{Severity: plan.Skipped, Code: "dry-run", Message: "nothing to check"},
		},
		Actions: []plan.Action{
			{Addr: addr(0), Verb: plan.None, Phase: phase.Prerequisites, Reason: "it is being created"},
			{Addr: addr(3), Verb: plan.Update, Phase: phase.Topology, Pos: pos, Effect: plan.Forbidden, Changes: []plan.Change{
				{Path: "metadata.labels[tier]", New: "gold", Effect: plan.InPlace},
				{Path: "spec.topology.workers.machineDeployments[np].replicas", Old: int64(3), New: int64(5), Effect: plan.Scale, Affects: "workers np"},
				{Path: "spec.topology.version", Old: "v1.33", New: "v1.34", Effect: plan.Rolling, Affects: "control plane and workers"},
				{Path: "spec.clusterNetwork.pods", Old: []any{"192.168.0.0/16"}, Effect: plan.Forbidden, Affects: "the network of a cluster cannot be changed"},
				{Path: "spec.topology.variables[user]", Old: resource.Hidden, New: resource.Hidden, Effect: plan.Rolling},
			}},
			{Addr: addr(6), Verb: plan.Create, Phase: phase.Topology, Changes: []plan.Change{{Path: "spec.topology.version", New: "v1.34"}}},
			{Addr: addr(9), Verb: plan.Delete, Phase: phase.Topology, Reason: "no longer in the repository", Skip: "the limit of 0 deletions"},
		},
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// written is the page of events.
func written(t testing.TB, events []journal.Event, o Options) string {
	t.Helper()
	r := NewRun()
	for _, e := range events {
		r.Apply(e)
	}
	return rendered(t, r, o)
}

func rendered(t testing.TB, r *Run, o Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := HTML(&out, r, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
