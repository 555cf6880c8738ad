package controllers

import (
	"testing"

	"github.com/vksync/vksync/reconcile/resource"
)

// The strategy of a class goes where a pool says anything of its rollout.
func TestAPoolSaysAllOfItsRollout(t *testing.T) {
	t.Parallel()
	class := fields{"rollout": fields{"strategy": fields{"type": "OnDelete"}}}
	for name, c := range map[string]struct{ content, want fields }{
		"nothing":  {fields{}, fields{"strategy": fields{"type": "OnDelete"}}},
		"a time":   {fields{"rollout": fields{"after": "2026-01-01T00:00:00Z"}}, fields{"after": "2026-01-01T00:00:00Z"}},
		"strategy": {fields{"rollout": fields{"strategy": fields{"type": "RollingUpdate"}}}, fields{"strategy": fields{"type": "RollingUpdate"}}},
	} {
		if got := (part{content: c.content, class: class, pool: "a"}).rollout(); !resource.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
