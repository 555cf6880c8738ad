package kubeapi

import (
	"net/http"
	"slices"
	"strings"
)

// A review is a resource that answers a question about the client and stores
// nothing.
type review struct {
	group, resource, kind string
	answer                map[string]any // status
}

// reviews are those that kubectl auth asks: anybody may do everything here.
var reviews = []review{
	{"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", map[string]any{"allowed": true}},
	{"authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview", map[string]any{
		"incomplete":       false,
		"nonResourceRules": []any{map[string]any{"verbs": []any{"*"}, "nonResourceURLs": []any{"*"}}},
		"resourceRules":    []any{map[string]any{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}}},
	}},
	{"authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", map[string]any{
		"userInfo": map[string]any{"username": "administrator", "groups": []any{"system:masters", "system:authenticated"}},
	}},
}

// discovery is the review in aggregated discovery.
func (r review) discovery() map[string]any {
	return map[string]any{
		"resource": r.resource, "responseKind": map[string]any{"group": r.group, "version": "v1", "kind": r.kind},
		"scope": "Cluster", "singularResource": strings.ToLower(r.kind), "verbs": []any{"create"},
	}
}

// entry is the review in plain discovery.
func (r review) entry() map[string]any {
	return map[string]any{"name": r.resource, "singularName": strings.ToLower(r.kind), "namespaced": false, "kind": r.kind, "verbs": []any{"create"}}
}

// reviewsIn are those of a group and version.
func reviewsIn(group, version string) []review {
	return slices.DeleteFunc(slices.Clone(reviews), func(r review) bool { return r.group != group || version != "v1" })
}

// reviewAt finds the review that a path leads to.
func reviewAt(steps []string) (review, bool) {
	for _, r := range reviews {
		if len(steps) == 4 && steps[0] == "apis" && steps[1] == r.group && steps[2] == "v1" && steps[3] == r.resource {
			return r, true
		}
	}
	return review{}, false
}

// serve answers the question in a request.
func (r review) serve(c *call) error {
	if c.r.Method != http.MethodPost {
		return methodNotAllowed()
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	content, err := c.content(body)
	if err != nil {
		return err
	}
	content["apiVersion"], content["kind"] = r.group+"/v1", r.kind
	content["status"] = r.answer
	respond(c.w, http.StatusCreated, appendJSON(nil, content))
	return nil
}
