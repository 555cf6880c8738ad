package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	vschema "github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	siteinventory "github.com/vksync/vksync/simulate/inventory"
)

// A lab is a simulated world that commands take for a live one: time passes in it
// by itself, three hundred times as fast.
type lab struct {
	t     *testing.T
	world *simulate.World
	// where is the host of the Supervisor in its address.
	where string
	dir   string
}

const labSpeed = 300

func newLab(t *testing.T) *lab {
	t.Helper()
	inv, err := siteinventory.Decode(vschema.LabInventory().Object)
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulate.New(simulate.Config{Inventory: inv, Seed: 1, Speed: labSpeed})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for ctx.Err() == nil {
			if _, err := world.Wait(ctx, world.Now().Add(time.Minute), nil); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-stopped
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	return &lab{t: t, world: world, dir: t.TempDir()}
}

func (l *lab) addFlags(*cobra.Command) {}

func (l *lab) part(string) (func(*vschema.Desired) *resource.Set, error) { return nil, nil }

func (l *lab) endpoints(context.Context) (reconcile.Endpoints, error) {
	kube := l.world.KubeConfig()
	if l.where != "" {
		kube.Host = l.where
	}
	return reconcile.Endpoints{Kube: kube, VSphere: l.world.VSphereConfig()}, nil
}

// write writes a file of the fleet.
func (l *lab) write(name, text string) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
	return path
}

// result is what a command printed, and its exit code.
type result struct {
	code      int
	out, errs string
}

// run runs a command whose name is the first argument. Answers are typed in where
// they are not nil.
func (l *lab) run(answers io.Reader, args ...string) result {
	l.t.Helper()
	return l.runContext(l.t.Context(), answers, args...)
}

