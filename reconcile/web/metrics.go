package web

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/phase"
)

// A collector turns the status into metrics when they are asked for, so that
// both always say the same.
type collector struct {
	status  func() reconcile.Status
	version string
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("vksync_"+name, help, labels, nil)
}

// What is served. Times are in seconds since 1970, durations in seconds.
var (
	buildInfo = desc("build_info", "The program; always 1.", "version")

	sourceUp          = desc("source_up", "Whether Git can be followed.", "source")
	sourceValid       = desc("source_valid", "Whether the newest commit is the one that is served.", "source")
	sourceChecked     = desc("source_checked_timestamp_seconds", "When Git was last asked.", "source")
	sourceEvaluations = desc("source_evaluation_duration_seconds", "Evaluations of revisions.", "source")

	loopState   = desc("loop_state", "What the loop does; 1 for the present state.", "source", "supervisor", "state")
	loopLeads   = desc("loop_leader", "Whether this replica acts.", "source", "supervisor")
	loopPlans   = desc("plan_duration_seconds", "Plans made, observation included.", "source", "supervisor")
	loopRuns    = desc("runs_total", "Runs ended.", "source", "supervisor", "outcome")
	loopActions = desc("actions_total", "Actions ended.", "source", "supervisor", "verb", "result")
	loopPending = desc("pending_actions", "Actions of the last plan.", "source", "supervisor", "verb")
	loopGoals   = desc("goals", "Clusters and vSphere Namespaces of the last run.", "source", "supervisor", "state")
	loopDrift   = desc("drift", "What differs now from what was applied.", "source", "supervisor", "kind")
	loopDrifted = desc("drift_total", "What was changed behind vksync's back.", "source", "supervisor", "kind")
	endpointUp  = desc("endpoint_up", "Whether an endpoint answers.", "source", "supervisor", "endpoint")
)

// Describe says nothing, since labels come and go.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the status once.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v int, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	took := func(d *prometheus.Desc, t reconcile.Took, labels ...string) {
		out <- prometheus.MustNewConstSummary(d, t.Count, t.Seconds, nil, labels...)
	}
	gauge(buildInfo, 1, c.version)
	s := c.status()
	for _, source := range s.Sources {
		gauge(sourceUp, truth(source.Error == ""), source.Name)
		gauge(sourceValid, truth(source.Invalid == nil && source.Newest == source.Revision), source.Name)
		if !source.CheckedAt.IsZero() {
			gauge(sourceChecked, float64(source.CheckedAt.UnixMilli())/1000, source.Name)
		}
		took(sourceEvaluations, source.Evaluations, source.Name)
	}
	for _, l := range s.Loops {
		at := func(more ...string) []string { return append([]string{l.Source, l.Supervisor}, more...) }
		gauge(loopState, 1, at(string(l.State))...)
		gauge(loopLeads, truth(l.Leader), at()...)
		took(loopPlans, l.Plans, at()...)
		counter(loopRuns, l.Runs.Reached, at("reached")...)
		counter(loopRuns, l.Runs.NotReached, at("not-reached")...)
		counter(loopRuns, l.Runs.Interrupted, at("interrupted")...)
		counter(loopRuns, l.Runs.Failed, at("failed")...)
		for _, done := range l.Actions {
			counter(loopActions, done.Count, at(done.Verb, string(done.Result))...)
		}
		gauge(loopPending, float64(l.Summary.Create), at("create")...)
		gauge(loopPending, float64(l.Summary.Update), at("update")...)
		gauge(loopPending, float64(l.Summary.Delete), at("delete")...)
		gauge(loopPending, float64(l.Summary.Skipped), at("skipped")...)
		goals := map[phase.State]int{}
		for _, g := range l.Goals {
			goals[g.State]++
		}
		for state, n := range goals {
			gauge(loopGoals, float64(n), at(string(state))...)
		}
		now := map[string]int{}
		for _, d := range l.Drift {
			now[string(d.Kind)]++
		}
		for kind, n := range now {
			gauge(loopDrift, float64(n), at(kind)...)
		}
		for kind, n := range l.Drifted {
			counter(loopDrifted, n, at(kind)...)
		}
		for _, e := range l.Endpoints {
			gauge(endpointUp, truth(e.State == link.OK), at(e.Name)...)
		}
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
