package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	vschema "github.com/vksync/vksync/schema"
)

// inventoryFile writes the Inventory of the lab, changed.
func (l *lab) inventoryFile(name string, change ...string) string {
	l.t.Helper()
	text, err := json.Marshal(vschema.LabInventory().Object)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.write(name, strings.NewReplacer(change...).Replace(string(text)))
}

// begun is the first event of a journal.
func begun(t *testing.T, path string) *journal.Begin {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := journal.NewDecoder(f).Decode()
	if err != nil {
		t.Fatal(err)
	}
	return e.Begin
}

// forecastOf is the forecast of a run, with the goals of which it says that they are
// reached.
func forecastOf(t *testing.T, path string) (f *journal.Forecast, ends map[string]time.Duration) {
	t.Helper()
	f, ends = begun(t, path).Forecast, map[string]time.Duration{}
	if f == nil {
		return nil, nil
	}
	for _, g := range f.Goals {
		ends[g.Addr.Name] = g.EndAt()
	}
	return f, ends
}

func TestAPlanForALiveWorldIsForecast(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(2, 1, 2))
	fleet, log := filepath.Join(l.dir, "fleet"), filepath.Join(l.dir, "run.jsonl")

	// Without an Inventory it cannot be, which is no fault of the plan.
	l.want(l.run(nil, "plan", fleet, "--live"), exitOK, "3 to create", "No forecast: no Inventory says what the site has", "--inventory")
	l.want(l.run(nil, "plan", fleet, "--live", "-o", "json"), exitOK, `"noForecast": "no Inventory says`)
	l.want(l.run(nil, "plan", fleet, "--live", "--no-forecast", "--journal", log), exitInvalid, "--no-forecast asks for none")
	l.want(l.run(nil, "plan", fleet, "--no-forecast"), exitInvalid, "--no-forecast needs --live")

	site := l.inventoryFile("site/site.json")
	l.want(l.run(nil, "plan", fleet, "--live", "--inventory", site, "--journal", log), exitOK,
		"LIVE: ", "3 to create", "Forecast  SIMULATED", "team-000/c00001 0:", "the forecast is of a simulated copy", "the site of Inventory lab, with 0 clusters and 0 vSphere Namespaces as observed")
	if b := begun(t, log); !b.Simulated || len(b.Goals) != 3 {
		t.Errorf("the journal of the forecast begins with %+v", b)
	}
	if r := l.run(nil, "plan", fleet, "--live", "--inventory", site, "--no-forecast"); strings.Contains(r.out, "orecast") {
		t.Errorf("it was not to be forecast:\n%s", r.out)
	}

	// The run knows how it is to go.
	l.want(l.run(nil, "apply", fleet, "--yes", "--inventory", site, "--journal", log), exitOK, "Forecast  SIMULATED", "reached, 3 of 3 goals")
	f, ends := forecastOf(t, log)
	if len(ends) != 3 || ends["c00000"] < time.Minute || ends["c00001"] < time.Minute || f.Basis == "" {
		t.Errorf("the forecast of the creation is %+v", f)
	}
	// With everything as desired there is nothing to forecast.
	if r := l.run(nil, "plan", fleet, "--live", "--inventory", site); strings.Contains(r.out, "orecast") {
		t.Errorf("nothing changes, and that is forecast:\n%s", r.out)
	}

	// One cluster grows, one goes: what they had is in the copy.
	l.write("fleet/all.yaml", manifests(1, 1, 3))
	l.want(l.run(nil, "plan", fleet, "--live", "--inventory", site, "--prune", "-o", "json"), exitOK,
		`"forecastBasis": "the site of Inventory lab, with 2 clusters and 1 vSphere Namespace as observed"`, `"outcome": "reached"`)
	l.want(l.run(nil, "apply", fleet, "--yes", "--inventory", site, "--prune", "--journal", log), exitOK, "reached")
	f, ends = forecastOf(t, log)
	grown, _ := f.Goal(f.Goals[0].Addr)
	if _, again := grown.Step(phase.Machine); again || len(ends) != 2 || ends["c00000"] <= 0 || ends["c00001"] <= 0 {
		t.Errorf("the forecast of a change is %+v", f)
	}
}

