package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Difference is why a saved plan does not hold any more.
type Difference struct {
	// Addr is what it is about; zero where that is the plan as a whole.
	Addr resource.Addr
	Text string
}

// String is the difference on one line.
func (d Difference) String() string {
	if d.Addr == (resource.Addr{}) {
		return d.Text
	}
	return d.Addr.String() + ": " + d.Text
}

// Compare lists what has changed since a plan was saved, by address; nothing when
// now, which is made of the same manifests under the same policy, is the same plan
// of the same facts. It says which part of a resource changed and never its value.
func Compare(saved *Saved, now *Plan) ([]Difference, error) {
	if got := contentSum(saved.Key, now.Desired); got != saved.Content {
		return []Difference{{Text: "the manifests have changed since the plan was made"}}, nil
	}
	again, err := now.Save(saved.Key, saved.From)
	if err != nil {
		return nil, err
	}
	out := compareFacts(saved.Facts, again.Facts)
	if len(out) > 0 {
		return out, nil
	}
	return comparePlans(saved.Plan, again.Plan)
}

// compareFacts tells a resource that came, went or was replaced once, and not by
// each of its aspects.
func compareFacts(before, after []Fact) []Difference {
	was, is := index(before), index(after)
	var out []Difference
	for _, addr := range addresses(before, after) {
		if text := identity(was[addr], is[addr]); text != "" {
			out = append(out, Difference{addr, text})
			continue
		}
		aspects := map[string]bool{}
		for _, sums := range []map[string]string{was[addr], is[addr]} {
			for aspect := range sums {
				aspects[aspect] = true
			}
		}
		for _, aspect := range sortedKeys(aspects) {
			if was[addr][aspect] != is[addr][aspect] {
				out = append(out, Difference{addr, aspect + " changed since the plan was made"})
			}
		}
	}
	return out
}

// identity says how a resource became another; empty when it did not.
func identity(was, is map[string]string) string {
	switch {
	case was[aspectIdentity] == is[aspectIdentity]:
		return ""
	case is == nil:
		return "it is not owned any more, or not there, since the plan was made"
	case was == nil:
		return "it was not part of the plan when that was made"
	case len(was) == 1:
		return "it was made since the plan was made"
	case len(is) == 1:
		return "it was deleted since the plan was made"
	}
	return "it was made anew, or its deletion began, since the plan was made"
}

func index(facts []Fact) map[resource.Addr]map[string]string {
	out := map[resource.Addr]map[string]string{}
	for _, f := range facts {
		if out[f.Addr] == nil {
			out[f.Addr] = map[string]string{}
		}
		out[f.Addr][f.Aspect] = f.Sum
	}
	return out
}

func addresses(lists ...[]Fact) []resource.Addr {
	var out []resource.Addr
	for _, f := range slices.Concat(lists...) {
		out = append(out, f.Addr)
	}
	slices.SortFunc(out, resource.Addr.Compare)
	return slices.Compact(out)
}

// comparePlans catches what is in no fact: what the API server answers to a dry
// run, and checks that fail now.
func comparePlans(before, after json.RawMessage) ([]Difference, error) {
	var was, is struct {
		Phases   []Group   `json:"phases"`
		Findings []Finding `json:"findings"`
	}
	for _, part := range []struct {
		text json.RawMessage
		into any
	}{{before, &was}, {after, &is}} {
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return nil, fmt.Errorf("comparing plans: %w", err)
		}
	}
	var out []Difference
	for _, f := range is.Findings {
		known := func(other Finding) bool {
			return other.Severity == Fail && other.Code == f.Code && other.Addr == f.Addr && other.Message == f.Message
		}
		if f.Severity == Fail && !slices.ContainsFunc(was.Findings, known) {
			out = append(out, Difference{f.Addr, "a check fails that did not when the plan was made: " + f.Message})
		}
	}
	same, err := sameActions(was.Phases, is.Phases)
	if len(out) == 0 && !same {
		out = append(out, Difference{Text: "the API server's answer to what would be done has changed since the plan was made"})
	}
	return out, err
}

// sameActions compares what is done, wherever it is written, and whichever machines
// there are meanwhile: those come and go by themselves.
func sameActions(a, b []Group) (bool, error) {
	var texts [2]string
	for i, phases := range [][]Group{a, b} {
		for _, p := range phases {
			for j := range p.Actions {
				a := &p.Actions[j]
				a.Pos, a.Parts, a.Peak = resource.Position{}, nil, nil
			}
		}
		text, err := json.Marshal(phases)
		if err != nil {
			return false, fmt.Errorf("comparing plans: %w", err)
		}
		texts[i] = string(text)
	}
	return texts[0] == texts[1], nil
}
