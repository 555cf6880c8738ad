package controllers

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAControlPlaneAtTheVersionOfItsStepOrItsTopologyIsStable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, topology, step, want string }{
		{"v1.35.0", "v1.35.0", "", ""},
		{"v1.35.0", "v1.36.0", "", "pending version upgrade to v1.36.0"},
		{"v1.35.0", "v1.37.0", "v1.36.0", "pending version upgrade to v1.36.0"},
		{"v1.36.0", "v1.37.0", "v1.36.0", ""},
		{"v1.37.0", "v1.37.0", "v1.36.0", ""},
	} {
		controlPlane := &unstructured.Unstructured{Object: fields{"spec": fields{"version": c.version}, "status": fields{"version": c.version}}}
		cluster := &unstructured.Unstructured{Object: fields{
			"metadata": fields{"annotations": fields{annotationUpgradeStep: c.step}},
			"spec":     fields{"topology": fields{"version": c.topology}},
		}}
		if got := unstable(controlPlane, cluster); !strings.HasSuffix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestMachinesMarkedByHandAreRemediatedFirst(t *testing.T) {
	t.Parallel()
	machine := func(name, created string, annotations fields) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: fields{"metadata": fields{"name": name, "creationTimestamp": created, "annotations": annotations}}}
	}
	machines := []*unstructured.Unstructured{
		machine("b", "2026-01-02T00:00:00Z", nil),
		machine("a", "2026-01-02T00:00:00Z", nil),
		machine("new", "2026-01-03T00:00:00Z", nil),
		machine("marked", "2026-01-01T00:00:00Z", fields{annotationRemediate: ""}),
	}
	slices.SortStableFunc(machines, firstToRemediate)
	var names []string
	for _, u := range machines {
		names = append(names, nameOf(u))
	}
	if want := []string{"marked", "new", "a", "b"}; !slices.Equal(names, want) {
		t.Errorf("the order is %v, want %v", names, want)
	}
}
