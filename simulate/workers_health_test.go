package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/resource"
)

// check makes a MachineHealthCheck over the pool's workers; spec is merged in.
func (p *pool) check(spec string) {
	p.t.Helper()
	u := &unstructured.Unstructured{Object: decoded(p.t, `
apiVersion: cluster.x-k8s.io/v1beta2
kind: MachineHealthCheck
metadata: {name: np, namespace: team-a}
spec:
  clusterName: prod
  selector: {matchLabels: {topology.cluster.x-k8s.io/deployment-name: np}}
  checks: {unhealthyNodeConditions: [{type: Ready, status: Unknown, timeoutSeconds: 300}, {type: Ready, status: "False", timeoutSeconds: 300}]}
`)}
	more := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &more); err != nil {
		p.t.Fatal(err)
	}
	for key, value := range more {
		u.Object["spec"].(map[string]any)[key] = value
	}
	if _, err := p.kind("machinehealthchecks").Create(p.t.Context(), u, metav1.CreateOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pool) healthCheck() *unstructured.Unstructured {
	p.t.Helper()
	u, err := p.kind("machinehealthchecks").Get(p.t.Context(), "np", metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return u
}

func (p *pool) machine(name string) *unstructured.Unstructured {
	p.t.Helper()
	for _, u := range p.machines() {
		if u.GetName() == name {
			return u
		}
	}
	return nil
}

// mark asks for the remediation of a machine.
func (p *pool) mark(names ...string) {
	p.t.Helper()
	for _, name := range names {
		p.patch("machines", name, `metadata: {annotations: {cluster.x-k8s.io/remediate-machine: ""}}`)
	}
}

// off takes the power from a machine's VM and keeps VM Service from giving it back.
func (p *pool) off(name string) {
	p.t.Helper()
	p.patch("virtualmachines", name, `spec: {powerState: PoweredOff}`)
}

func TestAMarkedMachineIsReplacedOnlyByAHealthCheck(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	before := names(p.machines())
	p.mark(before[0])
	p.pass(10 * time.Minute)
	if got := names(p.machines()); !slices.Equal(got, before) || p.count(p.machines(), "Ready") != 2 {
		t.Fatalf("without a MachineHealthCheck machines %v became %v, want nothing done", before, got)
	}
	p.check(`{}`)
	p.until("the set to remediate", 20*time.Second, func() bool { return len(going(p.machines())) == 1 })
	marked := p.machine(before[0])
	for kind, want := range map[string]string{"HealthCheckSucceeded": "HasRemediateAnnotation", "OwnerRemediated": "MachineDeleting"} {
		if c := resource.ConditionOf(marked.Object, kind); c.Status != "False" || c.Reason != want {
			t.Errorf("%s of the marked machine is %s/%s, want False/%s", kind, c.Status, c.Reason, want)
		}
	}
	if c := resource.ConditionOf(p.machine(before[1]).Object, "HealthCheckSucceeded"); c.Status != "True" {
		t.Errorf("HealthCheckSucceeded of the other machine is %s, want True", c.Status)
	}
	p.until("the deployment to say so", 5*time.Second, func() bool { return resource.ConditionOf(p.deployment().Object, "Remediating").Status == "True" })
	p.until("the replacement", 30*time.Minute, func() bool {
		return p.machine(before[0]) == nil && p.count(p.machines(), "Available") == 2 && resource.ConditionOf(p.deployment().Object, "Remediating").Status == "False"
	})
	p.until("the check to see it", time.Minute, func() bool {
		status := p.healthCheck().Object["status"].(map[string]any)
		return resource.Int(status, "expectedMachines") == 2 && resource.Int(status, "currentHealthy") == 2 && resource.Int(status, "remediationsAllowed") == 2 &&
			resource.ConditionOf(p.healthCheck().Object, "RemediationAllowed").Status == "True"
	})
}

func TestAMachineWithoutPowerIsReplacedAfterItsTimeout(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	before := names(p.machines())
	p.check(`{}`)
	p.pass(time.Minute)
	p.off(before[1])
	off := p.Now()
	p.until("the node to be unknown", 2*time.Minute, func() bool {
		return resource.ConditionOf(p.machine(before[1]).Object, "NodeReady").Reason == "NodeReadyUnknown"
	})
	if after := p.Now().Sub(off); after < 40*time.Second || after > 50*time.Second {
		t.Errorf("the node was unknown %s after its VM had lost power, want 40 s and what noticing takes", after)
	}
	if c := resource.ConditionOf(p.machine(before[1]).Object, "NodeHealthy"); c.Status != "Unknown" || c.Reason != "NodeHealthUnknown" {
		t.Errorf("NodeHealthy is %s/%s, want Unknown/NodeHealthUnknown", c.Status, c.Reason)
	}
	p.until("the machine to go", 10*time.Minute, func() bool { return len(going(p.machines())) == 1 })
	if after := p.Now().Sub(off); after < 340*time.Second || after > 370*time.Second {
		t.Errorf("the machine went after %s, want 40 s of grace, 300 s of timeout and at most one look of the check", after)
	}
	if c := resource.ConditionOf(p.machine(before[1]).Object, "HealthCheckSucceeded"); c.Reason != "UnhealthyNode" {
		t.Errorf("HealthCheckSucceeded has the reason %s, want UnhealthyNode", c.Reason)
	}
	p.until("the replacement", 30*time.Minute, func() bool { return p.machine(before[1]) == nil && p.count(p.machines(), "Available") == 2 })
}

func TestAVMThatComesBackInTimeKeepsItsMachine(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	name := names(p.machines())[0]
	p.check(`{}`)
	p.pass(time.Minute)
	p.off(name)
	p.until("the node to be unknown", 2*time.Minute, func() bool {
		return resource.ConditionOf(p.machine(name).Object, "NodeReady").Status == "Unknown"
	})
	p.patch("virtualmachines", name, `spec: {powerState: PoweredOn}`)
	p.until("the machine to be available again", 4*time.Minute, func() bool {
		u := p.machine(name)
		return u != nil && u.GetDeletionTimestamp() == nil && resource.ConditionOf(u.Object, "Available").Status == "True"
	})
	p.pass(10 * time.Minute)
	if u := p.machine(name); u == nil || resource.ConditionOf(u.Object, "HealthCheckSucceeded").Status != "True" {
		t.Error("the machine did not stay healthy")
	}
}

func TestTooManyUnhealthyMachinesStopRemediation(t *testing.T) {
	t.Parallel()
	for trigger, c := range map[string]struct {
		marked  int
		allowed bool
	}{
		`{unhealthyLessThanOrEqualTo: 1}`:   {2, false},
		`{unhealthyLessThanOrEqualTo: 2}`:   {2, true},
		`{unhealthyLessThanOrEqualTo: 34%}`: {2, false},
		`{unhealthyLessThanOrEqualTo: 34%}
`: {1, true},
		`{unhealthyInRange: "[1-2]"}`: {3, false},
		`{unhealthyInRange: "[2-3]"}`: {3, true},
	} {
		t.Run(strings.TrimSpace(trigger), func(t *testing.T) {
			t.Parallel()
			p := newPool(t, 1, 3)
			before := names(p.machines())
			p.mark(before[:c.marked]...)
			p.check(`{remediation: {triggerIf: ` + trigger + `}}`)
			if c.allowed {
				p.until("the marked machines to go", 20*time.Second, func() bool { return len(going(p.machines())) == c.marked })
				return
			}
			p.pass(20 * time.Second)
			condition := resource.ConditionOf(p.healthCheck().Object, "RemediationAllowed")
			if condition.Status != "False" || condition.Reason != "TooManyUnhealthy" || resource.Int(p.healthCheck().Object, "status", "remediationsAllowed") != 0 {
				t.Errorf("remediation is allowed: %s/%s, want False/TooManyUnhealthy and none", condition.Status, condition.Reason)
			}
			p.pass(10 * time.Minute)
			if got := names(p.machines()); !slices.Equal(got, before) || len(going(p.machines())) != 0 {
				t.Errorf("machines %v became %v, want none deleted", before, got)
			}
			if c := resource.ConditionOf(p.machine(before[0]).Object, "HealthCheckSucceeded"); c.Status != "False" {
				t.Errorf("HealthCheckSucceeded is %s, want False all the same", c.Status)
			}
		})
	}
}

func TestAtMostMaxInFlightMachinesAreReplacedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 3)
	before := names(p.machines())
	p.change(`{healthCheck: {enabled: true, checks: {nodeStartupTimeoutSeconds: 600}, remediation: {maxInFlight: 1}}}`)
	p.pass(2 * time.Second)
	p.mark(before...)
	most := 0
	p.each = func() { most = max(most, len(going(p.machines()))) }
	p.until("one to be put off", time.Minute, func() bool {
		return slices.ContainsFunc(p.machines(), func(u *unstructured.Unstructured) bool {
			return resource.ConditionOf(u.Object, "OwnerRemediated").Reason == "RemediationDeferred"
		})
	})
	p.until("all to be replaced", 2*time.Hour, func() bool {
		return p.count(p.machines(), "Available") == 3 && !slices.ContainsFunc(names(p.machines()), func(name string) bool { return slices.Contains(before, name) })
	})
	if most != 1 {
		t.Errorf("%d machines went at once, want 1", most)
	}
}

