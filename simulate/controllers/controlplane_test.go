package controllers

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestVersionsAreOrderedByNumber(t *testing.T) {
	t.Parallel()
	want := []string{"v1.9.9", "v1.33.6+vmware.1-vkr.2", "v1.33.6+vmware.1-vkr.10", "v1.33.10+vmware.1", "v1.034.1", "v1.35.0", "v1.35.0+vmware.2-vkr.1", "v2"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareVersions)
	if !slices.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}
	if compareVersions("v1.07", "v1.7") != 0 {
		t.Error("zeros in front make a difference")
	}
}

type fields = map[string]any

// What the bootstrap controller fills in, and what only the other kind of machine
// needs, does not make a configuration outdated.
func TestBootstrapMatchesWhatItWasMadeFrom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		has, wanted fields
		matches     bool
	}{
		"nothing said":                      {fields{"initConfiguration": fields{}}, fields{}, true},
		"the same":                          {fields{"format": "cloud-config", "joinConfiguration": fields{}}, fields{"format": "cloud-config"}, true},
		"another file":                      {fields{"joinConfiguration": fields{}}, fields{"files": []any{fields{"path": "/x"}}}, false},
		"a file less":                       {fields{"joinConfiguration": fields{}, "files": []any{fields{"path": "/x"}}}, fields{}, false},
		"discovery was filled in":           {fields{"joinConfiguration": fields{"discovery": fields{"bootstrapToken": fields{}}}}, fields{}, true},
		"the endpoint was filled in":        {fields{"initConfiguration": fields{}, "clusterConfiguration": fields{"controlPlaneEndpoint": "x:6443"}}, fields{}, true},
		"the first machine's configuration": {fields{"joinConfiguration": fields{}}, fields{"initConfiguration": fields{"skipPhases": []any{"x"}}}, true},
		"as the others are to be":           {fields{"initConfiguration": fields{}}, fields{"initConfiguration": fields{"skipPhases": []any{"x"}}}, true},
		"as first machines are to be":       {fields{"initConfiguration": fields{}}, fields{"joinConfiguration": fields{"skipPhases": []any{"x"}}}, true},
		"as neither is to be": {fields{"initConfiguration": fields{"skipPhases": []any{"y"}}}, fields{
			"initConfiguration": fields{"skipPhases": []any{"x"}}, "joinConfiguration": fields{"skipPhases": []any{"x"}},
		}, false},
		"a path that only who joins has": {fields{"initConfiguration": fields{}}, fields{
			"initConfiguration": fields{"skipPhases": []any{"x"}}, "joinConfiguration": fields{"caCertPath": "/ca"},
		}, true},
		"other name servers":               {fields{"joinConfiguration": fields{}}, fields{"clusterConfiguration": fields{"dns": fields{"imageTag": "v1"}}}, true},
		"another patience":                 {fields{"joinConfiguration": fields{}}, fields{"joinConfiguration": fields{"timeouts": fields{"controlPlaneComponentHealthCheckSeconds": int64(9)}}}, true},
		"no taints at all":                 {fields{"joinConfiguration": fields{}}, fields{"joinConfiguration": fields{"nodeRegistration": fields{"taints": []any{}}}}, false},
		"that of a joined machine differs": {fields{"joinConfiguration": fields{"nodeRegistration": fields{}}}, fields{"joinConfiguration": fields{"nodeRegistration": fields{"name": "x"}}}, false},
		"nothing said of etcd":             {fields{"joinConfiguration": fields{}}, fields{"clusterConfiguration": fields{"etcd": fields{}}}, true},
		"etcd's arguments differ":          {fields{"joinConfiguration": fields{}}, fields{"clusterConfiguration": fields{"etcd": fields{"local": fields{"imageTag": "x"}}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &unstructured.Unstructured{Object: fields{"spec": c.has}}
			if got := bootstrapMatches(config, c.wanted); got != c.matches {
				t.Errorf("%v and %v match: %t, want %t", c.has, c.wanted, got, c.matches)
			}
		})
	}
}

