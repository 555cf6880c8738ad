package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/simulate"
)

// rollout are the files of two pushes: a fleet is created; then one cluster is
// scaled, one goes, one comes, and an empty vSphere Namespace goes.
func rollout() [2]map[string]string {
	first := map[string]string{}
	for i, text := range namespaces(6, 1, 2) {
		first[fmt.Sprintf("team-%d.yaml", i)] = text
	}
	parts := strings.Split(first["team-0.yaml"], "---\n")
	first["leaving.yaml"] = strings.ReplaceAll(parts[1], "team-000", "leaving")
	scaled := strings.Replace(parts[2], "replicas: 1\n", "replicas: 3\n", 1)
	second := map[string]string{"team-0.yaml": strings.Join(append([]string{"", parts[1], scaled}, parts[4:]...), "---\n") + "---\n" +
		strings.ReplaceAll(parts[3], "c00001", "c00099")}
	return [2]map[string]string{first, second}
}

// A saboteur kills a process at one of its actions, and counts those that had
// their effect. What a dead process had sent besides is lost.
type saboteur struct {
	mu sync.Mutex
	// spare is how many actions of the victim are let through before it is killed.
	spare int
	// lost lets the action at which it is killed have its effect.
	lost   bool
	victim *process // nil for none, and once it is dead
	dead   bool
	// effects counts the requests that had an effect, by what they do.
	effects map[string]int
}

// action says what a request does, if it is an action of the plan: not a read, not
// a dry run, not about vksync's own objects.
func action(r *http.Request) (what string, is bool) {
	if r.Method == http.MethodGet || r.URL.Query().Has("dryRun") {
		return "", false
	}
	switch {
	case strings.Contains(r.URL.Path, "/clusters/"):
		return r.Method + " " + r.URL.Path, true
	case strings.Contains(r.URL.Path, "/vcenter/namespaces/instances"):
		var body struct{ Namespace string }
		_ = json.NewDecoder(r.Body).Decode(&body) // only creations have a name there
		return r.Method + " " + r.URL.Path + " " + body.Namespace, true
	}
	return "", false
}

func (s *saboteur) see(r *http.Request) *simulate.Fault {
	what, is := action(r)
	if !is {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dead:
		return &simulate.Fault{Reset: true}
	case s.victim == nil || s.spare > 0:
		s.spare--
		s.effects[what]++
		return nil
	}
	s.victim.kill()
	s.victim, s.dead = nil, true
	if !s.lost {
		return &simulate.Fault{Reset: true}
	}
	s.effects[what]++
	return &simulate.Fault{Lost: true}
}

func (s *saboteur) killed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// hunt starts a process that is killed at its action, if it gets that far.
func (s *saboteur) hunt(start func() *process, spare int, lost bool) *process {
	s.mu.Lock()
	defer s.mu.Unlock() // no action before there is a victim
	s.spare, s.lost, s.dead = spare, lost, false
	s.victim = start()
	return s.victim
}

// outcomeOf is the end state that counts: what was asked for and how often that
// was written, and not what the Supervisor made up.
func (w *liveWorld) outcomeOf(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, o := range w.clusters(t) {
		unstructured.RemoveNestedField(o.Object, "spec", "controlPlaneEndpoint") // in the order in which they came
		for _, ref := range []string{"controlPlaneRef", "infrastructureRef"} {   // names depend on the moment
			unstructured.RemoveNestedField(o.Object, "spec", ref, "name")
		}
		spec, err := json.Marshal(o.Object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		out[name] = fmt.Sprintf("generation %d labels %v spec %s", o.GetGeneration(), slices.Sorted(maps.Keys(o.GetLabels())), spec)
	}
	return out
}

// An aftermath is what became of a rollout.
type aftermath struct {
	Outcomes [2]map[string]string
	// Effects are the actions that had one, with how often.
	Effects [2]map[string]int
	kills   int
}

// play pushes both revisions and has vksync carry them out, starting it anew each
// time that hunt, which may be nil, has killed it.
func play(t *testing.T, hunt func(*saboteur, func() *process) *process) (r aftermath) {
	t.Helper()
	w, repo, s := newLiveWorld(t), gittest.New(t), &saboteur{}
	w.Fail(simulate.Supervisor, s.see)
	w.Fail(simulate.VCenter, s.see)
	start := func() *process { return w.runDaemon(t, repo.Bare, "--prune") }
	for i, files := range rollout() {
		s.effects = map[string]int{}
		revision := repo.Push(t, files)
		for {
			p := hunt(s, start)
			if p.syncedUnlessDead(t, revision) {
				p.stop(t)
				break
			}
			if !s.killed() {
				t.Fatalf("it ended by itself: %v\n%s", p.err, p.text())
			}
			r.kills++
		}
		r.Outcomes[i], r.Effects[i] = w.outcomeOf(t), s.effects
	}
	return r
}

// syncedUnlessDead waits until nothing is left to do, or the process was killed.
func (p *process) syncedUnlessDead(t *testing.T, revision string) (synced bool) {
	t.Helper()
	eventually(t, "in sync or dead", func() bool {
		select {
		case <-p.done:
			return true
		default:
		}
		s := p.status(t)
		synced = len(s.Loops) == 1 && s.Loops[0].State == reconcile.InSync && s.Loops[0].Synced == revision
		return synced
	})
	return synced
}

// The daemon is killed at every boundary of every action of a rollout: before the
// action is sent with the one before it done and answered, and after it had its
// effect but before the answer. Whoever starts next goes on from there.
func TestWhoeverIsKilledIsContinued(t *testing.T) {
	t.Parallel()
	undisturbed := play(t, func(s *saboteur, start func() *process) *process { return start() })
	actions := 0
	for _, effects := range undisturbed.Effects {
		actions += len(effects)
	}
	if actions != 12 {
		t.Fatalf("only %d actions: %v", actions, undisturbed.Effects)
	}
	for name, hunt := range map[string]func(*saboteur, func() *process) *process{
		"before an action":      func(s *saboteur, start func() *process) *process { return s.hunt(start, 1, false) },
		"before it is answered": func(s *saboteur, start func() *process) *process { return s.hunt(start, 0, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := play(t, hunt)
			if diff := cmp.Diff(undisturbed, got, cmpopts.IgnoreUnexported(aftermath{})); diff != "" {
				t.Errorf("what became of it (-undisturbed +killed):\n%s", diff)
			}
			if got.kills < actions-2 {
				t.Errorf("it was killed %d times in %d actions", got.kills, actions)
			}
			for _, effects := range got.Effects {
				for what, n := range effects {
					if n != 1 {
						t.Errorf("%s took effect %d times", what, n)
					}
				}
			}
			t.Logf("killed %d times in %d actions", got.kills, actions)
		})
	}
}
