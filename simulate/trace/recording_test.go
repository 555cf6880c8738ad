package trace

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMalformedRecordingsAreToldByLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "rec: there is no line in it",
		"{":                                      "rec:1: ",
		"\n[]":                                   "rec:2: ",
		`{"verb":"ADDED","kind":"A","name":"b"}`: "rec:1: t_ms is missing",
		`{"t_ms":1,"verb":"GONE"}`:               `rec:1: verb is "GONE", want ADDED, MODIFIED, DELETED or MARK`,
		`{"t_ms":1,"verb":"MARK"}`:               "rec:1: a MARK has no mark",
		`{"t_ms":1,"verb":"ADDED","kind":"A"}`:   "rec:1: kind or name is missing",
		`{"t_ms":1,"verb":"ADDED","kind":"A","name":"b","conditions":{"Ready":"Yes/Really|"}}`:         `rec:1: condition Ready: "Yes" is no status`,
		`{"t_ms":1,"verb":"ADDED","kind":"A","name":"b","labels":["x"]}`:                               "rec:1: labels: ",
		`{"t_ms":1,"verb":"ADDED","kind":"A","name":"b","deleting":7}`:                                 "rec:1: deleting is 7, want a time",
		"{\"t_ms\":5,\"verb\":\"MARK\",\"mark\":\"a\"}\n{\"t_ms\":4,\"verb\":\"MARK\",\"mark\":\"b\"}": "rec:2: t_ms 4 is before that of the line above, 5",
		"{\"t_ms\":5,\"verb\":\"X\"}\n{\"t_ms\":6,\"verb\":\"Y\"}":                                     "rec:2: verb",
	} {
		if _, err := Decode("rec", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %q", text, err, want)
		}
	}
}