func TestAMachineIsKeptOutOfRemediation(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	before := names(p.machines())
	p.patch("machines", before[0], `metadata: {annotations: {cluster.x-k8s.io/skip-remediation: ""}}`)
	p.mark(before[0])
	p.check(`{}`)
	p.pass(10 * time.Minute)
	if got := names(p.machines()); !slices.Equal(got, before) {
		t.Errorf("machines %v became %v, want the one that is kept out of it still there", before, got)
	}
	if n := resource.Int(p.healthCheck().Object, "status", "expectedMachines"); n != 1 {
		t.Errorf("the check has %d targets, want the other machine only", n)
	}
}

func TestAMachineWithoutANodeInTimeIsReplaced(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	p.check(`{checks: {nodeStartupTimeoutSeconds: 30}}`)
	first := names(p.machines())
	p.change(`{replicas: 2}`)
	p.until("a machine to fail its start", 10*time.Minute, func() bool {
		return slices.ContainsFunc(p.machines(), func(u *unstructured.Unstructured) bool {
			return resource.ConditionOf(u.Object, "HealthCheckSucceeded").Reason == "NodeStartupTimeout" && u.GetName() != first[0]
		})
	})
	p.until("it to go", 5*time.Second, func() bool { return len(going(p.machines())) == 1 })
	if got := going(p.machines()); got[0] == first[0] {
		t.Errorf("%v goes, want the new one", got)
	}
}

