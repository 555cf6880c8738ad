package apiserver

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admission "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
)

func newUID() types.UID { return uuid.NewUUID() }

// admit has the server ask the simulated webhooks of a Supervisor about Clusters.
func (s *Server) admit(t testing.TB, inv *inventory.Inventory, objects *store) {
	t.Helper()
	ask := controllers.Admission(inv)
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admission.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = decide(ask, objects, review.Request)
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			t.Errorf("answering for a webhook: %v", err)
		}
	}))
	t.Cleanup(hook.Close)
	client, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})
	configuration := &unstructured.Unstructured{}
	encoded, err := json.Marshal(map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": map[string]any{"name": "supervisor"},
		"webhooks": []any{map[string]any{
			"name": "default.tkr-resolver.run.tanzu.vmware.com", "admissionReviewVersions": []any{"v1"}, "sideEffects": "None",
			"clientConfig": map[string]any{"url": hook.URL, "caBundle": ca},
			"rules": []any{map[string]any{
				"apiGroups": []any{"cluster.x-k8s.io"}, "apiVersions": []any{"*"}, "resources": []any{"clusters"}, "operations": []any{"CREATE", "UPDATE"},
			}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := configuration.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	hooks := client.Resource(schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"})
	if _, err := hooks.Create(t.Context(), configuration, metav1.CreateOptions{}); err != nil {
		t.Fatalf("configuring the webhook: %v", err)
	}
}

// decide lets the simulated webhooks mutate or refuse one object.
func decide(ask func(kubeapi.Request) error, objects *store, r *admission.AdmissionRequest) *admission.AdmissionResponse {
	refused := func(err error) *admission.AdmissionResponse {
		return &admission.AdmissionResponse{UID: r.UID, Result: &metav1.Status{Message: err.Error(), Code: http.StatusForbidden}}
	}
	u, old := &unstructured.Unstructured{}, (*unstructured.Unstructured)(nil)
	if err := u.UnmarshalJSON(r.Object.Raw); err != nil {
		return refused(err)
	}
	if len(r.OldObject.Raw) > 0 {
		old = &unstructured.Unstructured{}
		if err := old.UnmarshalJSON(r.OldObject.Raw); err != nil {
			return refused(err)
		}
	}
	before := u.DeepCopy()
	err := ask(kubeapi.Request{
		Verb: strings.ToLower(string(r.Operation)), Object: u, Old: old, Manager: r.UserInfo.Username, Get: objects.Get, List: objects.List,
	})
	if err != nil {
		return refused(err)
	}
	patch, err := patchTo(before, u)
	if err != nil {
		return refused(err)
	}
	kind := admission.PatchTypeJSONPatch
	return &admission.AdmissionResponse{UID: r.UID, Allowed: true, Patch: patch, PatchType: &kind}
}

// patchTo replaces the parts of an object that admission writes.
func patchTo(before, after *unstructured.Unstructured) ([]byte, error) {
	operations := []any{map[string]any{"op": "add", "path": "/spec", "value": after.Object["spec"]}}
	for _, part := range []string{"labels", "annotations"} {
		if value, ok, _ := unstructured.NestedMap(after.Object, "metadata", part); ok {
			operations = append(operations, map[string]any{"op": "add", "path": "/metadata/" + part, "value": value})
		}
	}
	return json.Marshal(operations)
}
