package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/schema"
)

// AnnotationApprove on a source's ConfigMap holds the digest of the plan that an
// operator approves.
const AnnotationApprove = "vksync.dev/approve"

// maxPlanText is how much of a plan's text the ConfigMap gets; etcd takes 1 MiB.
const maxPlanText = 256 << 10

// A ledger is what a loop has to know after a restart, in a ConfigMap called
// vksync-SOURCE on the Supervisor. Nothing else is state: what is to be done is
// always computed anew.
type ledger struct {
	engine    *Engine
	namespace string
	source    string
	approves  bool // whether an approval lets a plan run

	// settled is the last revision of which nothing was left to do: what differs
	// from it was changed by others.
	settled string
	// granted are the actions that were approved for the revision grantedFor.
	granted    []string
	grantedFor string
	// wrote is what was last written, to write only what changes.
	wrote map[string]any
}

func newLedger(e *Engine, namespace, source, mode string) *ledger {
	return &ledger{engine: e, namespace: namespace, source: source, approves: mode == schema.ModeApproval}
}

func (l *ledger) addr() resource.Addr { return ledgerAddr(l.namespace, l.source) }

func ledgerAddr(namespace, source string) resource.Addr {
	return resource.Addr{Kind: "ConfigMap", Namespace: namespace, Name: "vksync-" + source}
}

// command approves a plan, for people to copy.
func (l *ledger) command(digest string) string {
	return fmt.Sprintf("kubectl annotate --overwrite -n %s configmap/%s %s=%s", l.namespace, l.addr().Name, AnnotationApprove, digest)
}

// get is the ConfigMap; nil when there is none.
func (l *ledger) get(ctx context.Context) (map[string]any, error) {
	o, err := l.engine.kube.Get(ctx, l.addr())
	switch {
	case supervisor.ClassOf(err) == supervisor.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return o.Object, nil
}

// read takes up what an earlier process has written.
func (l *ledger) read(ctx context.Context) error {
	content, err := l.get(ctx)
	if err != nil {
		return err
	}
	l.settled = resource.Text(content, "data", "revision")
	l.grantedFor = resource.Text(content, "data", "approvedRevision")
	l.granted = strings.Split(resource.Text(content, "data", "approved"), "\n")
	return nil
}

// approval is the digest that an operator has approved, or empty.
func (l *ledger) approval(ctx context.Context) (string, error) {
	content, err := l.get(ctx)
	return resource.Text(content, "metadata", "annotations", AnnotationApprove), err
}

// grant notes that what a plan does was approved.
func (l *ledger) grant(p *plan.Plan, revision string) {
	l.granted, l.grantedFor = deeds(p), revision
}

// grants says whether all that a plan does was approved for its revision.
func (l *ledger) grants(p *plan.Plan, revision string) bool {
	return l.grantedFor == revision && !slices.ContainsFunc(deeds(p), func(d string) bool { return !slices.Contains(l.granted, d) })
}

// settle notes that a revision is done, which uses up its approval.
func (l *ledger) settle(revision string) {
	l.settled, l.granted, l.grantedFor = revision, nil, ""
}

// deeds are what a plan does, a line each.
func deeds(p *plan.Plan) []string {
	var out []string
	for _, a := range p.Actions {
		if a.Verb != plan.None && a.Skip == "" {
			out = append(out, string(a.Verb)+" "+a.Addr.String())
		}
	}
	return out
}

// write keeps what is known, and the plan that waits for approval, if one does.
func (l *ledger) write(ctx context.Context, waiting *plan.Plan) error {
	data := map[string]any{"revision": l.settled}
	if l.grantedFor != "" {
		data["approvedRevision"], data["approved"] = l.grantedFor, strings.Join(l.granted, "\n")
	}
	if waiting != nil {
		text := waiting.Text()
		data["pending"], data["plan"] = waiting.Digest(), strings.ToValidUTF8(text[:min(len(text), maxPlanText)], "")
		if l.approves {
			data["approve"] = l.command(waiting.Digest())
		}
	}
	if l.wrote != nil && maps.Equal(data, l.wrote) {
		return nil
	}
	o := resource.NewObject(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": l.namespace, "name": l.addr().Name},
		"data":     data,
	})
	if _, err := l.engine.kube.Apply(ctx, o, true); err != nil {
		return err
	}
	l.wrote = data
	return nil
}