func TestADestroyedVMSilencesItsNodeUntilItIsMadeAgain(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	name := names(p.machines())[0]
	vm := p.vm(name)
	for _, do := range []func() (*object.Task, error){
		func() (*object.Task, error) { return vm.PowerOff(t.Context()) },
		func() (*object.Task, error) { return vm.Destroy(t.Context()) },
	} {
		task, err := do()
		finish(t, task, err)
	}
	destroyed := p.Now()
	p.until("the node to be unknown", 2*time.Minute, func() bool {
		return resource.ConditionOf(p.machine(name).Object, "NodeReady").Reason == "NodeReadyUnknown"
	})
	if after := p.Now().Sub(destroyed); after < 40*time.Second {
		t.Errorf("the node was unknown after %s, want no sooner than 40 s", after)
	}
	p.until("the machine to be available again", 30*time.Minute, func() bool {
		return p.machine(name) != nil && resource.ConditionOf(p.machine(name).Object, "Available").Status == "True"
	})
}

func TestAMachineIsHealthyOnceItHasAReadyNode(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	p.check(`{remediation: {triggerIf: {unhealthyLessThanOrEqualTo: 49%}}, selector: {matchExpressions: [{key: topology.cluster.x-k8s.io/deployment-name, operator: In, values: [np]}]}}`)
	p.pass(10 * time.Second)
	if check := p.healthCheck(); resource.ConditionOf(check.Object, "Paused").Status != "False" || resource.ConditionOf(check.Object, "RemediationAllowed").Type != "" {
		t.Errorf("after 10 s the check says %v, want that it is not paused and no more", check.Object["status"])
	}
	p.pass(10 * time.Second)
	first := names(p.machines())[0]
	said := func(name string) resource.Condition {
		return resource.ConditionOf(p.machine(name).Object, "HealthCheckSucceeded")
	}
	allowed := func() string { return resource.ConditionOf(p.healthCheck().Object, "RemediationAllowed").Status }
	if said(first).Status != "True" || allowed() != "True" {
		t.Fatalf("HealthCheckSucceeded is %q, RemediationAllowed %q, want both True", said(first).Status, allowed())
	}
	p.change(`{replicas: 2}`)
	p.until("the one that starts to count", time.Minute, func() bool { return allowed() == "False" })
	var second string
	for _, name := range names(p.machines()) {
		if name != first {
			second = name
		}
	}
	p.each = func() {
		if c := said(second); c.Type != "" && resource.ConditionOf(p.machine(second).Object, "NodeReady").Status != "True" {
			t.Fatalf("HealthCheckSucceeded of a machine without a ready node is %s/%s, want nothing said", c.Status, c.Reason)
		}
	}
	p.until("both to be healthy", 10*time.Minute, func() bool { return said(second).Status == "True" && allowed() == "True" })
	if n := resource.Int(p.healthCheck().Object, "status", "currentHealthy"); n != 2 {
		t.Errorf("%d machines are healthy, want 2", n)
	}
}

func TestAMachineOfAFormerTemplateIsNotRemediated(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	p.change(`{healthCheck: {checks: {nodeStartupTimeoutSeconds: 600}, remediation: {maxInFlight: 0}}}`)
	marked := names(p.machines())[1]
	p.mark(marked)
	answer := func() string { return resource.ConditionOf(p.machine(marked).Object, "OwnerRemediated").Reason }
	p.until("the remediation to be put off", time.Minute, func() bool { return answer() == "RemediationDeferred" })
	p.change(`{variables: {overrides: [{name: vmClass, value: best-effort-medium}]}}`)
	p.until("it to be called off", 10*time.Second, func() bool { return answer() == "CannotBeRemediated" })
}