func TestConditionsOfARecording(t *testing.T) {
	r, err := Decode("rec", []byte(`{"t_ms":1,"verb":"MODIFIED","kind":"A","name":"b","finalizers":null,"conditions":{"A":"False/NotReady -> True/Ready|it -> is","B":"removed","C":"True/<nil>","D":"Unknown/X|a -> b|c","E":null,"F":"True/A -> removed|"}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Changes[0]
	for kind, want := range map[string]string{"A": "True/Ready", "B": "", "C": "True/", "D": "Unknown/X", "E": "", "F": ""} {
		if got, there := c.Conditions[kind]; got != want || !there {
			t.Errorf("condition %s is %q, want %q", kind, got, want)
		}
	}
	if c.Finalizers == nil || len(*c.Finalizers) != 0 || c.Labels != nil || c.Owners != nil {
		t.Errorf("finalizers are %v, labels %v, owners %v; want none, and two not changed", c.Finalizers, c.Labels, c.Owners)
	}
}

func TestMalformedStepsAreToldByLine(t *testing.T) {
	const step = "steps:\n- mark: m\n  "
	for text, want := range map[string]string{
		"steps: []": "s:1: there are no steps",
		"world: {network: x}\n" + step + "delete: true":                 `s:1: world has no "network", only controlPlaneEndpoint, missingImages,`,
		"world: {networkProvider: x}\n" + step + "delete: true":         "s:1: networkProvider is \"x\", want plain",
		"world: {zones: none}\n" + step + "delete: true":                "s:1: zones is \"none\"",
		"world: {controlPlaneEndpoint: some}\n" + step + "delete: true": "s:1: controlPlaneEndpoint is \"some\"",
		"cluster: c\n" + step + "destroy: true":                         `s:4: a step has no "destroy", only annotate, apply, delete, jsonpatch, label, mark, note, object, patch`,
		"cluster: c\n" + step + "delete: no":                            "s:4: delete is true, or",
		"cluster: c\n" + step + "delete: {kin: x}":                      `s:4: object has no "kin", only apiVersion, group, kind, name, namespace`,
		"cluster: c\nsteps:\n- mark: m":                                 `step "m" asks for nothing`,
		"cluster: c\nsteps:\n- delete: true":                            "a step has no mark",
		step + "delete: true":                                           `step "m" says neither which object nor`,
		"ignore: [everything]\ncluster: c\n" + step + "delete: true":    `s:1: ignore is "everything", want GROUP/*`,
		"cluster: c\n" + step + "apply: {kind: Cluster}":                "s:4: apply takes an object with apiVersion",
		"cluster: c\n" + step + "jsonpatch: {op: add}":                  "s:3: jsonpatch takes a list",
		"cluster: c\n" + step + "patch: [1]":                            "s:3: patch takes",
		"cluster: c\n" + step + "annotate: x":                           "s:3: annotate takes keys with values",
		"a: [":                                                          "s: ",
		"- a":                                                           "s:1: a steps file is a mapping",
		"x: 1":                                                          `s:1: a steps file has no "x"`,
		"":                                                              "s: ",
	} {
		if _, err := DecodeScript("s", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %q", text, err, want)
		}
	}
}

func TestStepsThatDoNotWait(t *testing.T) {
	script, err := DecodeScript("s", []byte("cluster: c\nsteps: [{mark: a, delete: true}, {mark: b, delete: Machine/x}, {mark: b, delete: {kind: Machine, name: y}}]"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Recording{}
	for _, mark := range []string{"0 other", "10 a", "25 b", "30 note", "40 settled c", "70 b", "80 gone"} {
		at, text, _ := strings.Cut(mark, " ")
		ms, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.Changes = append(r.Changes, Change{T: ms, Verb: Mark, Mark: text})
	}
	for i, want := range []struct {
		wait time.Duration
		cut  bool
	}{{15 * time.Millisecond, true}, {45 * time.Millisecond, false}, {0, false}} {
		if wait, cut := r.Overlap(script, i); wait != want.wait || cut != want.cut {
			t.Errorf("step %d: %v %v, want %v %v", i, wait, cut, want.wait, want.cut)
		}
	}
	if parts := split(t, r, script); len(parts) != 3 || parts[0].Settled || !parts[1].Settled {
		t.Errorf("the parts are %v", parts)
	}
	if id := script.Steps[1].Asks[0].Object; id != (ID{Group: "cluster.x-k8s.io", Kind: "Machine", Name: "x"}) {
		t.Errorf("the second step is about %v", id)
	}
}

func TestIgnored(t *testing.T) {
	s, err := DecodeScript("s", []byte(`
cluster: c
ignore:
  - vcsim.example/*
  - v1/Secret one, two-*
  - cluster.x-k8s.io/MachinePool
  - the ClusterClass qs and its five templates (prose)
  - label one/two
steps: [{mark: m, delete: true}]
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.withoutIgnored(map[string]string{"one/two": "x", "one/three": "y"}); len(got) != 1 || got["one/three"] != "y" {
		t.Errorf("the labels that count are %v", got)
	}
	for _, c := range []struct {
		id         ID
		hasCluster bool
		want       bool
	}{
		{ID{Group: "vcsim.example", Kind: "X"}, true, true},
		{ID{Kind: "Secret", Name: "one"}, false, true},
		{ID{Kind: "Secret", Name: "two-3"}, false, true},
		{ID{Kind: "Secret", Name: "three"}, false, false},
		{ID{Group: "cluster.x-k8s.io", Kind: "MachinePool", Name: "p"}, true, true},
		{ID{Group: "cluster.x-k8s.io", Kind: "ClusterClass"}, false, true},
		{ID{Group: "g", Kind: "VSphereMachineTemplate"}, false, true},
		{ID{Group: "g", Kind: "VSphereMachineTemplate"}, true, false},
		{ID{Kind: "Event"}, true, true},
		{ID{Group: "cluster.x-k8s.io", Kind: "Machine"}, true, false},
	} {
		if got := s.ignored(c.id, c.hasCluster); got != c.want {
			t.Errorf("%v with a cluster %v: ignored is %v, want %v", c.id, c.hasCluster, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	n := NamesOf([]Change{
		{ID: ID{Kind: "Cluster", Name: "bcdfg"}},
		{ID: ID{Kind: "Cluster", Name: "prod"}, Labels: &map[string]string{"topology.cluster.x-k8s.io/deployment-name": "md-0"}},
	})
	for name, want := range map[string]string{
		"prod":                             "prod",
		"prod-xkb7q-2m9dw":                 "prod-~-~",
		"prod-md-0-xkb7q-2m9dw-zzzzz":      "prod-md-0-~-~-~",
		"prod-md-0-xkb7q-2m9dw-zzzzz-eth0": "prod-md-0-~-~-~-eth0",
		"bcdfg-xkb7q":                      "bcdfg-~",
		"prod-kubeconfig":                  "prod-kubeconfig",
		"other-tests":                      "other-tests",
		"":                                 "", "-": "-", "--": "--",
	} {
		if got := n.Of(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestCollapse(t *testing.T) {
	for from, want := range map[string]string{
		"":                "",
		"a":               "a",
		"a a":             "a",
		"a b a b":         "a b",
		"a b a b c":       "a b c",
		"a b a":           "a b a",
		"a b b a b b a c": "a b a c",
		"a b c a b c a b": "a b c a b",
	} {
		if got := strings.Join(collapse(strings.Fields(from)), " "); got != want {
			t.Errorf("%q becomes %q, want %q", from, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"t_ms":1,"verb":"ADDED","apiVersion":"a/v1","kind":"A","name":"b","ownerRefs":["C/d*!"],"labels":{"x":"y"},"conditions":{"R":"False/N -> True/R|m"}}`))
	f.Add([]byte(`{"t_ms":1,"verb":"MARK","mark":"m"}` + "\n" + `{"t_ms":2,"verb":"DELETED","kind":"Machine","name":"x-bcdfg"}`))
	f.Add([]byte(`{"t_ms":1,"verb":"MODIFIED","kind":"A","name":"-","annotations":["","=null","a=b"],"finalizers":null,"deleting":"x"}`))
	script, err := DecodeScript("s", []byte("cluster: c\nsteps: [{mark: m, delete: true}]"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Decode("rec", text)
		if err != nil {
			return
		}
		names := NamesOf(r.Changes)
		parts, err := Split(r, script, names)
		if err != nil {
			return
		}
		for _, d := range Compare(parts, parts) {
			if len(d) > 0 {
				t.Errorf("it differs from itself: %v", d)
			}
		}
		PacesOf(r)
	})
}

func FuzzDecodeScript(f *testing.F) {
	f.Add([]byte("world: {zones: 2}\nignore: [a/b]\ncluster: c\nsteps: [{mark: m, jsonpatch: [{op: add}], object: {kind: Machine, name: x}}]"))
	f.Add([]byte("steps:\n- {mark: m, apply: [{apiVersion: v1, kind: Secret}], delete: Machine/x}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := DecodeScript("s", text); err == nil {
			s.Versions()
			s.Classes()
			s.Namespaces()
		}
	})
}

func TestTheWorldOfAScriptMayBeNamedInSeveralWays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Setting{
		"{}": {NetworkProvider: "nsx-vpc", Zones: 1},
		"{networkProvider: NSX-VPC, controlPlaneEndpoint: VirtualMachineService, zones: 2}": {NetworkProvider: "nsx-vpc", Zones: 2},
		"{networkProvider: vsphere_network, controlPlaneEndpoint: loadBalancer}":            {NetworkProvider: "vds", Zones: 1},
		"{networkProvider: plain, controlPlaneEndpoint: given, zones: [a, b, c]}":           {NetworkProvider: "plain", EndpointGiven: true, Zones: 3},
	} {
		script, err := DecodeScript("s", []byte("world: "+text+"\ncluster: s1\nsteps: [{mark: m, delete: true}]"))
		if err != nil || !reflect.DeepEqual(script.World, want) {
			t.Errorf("%s: %+v, %v; want %+v", text, script.World, err, want)
		}
	}
}