func (l *lab) runContext(ctx context.Context, answers io.Reader, args ...string) result {
	l.t.Helper()
	out, err := os.Create(filepath.Join(l.t.TempDir(), "out"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer out.Close()
	var errs bytes.Buffer
	io := streams{in: answers, out: out, errs: &errs}
	cmd := newPlanCmd(io, l)
	if args[0] == "apply" {
		cmd = applyCmd(io, applyOptions{
			live: live{connector: l, poll: 50 * time.Millisecond}, interactive: func() bool { return answers != nil },
		})
	}
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(args[1:])
	code := report(&errs, cmd.ExecuteContext(ctx))
	text, err := os.ReadFile(out.Name())
	if err != nil {
		l.t.Fatal(err)
	}
	return result{code, string(text), errs.String()}
}

// want fails unless a command ended with a code and said all of texts.
func (l *lab) want(r result, code int, texts ...string) {
	l.t.Helper()
	if r.code != code {
		l.t.Fatalf("exit code %d, want %d\n%s\n%s", r.code, code, r.out, r.errs)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.errs, text) {
			l.t.Errorf("it does not say %q:\n%s\n%s", text, r.out, r.errs)
		}
	}
}

func (l *lab) clusters() dynamic.NamespaceableResourceInterface {
	l.t.Helper()
	client, err := dynamic.NewForConfig(l.world.KubeConfig())
	if err != nil {
		l.t.Fatal(err)
	}
	return client.Resource(schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"})
}

// scale changes a cluster behind vksync's back.
func (l *lab) scale(name string) {
	l.t.Helper()
	patch := `{"spec":{"topology":{"controlPlane":{"replicas":3}}}}`
	if _, err := l.clusters().Namespace("team-000").Patch(l.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) count() int {
	l.t.Helper()
	list, err := l.clusters().List(l.t.Context(), metav1.ListOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	return len(list.Items)
}

func TestApplyMakesWhatThePlanShows(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(2, 1, 2))
	fleet, log := filepath.Join(l.dir, "fleet"), filepath.Join(l.dir, "run.jsonl")

	l.want(l.run(nil, "plan", fleet, "--live"), exitOK, "LIVE: the Supervisor at http://supervisor.simulated, the vCenter at vcenter.simulated", "3 to create")
	l.want(l.run(nil, "plan", fleet, "--live", "--detailed-exitcode", "-q"), exitChanges)
	if n := l.count(); n != 0 {
		t.Fatalf("a plan made %d clusters", n)
	}
	l.want(l.run(nil, "apply", fleet, "--yes", "--journal", log), exitOK, "LIVE: ", "+ Cluster team-000/c00000", "end", "reached, 3 of 3 goals")
	if n := l.count(); n != 2 {
		t.Errorf("there are %d clusters, want 2", n)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"simulated":false`)) || !bytes.Contains(text, []byte(`"kind":"VirtualMachine"`)) {
		t.Errorf("the journal does not tell what happened in the live world:\n%.500s", text)
	}
	l.want(l.run(nil, "apply", fleet), exitOK, "reached")
	l.want(l.run(nil, "plan", fleet, "--live", "--detailed-exitcode"), exitOK)
	l.want(l.run(nil, "apply", fleet, "-o", "json"), exitOK, `"simulated": false`)
}

func TestApplyAsks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(1, 1, 1))
	fleet := filepath.Join(l.dir, "fleet")

	l.want(l.run(nil, "apply", fleet), exitInvalid, "standard input is no terminal", "--yes")
	for _, answer := range []string{"", "\n", "y\n", "YES\n", "yes please\n"} {
		l.want(l.run(strings.NewReader(answer), "apply", fleet, "-q"), exitError, "Apply this to the Supervisor at", "+ Cluster", "the answer was not yes")
	}
	ctx, cancel := context.WithCancel(t.Context())
	blocked, _ := io.Pipe()
	time.AfterFunc(300*time.Millisecond, cancel)
	l.want(l.runContext(ctx, blocked, "apply", fleet), exitInterrupted, "interrupted")
	if n := l.count(); n != 0 {
		t.Fatalf("there are %d clusters, and nobody said yes", n)
	}
	l.want(l.run(strings.NewReader("yes\n"), "apply", fleet), exitOK, "reached, 2 of 2 goals")
	if n := l.count(); n != 1 {
		t.Errorf("there are %d clusters, want 1", n)
	}
}

// Programs read standard output: who is asked is shown the plan beside it.
func TestEventsOfAnAppliedPlanAreAloneOnStandardOutput(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(1, 1, 1))
	fleet := filepath.Join(l.dir, "fleet")
	r := l.run(strings.NewReader("no\n"), "apply", fleet, "--progress", "json")
	l.want(r, exitError, "+ Cluster team-000/c00000", "the answer was not yes")
	if r.out != "" {
		t.Errorf("nothing ran, and standard output has\n%s", r.out)
	}
	r = l.run(strings.NewReader("yes\n"), "apply", fleet, "--progress", "json")
	l.want(r, exitOK)
	var last journal.Event
	for d := journal.NewDecoder(strings.NewReader(r.out)); ; {
		e, err := d.Decode()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if last.End == nil || last.End.Outcome != journal.Reached || last.End.Goals != 2 {
		t.Errorf("standard output ends with %+v", last)
	}
	l.want(l.run(nil, "apply", fleet, "--progress", "json", "-o", "json"), exitInvalid, "use one of them")
}

// answering does something when it is asked, and then says yes.
type answering func()

func (a answering) Read(p []byte) (int, error) {
	a()
	return copy(p, "yes\n"), nil
}

func TestWhatChangesWhileSomebodyDecidesIsNotAppliedTo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(1, 1, 1))
	fleet := filepath.Join(l.dir, "fleet")
	l.want(l.run(nil, "apply", fleet, "--yes", "-q"), exitOK)
	l.write("fleet/all.yaml", manifests(1, 1, 3))
	l.want(l.run(answering(func() { l.scale("c00000") }), "apply", fleet, "--prune"), exitNotReached,
		"Cluster team-000/c00000: spec.topology.controlPlane changed since the plan was made", "Run it again")
}

func TestASavedPlanIsAppliedOnceAndOnlyAsItWas(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-a-saved-plan"
	withSecret := func(workers int) string {
		return strings.Replace(manifests(1, 1, workers), "    variables:\n", "    variables:\n    - {name: osConfiguration, value: {user: {password: "+canary+"}}}\n", 1)
	}
	l := newLab(t)
	l.write("fleet/all.yaml", withSecret(1))
	fleet, file := filepath.Join(l.dir, "fleet"), filepath.Join(l.dir, "friday.plan")
	saved := func(flags ...string) {
		t.Helper()
		l.want(l.run(nil, append([]string{"plan", fleet, "--live", "--out", file}, flags...)...), exitOK, "Saved to "+file, "vksync apply "+file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(canary)) {
			t.Error("a hidden value is in the saved plan")
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the saved plan has mode %v (%v)", info.Mode(), err)
		}
	}
	saved()
	for _, flags := range [][]string{{"--prune"}, {"--adopt"}, {"--revision", "main"}, {"--force-conflicts"}} {
		l.want(l.run(nil, append([]string{"apply", file}, flags...)...), exitInvalid, flags[0]+" is part of the saved plan")
	}
	l.where = "http://supervisor.simulated:80"
	l.want(l.run(nil, "apply", file), exitInvalid, "the plan was made for the Supervisor at http://supervisor.simulated and")
	l.where = ""

	log := filepath.Join(l.dir, "run.jsonl")
	r := l.run(nil, "apply", file, "--journal", log)
	l.want(r, exitOK, "reached, 2 of 2 goals")
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.out+r.errs+string(text), canary) {
		t.Error("a hidden value is in the output or in the journal")
	}
	l.want(l.run(nil, "apply", file), exitInvalid, "was applied already", "used once")
	l.want(l.run(nil, "apply", file+".applied"), exitInvalid, "was applied already")

	// A plan that does not hold is refused with what changed, and is not used up.
	l.write("fleet/all.yaml", withSecret(3))
	saved()
	l.scale("c00000")
	for range 2 {
		l.want(l.run(nil, "apply", file, "--yes"), exitInvalid,
			"does not hold any more", "Cluster team-000/c00000: spec.topology.controlPlane changed since the plan was made", "Make a new one")
	}
	// What somebody else wrote is theirs, until force is asked for.
	l.want(l.run(nil, "plan", fleet, "--live", "--out", file), exitNotReached, "field manager kubectl-edit owns spec.topology.controlPlane.replicas", "--force-conflicts")
	saved("--force-conflicts")
	l.write("fleet/all.yaml", withSecret(4))
	l.want(l.run(nil, "apply", file), exitInvalid, "the manifests have changed since the plan was made")
	saved("--force-conflicts")
	l.want(l.run(nil, "apply", file), exitOK, "reached")
}

func TestWhereAPlanCannotBeSaved(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	manifest := l.write("fleet/all.yaml", manifests(1, 1, 1))
	fleet := filepath.Join(l.dir, "fleet")
	l.want(l.run(nil, "plan", fleet, "--live", "--out", manifest), exitInvalid, "exists and is not a saved plan")
	l.want(l.run(nil, "plan", fleet, "--live", "--out", filepath.Join(l.dir, "x.applied")), exitInvalid, "name another")
	l.want(l.run(nil, "plan", fleet, "--live", "--out", filepath.Join(l.dir, "none", "x.plan")), exitError, "saving the plan")
	l.want(l.run(nil, "plan", fleet, "--out", filepath.Join(l.dir, "x.plan")), exitInvalid, "--out needs --live")
	l.want(l.run(nil, "plan", fleet, "--live", "--seed", "2"), exitInvalid, "--seed is for a simulated world")
	damaged := l.write("damaged.plan", `{"vksyncPlan":1,"from":{}}`)
	l.want(l.run(nil, "apply", damaged), exitInvalid, "cannot be used: it is damaged")
}

func TestApplyEndsWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.write("fleet/all.yaml", manifests(1, 3, 3))
	log := filepath.Join(l.dir, "run.jsonl")
	r := l.run(nil, "apply", filepath.Join(l.dir, "fleet"), "--yes", "--timeout", "300ms", "--journal", log)
	l.want(r, exitNotReached, "the --timeout of 300ms has passed", "the next run continues")
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var last journal.Event
	for d := journal.NewDecoder(f); ; {
		e, err := d.Decode()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if last.End == nil || last.End.Outcome != journal.Interrupted {
		t.Errorf("the journal ends with %+v", last)
	}
	l.want(l.run(nil, "apply", filepath.Join(l.dir, "fleet"), "--yes"), exitOK, "reached, 2 of 2 goals")
}