func TestWhatCannotBePlayedIsLeftOutOfTheForecast(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(1, 1, 1))
	fleet := filepath.Join(l.dir, "fleet")
	l.want(l.run(nil, "apply", fleet, "--yes", "-q"), exitOK)

	const old, newer = "v1.33.6+vmware.1-vkr.2", "v1.34.1+vmware.1-vkr.4"
	two := manifests(2, 1, 1)
	at := strings.LastIndex(two, newer)
	l.write("fleet/all.yaml", two[:at]+old+two[at+len(newer):])
	for _, c := range []struct {
		name, inventory string
		texts           []string
	}{
		{"a release that the new cluster needs", l.inventoryFile("a/site.json", old, "v1.32.6+vmware.1-vkr.2"),
			[]string{"No forecast: nothing of the plan can be played", "Not in the forecast: Cluster team-000/c00001: ", "no KubernetesRelease matches"}},
		{"a release that an existing cluster has", l.inventoryFile("b/site.json", newer, "v1.34.9+vmware.1-vkr.4"),
			[]string{"Forecast  SIMULATED", "Not in the forecast: Cluster team-000/c00000: ", "with 0 clusters and 1 vSphere Namespace as observed"}},
		{"another Supervisor", l.inventoryFile("c/site.json", `"supervisor":{"name":"lab"}`, `"supervisor":{"name":"other"}`),
			[]string{"No forecast: VSphereNamespace team-000 exists and does not come up on a simulated copy of the site", `there is no Supervisor "lab"`}},
	} {
		r := l.run(nil, "plan", fleet, "--live", "--inventory", c.inventory)
		t.Log(c.name)
		l.want(r, exitOK, append(c.texts, "1 to create")...)
	}
}

func TestAForecastThatReachesLessSaysSo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(2, 1, 1))
	fleet := filepath.Join(l.dir, "fleet")
	site := l.inventoryFile("site/site.json", `best-effort-small`, `best-effort-tiny`)
	l.want(l.run(nil, "plan", fleet, "--live", "--inventory", site), exitNotReached, "Forecast  SIMULATED", "failed", "the simulated run reached 0 of 3 goals")
	l.want(l.run(nil, "plan", fleet, "--live", "--inventory", site, "--no-forecast"), exitOK, "3 to create")
}

// Whatever keeps a plan from being played is no fault of the plan; only who ends the
// command ends it.
func TestWhyThereIsNoForecast(t *testing.T) {
	t.Parallel()
	creates := plan.Action{Verb: plan.Create}
	waits := func(ctx context.Context) (*outlook, error) { <-ctx.Done(); return nil, ctx.Err() }
	for _, c := range []struct {
		name string
		plan plan.Plan
		play func(context.Context) (*outlook, error)
		want string
	}{
		{"nothing is done", plan.Plan{}, waits, ""},
		{"too much is done", plan.Plan{Actions: slices.Repeat([]plan.Action{creates}, 201)}, waits, "the plan changes 201 resources, and a forecast is made of up to 200"},
		{"it takes too long", plan.Plan{Actions: []plan.Action{creates}}, waits, "playing the plan takes longer than 20s"},
		{"it fails", plan.Plan{Actions: []plan.Action{creates}}, func(context.Context) (*outlook, error) { return nil, errors.New("no such release") }, "no such release"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &session{plan: &c.plan}
			if err := s.foresee(t.Context(), 20*time.Second, c.play); err != nil || s.ahead.none != c.want || s.ahead.forecast() != nil {
				t.Errorf("%s: %v, %q, want %q", c.name, err, s.ahead.none, c.want)
			}
		})
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := (&session{plan: &plan.Plan{Actions: []plan.Action{creates}}}).foresee(ctx, time.Minute, waits); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// What a cluster holds that must not be shown is played, and told nobody.
func TestAForecastHoldsNoSecret(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-a-forecast"
	l := newLab(t)
	withSecret := func(workers int) string {
		return strings.Replace(manifests(1, 1, workers), "    variables:\n", "    variables:\n    - {name: osConfiguration, value: {user: {password: "+canary+"}}}\n", 1)
	}
	l.write("fleet/all.yaml", withSecret(1))
	fleet, log, site := filepath.Join(l.dir, "fleet"), filepath.Join(l.dir, "run.jsonl"), l.inventoryFile("site/site.json")
	l.want(l.run(nil, "apply", fleet, "--yes", "-q"), exitOK)
	l.write("fleet/all.yaml", withSecret(2))
	for _, form := range []string{"text", "json"} {
		r := l.run(nil, "plan", fleet, "--live", "--inventory", site, "--journal", log, "-o", form)
		l.want(r, exitOK, "1 cluster and 1 vSphere Namespace as observed")
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.out+r.errs+string(text), canary) {
			t.Errorf("a hidden value is in the forecast, as %s", form)
		}
	}
}
