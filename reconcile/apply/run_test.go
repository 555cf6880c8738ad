package apply_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

var (
	team = namespaceAddr("team-a")
	dev  = clusterAddr("dev")
	prod = clusterAddr("prod")
)

// transient fails the first n attempts in a way that may pass.
func transient(n int) func(int) error {
	return func(attempt int) error {
		if attempt < n {
			return &apply.Failure{Reason: "transient", Message: "restarting", Transient: true}
		}
		return nil
	}
}

func denied(int) error { return &apply.Failure{Reason: "denied", Message: "no rights"} }

func TestWhatARunDoesAndHowItEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		site  func(*site)
		plan  *plan.Plan
		end   journal.End
		story []string
	}{
		{
			name: "an empty plan is reached at once",
			plan: planOf(),
			end:  journal.End{Outcome: journal.Reached},
		},
		{
			name: "a cluster waits until its namespace runs",
			plan: planOf(do(plan.Create, team), do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.Reached, Reached: 2, Goals: 2},
			story: []string{
				"0s create VSphereNamespace team-a started", "0s create VSphereNamespace team-a done",
				"10s create Cluster team-a/prod started", "10s create Cluster team-a/prod done",
			},
		},
		{
			name: "what exists and is as desired needs no poll to be seen",
			site: func(s *site) { s.exists() },
			plan: planOf(do(plan.None, team), do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.Reached, Reached: 2, Goals: 2},
			story: []string{
				"0s create Cluster team-a/prod started", "0s create Cluster team-a/prod done",
			},
		},
		{
			name: "a namespace goes when its clusters are gone",
			site: func(s *site) { s.exists("dev", "prod") },
			plan: planOf(do(plan.Delete, dev), do(plan.Delete, prod), do(plan.Delete, team)),
			end:  journal.End{Outcome: journal.Reached, Reached: 3, Goals: 3},
			story: []string{
				"0s delete Cluster team-a/dev started", "0s delete Cluster team-a/prod started",
				"0s delete Cluster team-a/dev done", "0s delete Cluster team-a/prod done",
				"30s delete VSphereNamespace team-a started", "30s delete VSphereNamespace team-a done",
			},
		},
		{
			name: "a namespace goes also when its clusters were gone before anybody looked",
			site: func(s *site) { s.exists() },
			plan: planOf(do(plan.Delete, prod), do(plan.Delete, team)),
			end:  journal.End{Outcome: journal.Reached, Reached: 2, Goals: 2},
			story: []string{
				"0s delete Cluster team-a/prod started", "0s delete Cluster team-a/prod done",
				"0s delete VSphereNamespace team-a started", "0s delete VSphereNamespace team-a done",
			},
		},
		{
			name: "a cluster is made anew when the one of its name is gone",
			site: func(s *site) {
				s.exists("prod")
				s.objects[prod].Object["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
				s.after(removalTakes, func() { s.drop(prod) })
			},
			plan: planOf(do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.Reached, Reached: 1, Goals: 1},
			story: []string{
				"30s create Cluster team-a/prod started", "30s create Cluster team-a/prod done",
			},
		},
		{
			name: "a namespace is made anew when the one of its name is removed",
			site: func(s *site) {
				s.vcenter[team] = vsphereNamespace("team-a", "REMOVING")
				s.after(15*time.Second, func() { delete(s.vcenter, team) })
			},
			plan: planOf(do(plan.Create, team)),
			end:  journal.End{Outcome: journal.Reached, Reached: 1, Goals: 1},
			story: []string{
				"20s create VSphereNamespace team-a started", "20s create VSphereNamespace team-a done",
			},
		},
		{
			name: "a refusal fails at once and the others go on",
			site: func(s *site) { s.exists(); s.refuse[dev] = denied },
			plan: planOf(do(plan.Create, dev), do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.NotReached, Reached: 1, Goals: 2},
			story: []string{
				"0s create Cluster team-a/dev started", "0s create Cluster team-a/prod started",
				"0s create Cluster team-a/dev failed denied: no rights", "0s create Cluster team-a/prod done",
			},
		},
		{
			name: "what is in a namespace that failed fails with it",
			site: func(s *site) { s.refuse[team] = denied },
			plan: planOf(do(plan.Create, team), do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.NotReached, Goals: 2},
			story: []string{
				"0s create VSphereNamespace team-a started", "0s create VSphereNamespace team-a failed denied: no rights",
				"0s create Cluster team-a/prod failed NamespaceFailed: its namespace failed: VSphereNamespace team-a",
			},
		},
		{
			name: "a namespace stays when a cluster in it cannot be deleted",
			site: func(s *site) { s.exists("dev", "prod"); s.refuse[dev] = denied },
			plan: planOf(do(plan.Delete, dev), do(plan.Delete, prod), do(plan.Delete, team)),
			end:  journal.End{Outcome: journal.NotReached, Reached: 1, Goals: 3},
			story: []string{
				"0s delete Cluster team-a/dev started", "0s delete Cluster team-a/prod started",
				"0s delete Cluster team-a/dev failed denied: no rights",
				"0s delete VSphereNamespace team-a failed StillInhabited: Cluster team-a/dev stays in it",
				"0s delete Cluster team-a/prod done",
			},
		},
		{
			name: "what the plan skips is not taken, nor is what hangs on it",
			plan: func() *plan.Plan {
				skipped := do(plan.Update, team)
				skipped.Skip = "exists and is not owned"
				return planOf(skipped, do(plan.Create, prod))
			}(),
			end: journal.End{Outcome: journal.NotReached, Goals: 2},
			story: []string{
				"0s update VSphereNamespace team-a skipped Skipped: exists and is not owned",
				"0s create Cluster team-a/prod failed NamespaceFailed: its namespace failed: VSphereNamespace team-a",
			},
		},
		{
			name: "what stands still is blocked with what holds it up",
			site: func(s *site) { s.exists(); s.stuck[prod] = true },
			plan: planOf(do(plan.Create, dev), do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.NotReached, Reached: 1, Goals: 2},
			story: []string{
				"0s create Cluster team-a/dev started", "0s create Cluster team-a/prod started",
				"0s create Cluster team-a/dev done", "0s create Cluster team-a/prod done",
				"10m0s blocked Cluster team-a/prod: Cluster prod is not available: no machine yet",
			},
		},
		{
			name: "a namespace that stands still blocks its clusters as well",
			site: func(s *site) { s.stuck[team] = true },
			plan: planOf(do(plan.Create, team), do(plan.Create, prod)),
			end:  journal.End{Outcome: journal.NotReached, Goals: 2},
			story: []string{
				"0s create VSphereNamespace team-a started", "0s create VSphereNamespace team-a done",
				"10m0s blocked VSphereNamespace team-a: vSphere Namespace team-a does not run yet",
				"10m0s blocked Cluster team-a/prod: vSphere Namespace team-a does not run yet",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			if test.site != nil {
				test.site(s)
			}
			end, err := s.run(t, t.Context(), test.plan)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.end, end); diff != "" {
				t.Errorf("end (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.story, s.story()); diff != "" {
				t.Errorf("story (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATransientFailureIsTriedAgainWithLongerAndLongerPauses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		failures int
		outcome  journal.Outcome
		at       []time.Duration
	}{
		{3, journal.Reached, []time.Duration{0, 2, 6, 14}},
		{99, journal.NotReached, []time.Duration{0, 2, 6, 14, 30, 62, 126, 246, 366}},
	} {
		t.Run(fmt.Sprint(test.failures), func(t *testing.T) {
			t.Parallel()
			s := newSite()
			s.exists()
			s.refuse[prod] = transient(test.failures)
			end, err := s.run(t, t.Context(), planOf(do(plan.Create, prod)))
			if err != nil || end.Outcome != test.outcome {
				t.Errorf("the run ended %v, %v; want %s", end, err, test.outcome)
			}
			for i := range test.at {
				test.at[i] *= time.Second
			}
			if diff := cmp.Diff(test.at, s.attempts[prod]); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
			if said := strings.Count(strings.Join(s.story(), "\n"), "delayed"); said != min(test.failures, len(test.at)-1) {
				t.Errorf("%d of the attempts are told of:\n%s", said, strings.Join(s.story(), "\n"))
			}
		})
	}
}

func TestABlockedGoalThatMovesAgainIsReached(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.exists()
	s.stuck[prod], s.stuck[dev] = true, true
	s.after(8*time.Minute, func() { s.appear(dev, "False") }) // keeps the run going
	s.after(12*time.Minute, func() { s.appear(prod, "True") })
	s.after(13*time.Minute, func() { s.appear(dev, "True") })
	end, err := s.run(t, t.Context(), planOf(do(plan.Create, dev), do(plan.Create, prod)))
	if err != nil || end.Outcome != journal.Reached || end.Reached != 2 {
		t.Errorf("the run ended %v, %v: %v", end, err, s.story())
	}
	if story := strings.Join(s.story(), "\n"); !strings.Contains(story, "10m0s blocked Cluster team-a/prod") {
		t.Errorf("it was never blocked:\n%s", story)
	}
}

// A Cluster of which machines are replaced looks as before until its controllers have
// begun: the run waits for them to begin, and if they do not, for a while.
func TestARunWaitsForControllersToBegin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parts []plan.PartChange
		begin time.Duration // 0 is never
		ends  time.Duration
	}{
		"they replace":         {[]plan.PartChange{{Effect: plan.Rolling, Going: 3, Comes: 3}}, 5 * time.Second, 20 * time.Minute},
		"they do not":          {[]plan.PartChange{{Effect: plan.Rolling, Going: 3, Comes: 3}}, 0, 15 * time.Second},
		"nothing to wait for":  {[]plan.PartChange{{Effect: plan.InPlace}}, 5 * time.Second, 0},
		"not for a while":      {[]plan.PartChange{{Effect: plan.Rolling, Going: 3, NotBefore: "2100-01-01T00:00:00Z"}}, 0, 0},
		"when somebody wishes": {[]plan.PartChange{{Effect: plan.Rolling, Going: 3, OnDelete: true}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			s.exists("prod")
			s.stuck[prod] = true
			if test.begin > 0 {
				s.after(test.begin, func() { s.appear(prod, "False") })
				s.after(20*time.Minute, func() { s.appear(prod, "True") })
			}
			change := do(plan.Update, prod)
			change.Parts = test.parts
			end, err := s.run(t, t.Context(), planOf(change), func(o *apply.Options) { o.StallAfter = time.Hour })
			if err != nil || end.Outcome != journal.Reached || s.now.Sub(epoch) != test.ends {
				t.Errorf("the run ended %v after %s, %v, want it to take %s", end, s.now.Sub(epoch), err, test.ends)
			}
		})
	}
}

// The action of a goal that was blocked in front of its gate is still taken
// when the gate opens.
func TestAGoalThatWasBlockedBeforeItsActionActsWhenItsGateOpens(t *testing.T) {
	t.Parallel()
	s := newSite()
	other := resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team-b", Name: "slow"}
	s.kubernetesNamespace("team-b")
	clear(s.changed)
	s.stuck[other] = true
	s.after(8*time.Minute, func() { s.appear(other, "False") }) // keeps the run going
	s.after(12*time.Minute, func() { s.kubernetesNamespace("team-a") })
	s.after(15*time.Minute, func() { s.appear(other, "True") })
	end, err := s.run(t, t.Context(), planOf(do(plan.Create, prod), do(plan.Create, other)))
	if err != nil || end.Outcome != journal.Reached {
		t.Errorf("the run ended %v, %v: %v", end, err, s.story())
	}
	if diff := cmp.Diff([]time.Duration{12 * time.Minute}, s.attempts[prod]); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

// Whoever waits for something that moves does not stand still itself.
func TestWhatWaitsForAnotherIsNotBlockedWhileThatMoves(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.exists("prod")
	s.stuck[prod] = true
	for i := range 4 {
		s.after(time.Duration(i+1)*6*time.Minute, func() { s.appear(prod, "False") })
	}
	s.after(26*time.Minute, func() { s.drop(prod) })
	end, err := s.run(t, t.Context(), planOf(do(plan.Delete, prod), do(plan.Delete, team)))
	if err != nil || end.Outcome != journal.Reached {
		t.Errorf("the run ended %v, %v: %v", end, err, s.story())
	}
	if story := strings.Join(s.story(), "\n"); strings.Contains(story, "blocked") {
		t.Errorf("something was called blocked:\n%s", story)
	}
}

func TestACancelledRunIsInterruptedAndItsJournalEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		when  func(*site, context.CancelFunc)
		story []string
	}{
		{"while it waits", func(s *site, cancel context.CancelFunc) { s.after(20*time.Second, cancel) }, []string{
			"0s create Cluster team-a/dev started", "0s create Cluster team-a/prod started",
			"0s create Cluster team-a/dev done", "0s create Cluster team-a/prod done",
		}},
		{"while it acts", func(s *site, cancel context.CancelFunc) {
			s.refuse[dev] = func(int) error { cancel(); return nil }
		}, []string{
			"0s create Cluster team-a/dev started", "0s create Cluster team-a/dev done",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			s := newSite()
			s.exists()
			test.when(s, cancel)
			end, err := s.run(t, ctx, planOf(do(plan.Create, dev), do(plan.Create, prod)))
			if !errors.Is(err, context.Canceled) || end.Outcome != journal.Interrupted || end.Goals != 2 {
				t.Errorf("the run ended %v, %v", end, err)
			}
			if diff := cmp.Diff(test.story, s.story()); diff != "" {
				t.Errorf("story (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBeginCarriesThePlanAndTheGoals(t *testing.T) {
	t.Parallel()
	s := newSite()
	p := planOf(do(plan.Create, team), do(plan.Create, prod))
	p.Goals[1].ControlPlane, p.Goals[1].Workers = 3, 2
	if _, err := s.run(t, t.Context(), p, func(o *apply.Options) { o.Begin = journal.Begin{Simulated: true, Seed: 7} }); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want := &journal.Begin{
		Version: journal.Version, Simulated: true, Seed: 7, Revision: "abc123", Start: epoch, Plan: text,
		Goals: []journal.Goal{{Addr: team, Verb: "create"}, {Addr: prod, Verb: "create", ControlPlane: 3, Workers: 2}},
	}
	if diff := cmp.Diff(want, s.events[0].Begin); diff != "" {
		t.Errorf("begin (-want +got):\n%s", diff)
	}
}

func TestARunGoesOnWhileThePlanIsNotEmpty(t *testing.T) {
	t.Parallel()
	again := func() *plan.Plan { return planOf(do(plan.Update, prod)) }
	givenUp, kept := again(), planOf(do(plan.Delete, dev))
	givenUp.Actions[0].Skip, kept.Actions[0].Skip = "the API server refuses it", "the limit on deletions is exceeded"
	kept.Goals = nil
	for _, test := range []struct {
		name    string
		replans []*plan.Plan
		first   *plan.Plan
		end     journal.End
		fails   bool
		rounds  int
	}{
		{"a second round", []*plan.Plan{again()}, planOf(do(plan.Create, prod)), journal.End{Outcome: journal.Reached, Reached: 1, Goals: 1}, false, 2},
		{"what is gone still counts", []*plan.Plan{again()}, planOf(do(plan.Delete, dev), do(plan.Create, prod)), journal.End{Outcome: journal.Reached, Reached: 2, Goals: 2}, false, 2},
		{"a goal that the next plan gives up", []*plan.Plan{givenUp}, planOf(do(plan.Create, prod)), journal.End{Outcome: journal.NotReached, Goals: 1}, false, 1},
		{"what only is not deleted is no goal", []*plan.Plan{kept}, planOf(do(plan.Create, prod)), journal.End{Outcome: journal.Reached, Reached: 1, Goals: 1}, false, 1},
		{"never past three", []*plan.Plan{again(), again(), again(), again()}, planOf(do(plan.Create, prod)), journal.End{Outcome: journal.NotReached, Reached: 1, Goals: 1}, true, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			s.exists("dev")
			s.replans = test.replans
			end, err := s.run(t, t.Context(), test.first)
			if (err != nil) != test.fails || err != nil && !strings.Contains(err.Error(), "after 3 rounds the plan is still not empty") {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(test.end, end); diff != "" {
				t.Errorf("end (-want +got):\n%s", diff)
			}
			if s.replaned != test.rounds {
				t.Errorf("planned again %d times, want %d", s.replaned, test.rounds)
			}
		})
	}
}

func TestAFailedReadOfNamespacesIsAnError(t *testing.T) {
	t.Parallel()
	busy := &apply.Failure{Reason: "transient", Message: "busy", Transient: true}
	for _, test := range []struct {
		name      string
		refreshes []error
		fails     bool
	}{
		{"the first one, whatever it is", []error{busy}, true},
		{"a later one that may pass", []error{nil, busy, busy}, false},
		{"a later one that lasts", []error{nil, &apply.Failure{Reason: "denied"}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			s.refreshes = test.refreshes
			end, err := s.run(t, t.Context(), planOf(do(plan.Create, team)))
			want := journal.End{Outcome: journal.Reached, Reached: 1, Goals: 1}
			if test.fails {
				want = journal.End{Outcome: journal.NotReached, Goals: 1}
			}
			if (err != nil) != test.fails || end != want {
				t.Errorf("the run ended %v, %v; want %v", end, err, want)
			}
		})
	}
}

// Deleting a namespace is not done because its absence was never looked at.
func TestANamespaceIsGoneOnlyWhenItWasReadToBe(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.exists()
	if _, err := s.run(t, t.Context(), planOf(do(plan.Delete, team))); err != nil {
		t.Fatal(err)
	}
	if at := s.events[len(s.events)-1].At(); at < removalTakes {
		t.Errorf("the run ended after %s, before the namespace was gone", at)
	}
}

// A phase that takes too long is reported once, and the goal goes on.
func TestAPhaseThatTakesTooLongIsReportedAndGoesOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		deadlines map[phase.ID]time.Duration
		blocked   []string
	}{
		{"past its deadline", map[phase.ID]time.Duration{phase.Prerequisites: 12 * time.Minute}, []string{
			"12m0s blocked Cluster team-a/prod: phase 0 (Prerequisites) takes longer than 12m0s: Cluster prod is not available: no machine yet",
		}},
		{"within it", map[phase.ID]time.Duration{phase.Prerequisites: 26 * time.Minute}, nil},
		{"within that which holds without any", nil, nil},
		{"without one", map[phase.ID]time.Duration{phase.Prerequisites: -1}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite()
			s.exists()
			s.stuck[prod] = true
			for i := range 4 {
				s.after(time.Duration(i+1)*5*time.Minute, func() { s.appear(prod, "False") })
			}
			s.after(25*time.Minute, func() { s.appear(prod, "True") })
			end, err := s.run(t, t.Context(), planOf(do(plan.Create, prod)), func(o *apply.Options) { o.Deadlines = test.deadlines })
			if err != nil || end.Outcome != journal.Reached {
				t.Errorf("the run ended %v, %v", end, err)
			}
			want := append([]string{"0s create Cluster team-a/prod started", "0s create Cluster team-a/prod done"}, test.blocked...)
			if diff := cmp.Diff(want, s.story()); diff != "" {
				t.Errorf("story (-want +got):\n%s", diff)
			}
		})
	}
}

// The label of one namespace is refused after its creation was accepted: only
// that one fails, and what is in it.
func TestWhatIsRefusedLaterFailsAlone(t *testing.T) {
	t.Parallel()
	s := newSite()
	other := namespaceAddr("team-b")
	s.stuck[team] = true
	s.after(7*time.Second, func() {
		s.refused = map[resource.Addr]*apply.Failure{team: {Reason: "denied", Message: "no label"}}
	})
	end, err := s.run(t, t.Context(), planOf(do(plan.Create, team), do(plan.Create, other), do(plan.Create, prod)))
	if err != nil || end != (journal.End{Outcome: journal.NotReached, Reached: 1, Goals: 3}) {
		t.Errorf("the run ended %v, %v", end, err)
	}
	want := []string{
		"0s create VSphereNamespace team-a started", "0s create VSphereNamespace team-b started",
		"0s create VSphereNamespace team-a done", "0s create VSphereNamespace team-b done",
		"7s create VSphereNamespace team-a failed denied: no label",
		"7s create Cluster team-a/prod failed NamespaceFailed: its namespace failed: VSphereNamespace team-a",
	}
	if diff := cmp.Diff(want, s.story()); diff != "" {
		t.Errorf("story (-want +got):\n%s", diff)
	}
}

// One cluster changes a hundred times while n others wait: what a change costs
// does not depend on n.
func TestAWakeUpCostsTheSameHoweverManyGoalsThereAre(t *testing.T) {
	t.Parallel()
	cost := func(n int) int {
		s := newSite()
		s.exists()
		var actions []plan.Action
		for i := range n {
			a := clusterAddr(fmt.Sprintf("c%04d", i))
			s.stuck[a] = true
			actions = append(actions, do(plan.Create, a))
		}
		before, after := 0, 0
		s.after(time.Second, func() { before = s.gets })
		for i := range 100 {
			s.after(time.Duration(i+2)*time.Second, func() { s.appear(clusterAddr("c0000"), "False") })
		}
		s.after(3*time.Minute, func() { after = s.gets })
		if _, err := s.run(t, t.Context(), planOf(actions...)); err != nil {
			t.Fatal(err)
		}
		return after - before
	}
	few, many := cost(5), cost(500)
	if few != many || few == 0 {
		t.Errorf("a hundred changes took %d reads among 5 goals and %d among 500", few, many)
	}
}
