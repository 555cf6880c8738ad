package controllers

import (
	"slices"
	"testing"
)

// Pools skip what they may of the way of a control plane, which skips no minor.
func TestUpgradesGoStepByStep(t *testing.T) {
	t.Parallel()
	listed := []string{"v1.30.0", "v1.31.0", "v1.31.4", "v1.32.1", "v1.33.0", "v1.34.2", "v1.35.0"}
	for name, c := range map[string]struct {
		listed                  []string
		to, controlPlane, least string
		steps, workers          []string
		fails                   bool
	}{
		"nothing to do":                {nil, "v1.31.0", "v1.31.0", "v1.31.0", nil, nil, false},
		"one minor":                    {nil, "v1.32.0", "v1.31.0", "v1.31.0", []string{"v1.32.0"}, []string{"v1.32.0"}, false},
		"only pools are left":          {nil, "v1.32.0", "v1.32.0", "v1.31.0", nil, []string{"v1.32.0"}, false},
		"no pools":                     {nil, "v1.32.0", "v1.31.0", "", []string{"v1.32.0"}, nil, false},
		"two minors without a list":    {nil, "v1.33.0", "v1.31.0", "v1.31.0", nil, nil, true},
		"the last of each minor":       {listed, "v1.32.1", "v1.30.0", "v1.30.0", []string{"v1.31.4", "v1.32.1"}, []string{"v1.32.1"}, false},
		"a patch":                      {listed, "v1.31.4", "v1.31.0", "v1.31.0", []string{"v1.31.4"}, []string{"v1.31.4"}, false},
		"pools stop three minors on":   {listed, "v1.35.0", "v1.30.0", "v1.30.0", []string{"v1.31.4", "v1.32.1", "v1.33.0", "v1.34.2", "v1.35.0"}, []string{"v1.33.0", "v1.35.0"}, false},
		"where the control plane is":   {listed, "v1.35.0", "v1.33.0", "v1.30.0", []string{"v1.34.2", "v1.35.0"}, []string{"v1.33.0", "v1.35.0"}, false},
		"a version that is not listed": {listed, "v1.35.1", "v1.34.2", "v1.34.2", nil, nil, true},
	} {
		plan, err := planUpgrade(c.listed, c.to, c.controlPlane, c.least)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (!slices.Equal(plan.controlPlane, c.steps) || !slices.Equal(plan.workers, c.workers)) {
			t.Errorf("%s: %v, want %v and %v", name, plan, c.steps, c.workers)
		}
	}
}