func TestQuorumIsMoreThanHalfOfTheVoters(t *testing.T) {
	t.Parallel()
	up, down, learner := EtcdMember{Healthy: true}, EtcdMember{}, EtcdMember{Learner: true}
	for _, c := range []struct {
		members []EtcdMember
		want    bool
	}{
		{nil, true},
		{[]EtcdMember{up}, true},
		{[]EtcdMember{down}, false},
		{[]EtcdMember{up, down}, false},
		{[]EtcdMember{up, learner}, true},
		{[]EtcdMember{up, up, down}, true},
		{[]EtcdMember{up, up, down, down}, false},
		{[]EtcdMember{up, up, up, down, down}, true},
	} {
		if got := HasQuorum(c.members); got != c.want {
			t.Errorf("%+v have quorum: %t, want %t", c.members, got, c.want)
		}
	}
}

// machineIn is a Machine in a failure domain.
func machineIn(name, domain string, annotations fields, conditions ...any) *replica {
	return &replica{view: viewOf(fields{
		"metadata": fields{"name": name, "annotations": annotations},
		"spec":     fields{"failureDomain": domain},
		"status":   fields{"conditions": conditions},
	}, nil)}
}

// Machines are sorted by age, a the oldest.
func TestWhichControlPlaneMachineGoesFirst(t *testing.T) {
	t.Parallel()
	marked := fields{annotationDeleteMachine: ""}
	ill := fields{"type": "SchedulerPodHealthy", "status": "False"}
	unseen := fields{"type": "SchedulerPodHealthy", "status": "Unknown"}
	cluster := &unstructured.Unstructured{Object: fields{"status": fields{"failureDomains": []any{
		fields{"name": "z1", "controlPlane": true}, fields{"name": "z2", "controlPlane": true}, fields{"name": "z3"},
	}}}}
	for name, c := range map[string]struct {
		machines []*replica
		outdated []string
		want     string
	}{
		"the oldest":                        {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z2", nil)}, nil, "a"},
		"in the domain with most":           {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z2", nil), machineIn("c", "z2", nil)}, nil, "b"},
		"one that is marked":                {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z2", nil), machineIn("c", "z2", marked)}, nil, "c"},
		"an outdated one":                   {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z1", nil), machineIn("c", "z2", nil)}, []string{"c"}, "c"},
		"the oldest, though another is ill": {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z1", nil, ill)}, nil, "a"},
		"an ill one of the outdated":        {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z1", nil, ill)}, []string{"a", "b"}, "b"},
		"of which one is not known to be":   {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z1", nil, unseen)}, []string{"a", "b"}, "a"},
		"marked before outdated":            {[]*replica{machineIn("a", "z1", marked), machineIn("b", "z2", nil)}, []string{"b"}, "a"},
		"in a domain that is not one (any)": {[]*replica{machineIn("a", "z1", nil), machineIn("b", "z1", nil), machineIn("c", "z3", nil)}, nil, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &controlPlane{cluster: cluster, machines: c.machines}
			outdated := which(c.machines, func(r *replica) bool { return slices.Contains(c.outdated, r.name) })
			if got := (&Manager{}).controlPlaneVictim(p, outdated).name; got != c.want {
				t.Errorf("%s goes, want %s", got, c.want)
			}
		})
	}
}

// What is False counts of every machine; what is unknown does not, of one that has no
// VM yet.
func TestHealthIsSummedUpOverMachines(t *testing.T) {
	t.Parallel()
	gate := func(status string) any { return fields{"type": conditionEtcdMember, "status": status} }
	machine := func(id, status string) *replica {
		return &replica{view: viewOf(fields{"spec": fields{"providerID": id}, "status": fields{"conditions": []any{gate(status)}}}, nil)}
	}
	for name, c := range map[string]struct {
		machines []*replica
		want     string
	}{
		"no machines":                    {nil, "Unknown/HealthUnknown"},
		"one that is healthy":            {[]*replica{machine("x", "True")}, "True/Healthy"},
		"one that begins":                {[]*replica{machine("x", "True"), machine("", "Unknown")}, "True/Healthy"},
		"one that is not known":          {[]*replica{machine("x", "True"), machine("y", "Unknown")}, "Unknown/HealthUnknown"},
		"one that goes before it has VM": {[]*replica{machine("x", "True"), machine("", "False")}, "False/NotHealthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &unstructured.Unstructured{Object: fields{}}
			p := &controlPlane{d: edit(u, time.Time{}), machines: c.machines, inspected: true}
			p.summarizeHealth("EtcdClusterHealthy", []string{conditionEtcdMember})
			if got := p.d.conditionOf("EtcdClusterHealthy"); got.Status+"/"+got.Reason != c.want {
				t.Errorf("it is %s/%s, want %s", got.Status, got.Reason, c.want)
			}
		})
	}
}
