package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

func names(list []*unstructured.Unstructured) []string {
	var out []string
	for _, u := range list {
		out = append(out, u.GetName())
	}
	return out
}

func TestARotatedTemplateReplacesWorkersWithinTheStrategy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, strategy     string
		replicas           int
		most, available    int // machines at any time
		atOnceDown         int // deletions running at once
		disabled, onDelete bool
	}{
		{name: "default", strategy: `{}`, replicas: 3, most: 4, available: 3, atOnceDown: 1},
		{name: "surge 2", strategy: `{strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}}`, replicas: 3, most: 5, available: 3, atOnceDown: 2},
		{name: "no surge", strategy: `{strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}`, replicas: 3, most: 3, available: 2, atOnceDown: 1},
		{name: "percent", strategy: `{strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 26%, maxUnavailable: 49%}}}`, replicas: 4, most: 6, available: 3, atOnceDown: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, 1, c.replicas)
			p.change(`{rollout: ` + c.strategy + `}`)
			p.pass(3 * time.Second)
			before := names(p.machines())
			oldSet, oldTemplate := p.list("machinesets")[0].GetName(), resource.Text(p.deployment().Object, "spec", "template", "spec", "infrastructureRef", "name")
			most, least, down := 0, c.replicas, 0
			var gone []string
			p.each = func() {
				machines := p.machines()
				most, least = max(most, len(machines)), min(least, p.count(machines, "Available"))
				going := 0
				for _, u := range machines {
					if u.GetDeletionTimestamp() != nil {
						going++
						if !slices.Contains(gone, u.GetName()) {
							gone = append(gone, u.GetName())
						}
					}
				}
				down = max(down, going)
			}
			p.change(`{variables: {overrides: [{name: vmClass, value: best-effort-medium}]}}`)
			p.until("the new machines", 2*time.Hour, func() bool {
				return len(p.list("machinesets")) == 1 && p.list("machinesets")[0].GetName() != oldSet &&
					p.count(p.machines(), "Available") == c.replicas && len(p.machines()) == c.replicas
			})
			if most != c.most || least < c.available || down > c.atOnceDown {
				t.Errorf("at most %d machines, at least %d available, %d going at once; want %d, %d and at most %d", most, least, down, c.most, c.available, c.atOnceDown)
			}
			if !slices.Equal(gone, before) && c.atOnceDown == 1 {
				t.Errorf("machines went in the order %v, want by name: %v", gone, before)
			}
			set := p.list("machinesets")[0]
			for key, want := range map[string]string{
				"machinedeployment.clusters.x-k8s.io/revision": "2", "cluster.x-k8s.io/disable-machine-create": "false",
			} {
				if got := set.GetAnnotations()[key]; got != want {
					t.Errorf("annotation %s of the new set is %q, want %q", key, got, want)
				}
			}
			for _, u := range p.list("vspheremachinetemplates") {
				if u.GetName() == oldTemplate {
					t.Errorf("the template %s is still there, want it gone with the old set", oldTemplate)
				}
			}
			if n := len(p.list("kubeadmconfigtemplates")); n != 1 {
				t.Errorf("%d KubeadmConfigTemplates, want the one that was not rotated", n)
			}
			for _, u := range p.machines() {
				if resource.ConditionOf(u.Object, "UpToDate").Status != "True" {
					t.Errorf("%s is not up to date", u.GetName())
				}
			}
		})
	}
}

