package apiserver

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// What kubectl prints of Cluster API's kinds is what their definitions say.
func TestColumnsAreThoseOfThePublishedDefinitions(t *testing.T) {
	published := publishedDefinitions(t)
	compared := 0
	for _, kind := range controllers.Kinds() {
		d := published[schema.GroupKind{Group: kind.Group, Kind: kind.Kind}]
		if d == nil {
			continue
		}
		compared++
		var want, got []kubeapi.Column
		for _, c := range resource.Items(resource.Items(d.Object, "spec", "versions")[0], "additionalPrinterColumns") {
			want = append(want, kubeapi.Column{
				Name: resource.Text(c, "name"), Type: resource.Text(c, "type"), Path: resource.Text(c, "jsonPath"), Priority: resource.Int(c, "priority"),
			})
		}
		for _, c := range kind.Columns {
			if c.Type == "" {
				c.Type = "string"
			}
			got = append(got, c)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(sameColumn)); diff != "" {
			t.Errorf("%s (-published +ours):\n%s", kind.Kind, diff)
		}
	}
	if compared < 8 {
		t.Errorf("only %d kinds have published definitions", compared)
	}
}

func sameColumn(a, b kubeapi.Column) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Path == b.Path && a.Priority == b.Priority
}
