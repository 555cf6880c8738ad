package apiserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"

	// The definitions are files of this module; a package of it has to be imported
	// for go.mod to name its version.
	_ "sigs.k8s.io/cluster-api/version"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// Define has the server serve the kinds of a Supervisor, as far as Kubernetes'
// generic control plane does not serve them itself or has them in its core
// group: Service and Endpoints are missing.
//
// Cluster API's kinds are defined as they are published, but served as v1beta2
// only: the other version needs its conversion webhook. All other kinds take any
// content, and their versions differ in name only. change may edit the published
// definitions.
func (s *Server) Define(t testing.TB, change ...func(*unstructured.Unstructured)) {
	t.Helper()
	published := publishedDefinitions(t)
	var all []*unstructured.Unstructured
	for _, kind := range controllers.Kinds() {
		if d := published[schema.GroupKind{Group: kind.Group, Kind: kind.Kind}]; d != nil {
			for _, f := range change {
				f(d)
			}
			all = append(all, d)
			continue
		}
		all = append(all, definitionOf(kind))
	}
	s.Create(t, all...)
}

// Create makes definitions and waits until they are served.
func (s *Server) Create(t testing.TB, all ...*unstructured.Unstructured) {
	t.Helper()
	client, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if _, err := client.Resource(definitions).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
			t.Fatalf("defining %s: %v", d.GetName(), err)
		}
	}
	for _, d := range all {
		Eventually(t, readyWithin, d.GetName()+" to be served", func() error {
			u, err := client.Resource(definitions).Get(t.Context(), d.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			if resource.ConditionOf(u.Object, "Established").Status != "True" {
				return fmt.Errorf("it is not established")
			}
			_, err = client.Resource(served(d)).List(t.Context(), metav1.ListOptions{Limit: 1})
			if apierrors.IsNotFound(err) {
				return fmt.Errorf("it is not served yet")
			}
			return err
		})
	}
}

// served is where the stored version of a definition is served.
func served(d *unstructured.Unstructured) schema.GroupVersionResource {
	gvr := schema.GroupVersionResource{
		Group: resource.Text(d.Object, "spec", "group"), Resource: resource.Text(d.Object, "spec", "names", "plural"),
	}
	for _, v := range resource.Items(d.Object, "spec", "versions") {
		if resource.Flag(v, "storage") {
			gvr.Version = resource.Text(v, "name")
		}
	}
	return gvr
}

// publishedDefinitions reads those in Cluster API's module.
func publishedDefinitions(t testing.TB) map[schema.GroupKind]*unstructured.Unstructured {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/cluster-api").Output()
	if err != nil {
		t.Fatalf("finding the module of Cluster API: %v", err)
	}
	dir := strings.TrimSpace(string(out))
	found := map[schema.GroupKind]*unstructured.Unstructured{}
	for _, part := range []string{"core", "controlplane/kubeadm", "bootstrap/kubeadm"} {
		files, err := filepath.Glob(filepath.Join(dir, part, "config/crd/bases/*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("there are no definitions in %s of Cluster API's module (%v)", part, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(text, &d.Object); err != nil {
				t.Fatalf("%s: %v", filepath.Base(file), err)
			}
			onlyStored(d)
			found[schema.GroupKind{Group: resource.Text(d.Object, "spec", "group"), Kind: resource.Text(d.Object, "spec", "names", "kind")}] = d
		}
	}
	return found
}

// onlyStored takes all versions but the stored one from a definition.
func onlyStored(d *unstructured.Unstructured) {
	versions := slices.DeleteFunc(resource.Items(d.Object, "spec", "versions"), func(v any) bool { return !resource.Flag(v, "storage") })
	resource.SetField(d.Object, versions, "spec", "versions")
}

// definitionOf makes a definition of a kind that takes any content.
func definitionOf(k kubeapi.Kind) *unstructured.Unstructured {
	anything := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	var versions []any
	for i, name := range k.Versions {
		v := map[string]any{"name": name, "served": true, "storage": i == 0, "schema": map[string]any{"openAPIV3Schema": anything}}
		if k.Status {
			v["subresources"] = map[string]any{"status": map[string]any{}}
		}
		versions = append(versions, v)
	}
	names := map[string]any{
		"kind": k.Kind, "listKind": k.Kind + "List", "plural": k.Resource, "singular": strings.ToLower(k.Kind),
		"shortNames": anys(k.ShortNames), "categories": anys(k.Categories),
	}
	scope := "Namespaced"
	if k.Cluster {
		scope = "Cluster"
	}
	meta := map[string]any{"name": k.Resource + "." + k.Group}
	if strings.HasSuffix(k.Group, ".k8s.io") {
		meta["annotations"] = map[string]any{"api-approved.kubernetes.io": "unapproved, stands in for the real kind in a test"}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta,
		"spec": map[string]any{"group": k.Group, "names": names, "scope": scope, "versions": versions},
	}}
}

func anys(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}
