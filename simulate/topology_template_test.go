package simulate_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/resource"
)

// What the templates of a class say is in those made from them: the bootstrap
// configuration, and labels and annotations except what kubectl notes. Another template
// of the class replaces machines only where it says another thing.
func TestTemplatesAreMadeFromThoseOfTheClass(t *testing.T) {
	t.Parallel()
	l := begin(t)
	bootstrap := func(name, metadata, format string) {
		l.make(`{apiVersion: bootstrap.cluster.x-k8s.io/v1beta2, kind: KubeadmConfigTemplate, metadata: {name: ` + name + `, namespace: team-a,
			annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}, labels: {` + metadata + `}}, spec: {template: {spec: {format: ` + format + `}}}}`)
	}
	bootstrap("qs-b", "of: class", "cloud-config")
	l.make(ownClass("", ""))
	l.make(clusterOfOwnClass("v1.34.1+vmware.1-vkr.4"))
	l.settle("the creation")
	l.pass(5 * time.Minute)
	name := func() string {
		return resource.Text(l.pool("a").Object, "spec", "template", "spec", "bootstrap", "configRef", "name")
	}
	first := name()
	template := l.object("KubeadmConfigTemplate", first)
	if template.GetLabels()["of"] != "class" || len(template.GetLabels()) != 4 || len(template.GetAnnotations()) != 2 {
		t.Errorf("a template has labels %v and annotations %v", template.GetLabels(), template.GetAnnotations())
	}
	l.cut()
	use := func(name string) {
		t.Helper()
		list := resource.Items(l.object("ClusterClass", "qs").Object, "spec", "workers", "machineDeployments")
		resource.SetField(resource.Fields(list[0]), name, "bootstrap", "templateRef", "name")
		u := l.object("ClusterClass", "qs")
		resource.SetField(u.Object, list, "spec", "workers", "machineDeployments")
		if _, err := l.kind("ClusterClass").Update(t.Context(), u, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		l.pass(10 * time.Minute)
	}
	bootstrap("qs-b2", "of: another", "cloud-config")
	use("qs-b2")
	template = l.object("KubeadmConfigTemplate", first)
	if template.GetLabels()["of"] != "another" || template.GetAnnotations()["cluster.x-k8s.io/cloned-from-name"] != "qs-b2" || name() != first {
		t.Errorf("the template has %v, %v, the pool uses %s", template.GetLabels(), template.GetAnnotations(), name())
	}
	if found := l.h.all(made("Machine", ".*")); len(found) > 0 {
		t.Error("a change of metadata replaced a Machine")
	}
	l.cut()
	bootstrap("qs-b3", "", "ignition")
	use("qs-b3")
	if workers, all := len(l.h.all(made("Machine", ofPool("a")))), len(l.h.all(made("Machine", ".*"))); workers != 1 || all != 1 || name() == first {
		t.Errorf("%d workers of %d Machines were made, the pool uses %s", workers, all, name())
	}
	l.h.inOrder(t, "6.6: rotation of a bootstrap template", made("KubeadmConfigTemplate", ofPool("a")), made("MachineSet", ofPool("a")), gone("KubeadmConfigTemplate", first))
}
