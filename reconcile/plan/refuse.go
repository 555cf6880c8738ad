package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
	rules "github.com/vksync/vksync/reconcile/topology"
)

// refuse notes what the API would refuse of a change, or of a creation, with the
// words of its webhooks and what to do instead, and marks the changes that it is
// about. Live has no content for a creation.
func (m *maker) refuse(want, live resource.Object, changes []Change) {
	refusals := m.refusals(want, live, changes)
	m.said[want.Addr()] = refusals
	for _, r := range refusals {
		hint := m.instead(r, want, live)
		m.find(Fail, codeOf(r), want, hint, "%s", wouldRefuse(r))
		for i, c := range changes {
			if live.Unstructured != nil && m.isAbout(r, c.Path, want) {
				changes[i].Effect, changes[i].Affects = Forbidden, r.Detail
			}
		}
	}
}

// refusals are what the API would answer. What another check says better is not
// among them, nor is anything that the API's own answer to a dry run contradicts.
func (m *maker) refusals(want, live resource.Object, changes []Change) []rules.Refusal {
	if t := topologyOf(want); t.root != nil && t.class() == "" {
		return nil // which the schema refuses
	}
	new := m.asAdmitted(want, live, changes)
	var old map[string]any
	if live.Unstructured != nil {
		old = content(live)
	}
	var out []rules.Refusal
	if _, accepted := m.observed.Predicted[want.Addr()]; !accepted {
		out = slices.DeleteFunc(m.around(live).Refuse(old, new), func(r rules.Refusal) bool {
			return r.Path == "spec.topology.class" && strings.Contains(r.Message, "not found")
		})
	}
	if !slices.ContainsFunc(out, func(r rules.Refusal) bool { return r.Path == controlPlaneReplicas }) {
		out = append(out, m.controlPlaneRefuses(live, new)...)
	}
	return out
}

const controlPlaneReplicas = "spec.topology.controlPlane.replicas"

// controlPlaneRefuses is what the topology controller would be answered when it
// carries a change over to the KubeadmControlPlane: the change is stored then, and
// nothing comes of it.
func (m *maker) controlPlaneRefuses(live resource.Object, new map[string]any) []rules.Refusal {
	was := m.partsOf(live).controlPlane
	spec := map[string]any{}
	for key, value := range resource.Fields(was, "spec") {
		spec[key] = value
	}
	size := resource.Field(new, "spec", "topology", "controlPlane", "replicas")
	if size == nil {
		size = int64(1)
	}
	spec["replicas"], spec["version"] = size, resource.Text(new, "spec", "topology", "version")
	var out []rules.Refusal
	for _, r := range rules.RefuseControlPlane(nil, map[string]any{"spec": spec}) {
		if strings.HasPrefix(r.Path, "spec.replicas") || strings.HasPrefix(r.Path, "spec.rollout") {
			out = append(out, rules.Refusal{
				Webhook: r.Webhook, Path: controlPlaneReplicas, Detail: r.Detail,
				Message: "the topology controller cannot change the KubeadmControlPlane: " + r.Message,
			})
		}
	}
	return out
}

// asAdmitted is the content of a Cluster once it is applied, as the mutating
// webhooks leave it to those that refuse: what others have written into the live one
// stays in it.
func (m *maker) asAdmitted(want, live resource.Object, changes []Change) map[string]any {
	if predicted, asked := m.observed.Predicted[want.Addr()]; asked {
		return content(predicted)
	}
	out := content(want)
	spec := overlaid(map[string]any{}, resource.Fields(out, "spec"))
	out["spec"] = spec
	asked := topologyOf(want)
	t := overlaid(map[string]any{}, asked.root)
	if asked.root != nil {
		spec["topology"] = t
		t["version"] = m.resolved(asked, live)
	}
	if live.Unstructured == nil {
		return out
	}
	was := topologyOf(live)
	for _, ref := range []string{"infrastructureRef", "controlPlaneRef"} {
		if r := was.spec[ref]; r != nil && spec[ref] == nil {
			spec[ref] = r
		}
	}
	network := overlaid(resource.Fields(was.spec, "clusterNetwork"), resource.Fields(spec, "clusterNetwork"))
	for _, c := range changes {
		if rest, below := strings.CutPrefix(c.Path, "spec.clusterNetwork."); below && c.New == nil {
			network = without(network, strings.Split(rest, "."))
		}
	}
	spec["clusterNetwork"] = network
	if rebased(asked.class(), was.class()) {
		t["classRef"] = was.root["classRef"]
	}
	return out
}

// content is an object as canonical shows it, with the rest that webhooks look at.
func content(o resource.Object) map[string]any {
	out := canonical(o)
	metadata := resource.Fields(out, "metadata")
	metadata["name"], metadata["namespace"] = o.GetName(), o.GetNamespace()
	out["status"] = o.Object["status"]
	return out
}

// overlaid is a copy of content with another's maps laid over it.
func overlaid(under, over map[string]any) map[string]any {
	out := make(map[string]any, len(under)+len(over))
	for key, v := range under {
		out[key] = v
	}
	for key, v := range over {
		if below, isMap := v.(map[string]any); isMap {
			if was, there := out[key].(map[string]any); there {
				v = overlaid(was, below)
			}
		}
		out[key] = v
	}
	return out
}

// without is a copy of content that lacks what is at a path.
func without(of map[string]any, path []string) map[string]any {
	out := overlaid(nil, of)
	if len(path) == 1 {
		delete(out, path[0])
	} else if below := resource.Fields(out, path[0]); below != nil {
		out[path[0]] = without(below, path[1:])
	}
	return out
}

// isAbout says whether a refusal is about the field of a change. Where it is about a
// list, or a part, it is about all that is in it.
func (m *maker) isAbout(r rules.Refusal, changed string, want resource.Object) bool {
	p := r.Path
	switch {
	case p == "spec.topology.class", strings.HasPrefix(p, "spec.infrastructure."), strings.HasPrefix(p, "spec.controlPlane."), strings.HasPrefix(p, "spec.workers."):
		p = "spec.topology.classRef" // of the class, and by the change of it
	case strings.HasPrefix(p, "metadata.annotations."):
		p = "metadata.annotations[" + strings.TrimPrefix(p, "metadata.annotations.") + "]"
	}
	const pools = "spec.topology.workers.machineDeployments["
	if rest, below := strings.CutPrefix(p, pools); below { // by number in some answers
		number, field, _ := strings.Cut(rest, "]")
		items := resource.Items(topologyOf(want).root, "workers", "machineDeployments")
		if i, err := strconv.Atoi(number); err == nil && i < len(items) {
			p = pools + resource.Text(items[i], "name") + "]" + field
		}
	}
	return under(changed, p) || under(p, changed)
}

// codeOf is the check that a refusal belongs to.
func codeOf(r rules.Refusal) string {
	if r.Path == "spec.topology.version" {
		return CodeVersion
	}
	return CodeImmutable
}

func wouldRefuse(r rules.Refusal) string {
	text := "the API server would refuse it: " + resource.Redact(r.Message)
	if r.Webhook != "" {
		text += " (" + r.Webhook + ")"
	}
	return text
}
