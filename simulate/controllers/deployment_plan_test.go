package controllers

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

func TestARolloutGoesOneStepFurther(t *testing.T) {
	t.Parallel()
	type sets = map[string]int64
	s := func(name string, wanted, total, available int64) setCount {
		return setCount{name: name, wanted: wanted, total: total, available: available}
	}
	for name, c := range map[string]struct {
		rollout
		want sets
	}{
		"nothing to do":                          {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 3, 3, 3)}, sets{}},
		"a first set takes all":                  {rollout{terms: terms{desired: 3, maxSurge: 1}}, sets{"": 3}},
		"one more":                               {rollout{terms: terms{desired: 3, maxSurge: 1}, old: []setCount{s("a", 3, 3, 3)}}, sets{"": 1}},
		"wait until it is there":                 {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 0), old: []setCount{s("a", 3, 3, 3)}}, sets{}},
		"one less":                               {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 3, 3, 3)}}, sets{"a": 2}},
		"wait until it is gone":                  {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 2, 3, 2)}}, sets{}},
		"one more again":                         {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 2, 2, 2)}}, sets{"new": 2}},
		"without surge one less first":           {rollout{terms: terms{desired: 3, maxUnavailable: 1}, old: []setCount{s("a", 3, 3, 3)}}, sets{"a": 2}},
		"surge and unavailable at once":          {rollout{terms: terms{desired: 6, maxSurge: 3, maxUnavailable: 1}, old: []setCount{s("a", 6, 6, 6)}}, sets{"": 3, "a": 5}},
		"what was never made goes first":         {rollout{terms: terms{desired: 3, maxSurge: 1}, old: []setCount{s("a", 3, 3, 3), s("b", 1, 0, 0)}}, sets{"b": 0}},
		"the oldest set goes first":              {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 1, 1, 1), s("b", 2, 2, 2)}}, sets{"a": 0}},
		"a set of broken machines goes at once":  {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 3, 3, 0)}}, sets{"a": 2}},
		"a broken machine may not be who goes":   {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 2, 2, 0), old: []setCount{s("a", 2, 2, 2)}}, sets{}},
		"a deadlock is broken":                   {rollout{terms: terms{desired: 3, maxSurge: 1}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 3, 3, 2)}}, sets{"a": 2}},
		"scale down in a rollout":                {rollout{terms: terms{desired: 1, maxSurge: 1}, fresh: s("new", 2, 2, 2), old: []setCount{s("a", 1, 1, 1)}}, sets{"new": 1, "a": 0}},
		"to nothing":                             {rollout{terms: terms{desired: 0, maxSurge: 1}, fresh: s("new", 2, 2, 2)}, sets{"new": 0}},
		"on delete, nobody has deleted":          {rollout{terms: terms{desired: 3, onDelete: true}, old: []setCount{s("a", 3, 3, 3)}}, sets{}},
		"on delete, somebody has":                {rollout{terms: terms{desired: 3, onDelete: true}, old: []setCount{s("a", 3, 2, 2)}}, sets{"a": 2}},
		"on delete, the place is taken":          {rollout{terms: terms{desired: 3, onDelete: true}, old: []setCount{s("a", 2, 2, 2)}}, sets{"": 1}},
		"on delete, a scale down takes old ones": {rollout{terms: terms{desired: 2, onDelete: true}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 2, 2, 2)}}, sets{"a": 1}},
		"paused, one set":                        {rollout{terms: terms{desired: 5, maxSurge: 1, paused: true}, old: []setCount{s("a", 3, 3, 3)}}, sets{"a": 5}},
		"paused, as it should be":                {rollout{terms: terms{desired: 3, maxSurge: 1, paused: true}, fresh: s("new", 1, 1, 1), old: []setCount{s("a", 3, 3, 3)}}, sets{}},
		"paused, more of the largest":            {rollout{terms: terms{desired: 10, maxSurge: 2, paused: true}, fresh: s("new", 2, 2, 2), old: []setCount{s("a", 4, 4, 4)}}, sets{"a": 10}},
		"paused, less of the largest":            {rollout{terms: terms{desired: 2, maxSurge: 1, paused: true}, fresh: s("new", 2, 2, 1), old: []setCount{s("a", 4, 4, 4)}}, sets{"a": 1}},
		"paused, more of the newest":             {rollout{terms: terms{desired: 5, maxSurge: 1, paused: true}, fresh: s("new", 2, 2, 2), old: []setCount{s("a", 2, 2, 2)}}, sets{"new": 4}},
		"paused, less of the oldest":             {rollout{terms: terms{desired: 2, maxSurge: 1, paused: true}, fresh: s("new", 2, 2, 1), old: []setCount{s("a", 2, 2, 2)}}, sets{"a": 1}},
		"paused, on delete":                      {rollout{terms: terms{desired: 2, onDelete: true, paused: true}, fresh: s("new", 2, 2, 2), old: []setCount{s("a", 4, 4, 4)}}, sets{"a": 0}},
		"paused, on delete, not there":           {rollout{terms: terms{desired: 3, onDelete: true, paused: true}, fresh: s("new", 2, 2, 2), old: []setCount{s("a", 4, 4, 4)}}, sets{}},
		"paused, from nothing":                   {rollout{terms: terms{desired: 2, maxSurge: 1, paused: true}, old: []setCount{s("a", 0, 0, 0), s("b", 0, 0, 0)}}, sets{"b": 2}},
		"paused, all new ones there":             {rollout{terms: terms{desired: 3, maxSurge: 1, paused: true}, fresh: s("new", 3, 3, 3), old: []setCount{s("a", 1, 1, 1)}}, sets{"a": 0}},
		"paused, to nothing":                     {rollout{terms: terms{paused: true}, fresh: s("new", 2, 2, 2), old: []setCount{s("a", 1, 1, 1)}}, sets{"new": 0, "a": 0}},
	} {
		if got := c.plan(); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestARolloutKeepsItsPromises plays rollouts with machines that come, fail and go
// in any order: there is never one more than the surge allows, and as long as no
// machine fails by itself there are never fewer available than promised.
func TestARolloutKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		plan := rollout{terms: terms{desired: 1 + r.Int64N(8), maxSurge: r.Int64N(4), maxUnavailable: r.Int64N(4)}}
		if plan.maxSurge == 0 && plan.maxUnavailable == 0 {
			plan.maxSurge = 1
		}
		plan.maxUnavailable = min(plan.maxUnavailable, plan.desired)
		plan.fresh = setCount{name: "new"}
		left := plan.desired
		for i := range 1 + r.IntN(3) {
			n := r.Int64N(left + 1)
			plan.old = append(plan.old, setCount{name: fmt.Sprint("old", i), wanted: n, total: n, available: n})
			left -= n
		}
		plan.old[0].wanted += left
		plan.old[0].total, plan.old[0].available = plan.old[0].wanted, plan.old[0].wanted
		for step := 0; ; step++ {
			if plan.fresh.available == plan.desired && sum(plan.old, total) == 0 {
				break
			}
			if step > 1000 {
				t.Fatalf("seed %d does not end: %+v", seed, plan)
			}
			for name, n := range plan.plan() {
				for i := range plan.old {
					if plan.old[i].name == name {
						plan.old[i].wanted = n
					}
				}
				if plan.fresh.name == name {
					plan.fresh.wanted = n
				}
			}
			for i := range plan.old {
				settle(r, &plan.old[i])
			}
			settle(r, &plan.fresh)
			if n := sum(plan.all(), total); n > plan.desired+plan.maxSurge {
				t.Fatalf("seed %d, step %d: %d machines with %d replicas and a surge of %d", seed, step, n, plan.desired, plan.maxSurge)
			}
			if n := sum(plan.all(), available); n < plan.desired-plan.maxUnavailable {
				t.Fatalf("seed %d, step %d: %d available with %d replicas of which %d may be missing", seed, step, n, plan.desired, plan.maxUnavailable)
			}
		}
	}
}

// settle lets some of what a set asks for happen. Who goes is not available any
// more before it is gone.
func settle(r *rand.Rand, s *setCount) {
	if s.total < s.wanted && r.IntN(2) == 0 {
		s.total++
	}
	if s.available > s.wanted && r.IntN(2) == 0 {
		s.available--
	}
	if s.total > s.wanted && s.available <= s.wanted && r.IntN(2) == 0 {
		s.total--
		s.available = min(s.available, s.total)
	}
	if s.available < min(s.total, s.wanted) && r.IntN(2) == 0 {
		s.available++
	}
}