func TestAPausedDeploymentIsScaledButNotRolledOut(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	p.patch("machinedeployments", p.deployment().GetName(), `spec: {paused: true}`)
	p.pass(3 * time.Second)
	before := names(p.machines())
	p.change(`{variables: {overrides: [{name: vmClass, value: best-effort-medium}]}, replicas: 3}`)
	p.until("the third machine", 30*time.Minute, func() bool { return p.count(p.machines(), "Available") == 3 })
	p.pass(10 * time.Minute)
	if after := names(p.machines()); len(p.list("machinesets")) != 1 || !slices.Contains(after, before[0]) || !slices.Contains(after, before[1]) {
		t.Errorf("machines %v became %v in %d sets, want one more of the same", before, after, len(p.list("machinesets")))
	}
	const revision = "machinedeployment.clusters.x-k8s.io/revision"
	if got, there := p.deployment().GetAnnotations()[revision]; got != "" || !there {
		t.Errorf("the deployment is of revision %q, want none while no set has its template", got)
	}
	p.patch("machinedeployments", p.deployment().GetName(), `spec: {paused: false}`)
	p.until("the rollout", time.Hour, func() bool {
		return p.count(p.machines(), "UpToDate") == 3 && p.count(p.machines(), "Available") == 3 && len(p.list("machinesets")) == 1
	})
	if got := p.deployment().GetAnnotations()[revision]; got != "2" {
		t.Errorf("the deployment is of revision %q in the end, want 2", got)
	}
}

func TestSetsLoseTheAnnotationsThatTheirDeploymentLoses(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	p.patch("machinedeployments", p.deployment().GetName(), `metadata: {annotations: {example.com/a: "1", example.com/b: "2"}}`)
	p.pass(5 * time.Second)
	p.patch("machinesets", p.list("machinesets")[0].GetName(), `metadata: {annotations: {example.com/c: "3"}}`)
	p.patch("machinedeployments", p.deployment().GetName(), `metadata: {annotations: {example.com/a: null}}`)
	p.pass(5 * time.Second)
	annotations := p.list("machinesets")[0].GetAnnotations()
	if _, there := annotations["example.com/a"]; there || annotations["example.com/b"] != "2" || annotations["example.com/c"] != "3" {
		t.Errorf("the set has the annotations %v, want b from its deployment and its own c", annotations)
	}
}

func TestNoMachineIsMadeOfATemplateThatIsNotThere(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 1)
	md := p.deployment()
	template, err := p.kind("vspheremachinetemplates").Get(t.Context(), resource.Text(md.Object, "spec", "template", "spec", "infrastructureRef", "name"), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set := p.list("machinesets")[0]
	own := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "MachineDeployment",
		"metadata": map[string]any{"namespace": "team-a", "name": "own"},
		"spec":     map[string]any{"clusterName": "prod", "replicas": int64(1), "template": map[string]any{"spec": resource.Field(set.Object, "spec", "template", "spec")}},
	}}
	if err := unstructured.SetNestedField(own.Object, "later", "spec", "template", "spec", "infrastructureRef", "name"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.kind("machinedeployments").Create(t.Context(), own, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.pass(20 * time.Second)
	if sets := p.list("machinesets"); len(sets) != 1 {
		t.Errorf("sets %v, want none made without its template", names(sets))
	}
	own, err = p.kind("machinedeployments").Get(t.Context(), "own", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c := resource.ConditionOf(own.Object, "ScalingUp"); c.Status != "True" || !strings.HasSuffix(c.Message, "blocked because VSphereMachineTemplate does not exist") {
		t.Errorf("ScalingUp is %s (%s), want that it is blocked by the missing template", c.Status, c.Message)
	}
	later := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": template.GetAPIVersion(), "kind": template.GetKind(),
		"metadata": map[string]any{"namespace": "team-a", "name": "later", "labels": map[string]any{"cluster.x-k8s.io/cluster-name": "prod"}},
		"spec":     template.Object["spec"],
	}}
	if _, err := p.kind("vspheremachinetemplates").Create(t.Context(), later, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.until("the second pool's machine", 10*time.Minute, func() bool { return p.count(p.machines(), "Available") == 2 })
	if later, err = p.kind("vspheremachinetemplates").Get(t.Context(), "later", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if owners := later.GetOwnerReferences(); len(owners) != 1 || owners[0].Kind != "Cluster" {
		t.Errorf("the template has the owners %v, want the Cluster", owners)
	}
	if err := p.kind("vspheremachinetemplates").Delete(t.Context(), "later", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.patch("machinedeployments", "own", `spec: {replicas: 2}`)
	p.pass(time.Minute)
	if n := len(p.machines()); n != 2 {
		t.Errorf("%d machines, want none more without the template", n)
	}
}
