package resource

import (
	"strings"
	"testing"
)

func TestRedactHidesCredentialsOfURLsOnly(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://user:pass@git.example/repo.git":             "https://(hidden)@git.example/repo.git",
		"a http://u@x and ssh://git:k@y/z":                   "a http://(hidden)@x and ssh://(hidden)@y/z",
		"https://ada:p@ss@git.example/x":                     "https://(hidden)@git.example/x",
		"https://ada:p/ss@git.example/x":                     "https://(hidden)@git.example/x",
		"https://ada:p@s/s@git.example":                      "https://(hidden)@git.example",
		"https://ada:p/s@s#?@git.example":                    "https://(hidden)@git.example",
		"https://ada@lab.example:p/ss@git.example":           "https://(hidden)@git.example",
		"https://:token@git.example":                         "https://(hidden)@git.example",
		`parse "https://ada:p\"w@h/x": mail "ops@h"`:         `parse "https://(hidden)@h/x": mail "ops@h"`,
		`["https://u:p@a","https://v:q@b","ops@h"]`:          `["https://(hidden)@a","https://(hidden)@b","ops@h"]`,
		"ssh://git@git.example:22/x":                         "ssh://(hidden)@git.example:22/x",
		"https://git.example:8443/x":                         "https://git.example:8443/x",
		"mail ops@example.com":                               "mail ops@example.com",
		"https://git.example/a@b":                            "https://git.example/a@b",
		`cloning "https://tok@h/r": authentication required`: `cloning "https://(hidden)@h/r": authentication required`,
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHideVariablesLeavesOnlyWhatMayBeShown(t *testing.T) {
	t.Parallel()
	variables := func() []any {
		return []any{
			map[string]any{"name": "vmClass", "value": "best-effort-small"},
			map[string]any{"name": "user", "value": map[string]any{"sshAuthorizedKey": "CANARY"}},
			map[string]any{"name": "clusterEncryptionConfigYaml", "value": "CANARY"},
			map[string]any{"name": "kubernetes", "value": map[string]any{"deep": []any{map[string]any{"password": "CANARY", "n": int64(3)}}, "url": "https://u:CANARY@h"}},
		}
	}
	metadata := func() map[string]any {
		return map[string]any{"annotations": map[string]any{
			"contact": "ops@lab.example", "runbook": "https://ada:CANARY@wiki.example", "example.com/token": "CANARY",
			"kubectl.kubernetes.io/last-applied-configuration": `{"variables":[{"name":"user","value":"CANARY"}]}`,
		}}
	}
	cluster := map[string]any{"metadata": metadata(), "spec": map[string]any{"topology": map[string]any{
		"variables":    variables(),
		"controlPlane": map[string]any{"metadata": metadata(), "variables": map[string]any{"overrides": variables()}},
		"workers":      map[string]any{"machineDeployments": []any{map[string]any{"metadata": metadata(), "variables": map[string]any{"overrides": variables()}}}},
	}}}
	HideVariables(cluster, NotKept)
	if strings.Contains(dump(cluster), "CANARY") {
		t.Errorf("a canary is left: %s", dump(cluster))
	}
	if got := Text(Items(cluster, "spec", "topology", "variables")[0], "value"); got != "best-effort-small" {
		t.Errorf("vmClass is %q, want it shown", got)
	}
	if got := Text(cluster, "metadata", "annotations", "contact"); got != "ops@lab.example" {
		t.Errorf("contact is %q, want it shown", got)
	}
}

func dump(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		for key, child := range v {
			b.WriteString(key + "=" + dump(child) + " ")
		}
		return b.String()
	case []any:
		var b strings.Builder
		for _, child := range v {
			b.WriteString(dump(child) + " ")
		}
		return b.String()
	case string:
		return v
	}
	return ""
}
