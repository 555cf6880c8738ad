package supervisor

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/resource"
)

// Apply applies o by server-side apply as field manager vksync, in the version o
// is written in. Fields that others own are a Conflict unless force is set,
// which takes them over. The result is the object as stored.
func (c *Client) Apply(ctx context.Context, o resource.Object, force bool) (resource.Object, error) {
	return c.apply(ctx, "applying", o, metav1.ApplyOptions{FieldManager: resource.FieldManager, Force: force})
}

// DryRunApply asks what Apply would store. All webhooks run, and nothing is kept.
func (c *Client) DryRunApply(ctx context.Context, o resource.Object, force bool) (resource.Object, error) {
	return c.apply(link.Idempotent(ctx), "trying to apply", o, metav1.ApplyOptions{
		FieldManager: resource.FieldManager, Force: force, DryRun: []string{metav1.DryRunAll},
	})
}

func (c *Client) apply(ctx context.Context, doing string, o resource.Object, options metav1.ApplyOptions) (resource.Object, error) {
	addr := o.Addr()
	doing += " " + addr.String()
	at, err := c.at(doing, addr, o.GroupVersionKind().Version)
	if err != nil {
		return resource.Object{}, err
	}
	stored, err := at.Apply(ctx, o.GetName(), o.Unstructured, options)
	if err != nil {
		return resource.Object{}, withoutEchoes(classify(doing, addr, err), o)
	}
	out := stripped(stored)
	out.Supervisor = o.Supervisor
	return out, nil
}

// managerApprove owns the annotations that Annotate sets, so that applying an
// object without them leaves them there.
const managerApprove = resource.FieldManager + "-approve"

// Annotate sets one annotation of an object that exists, as kubectl annotate does.
func (c *Client) Annotate(ctx context.Context, addr resource.Addr, name, value string) error {
	op := "annotating " + addr.String()
	at, err := c.at(op, addr, "")
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{name: value}}})
	if err != nil {
		return err
	}
	_, err = at.Patch(ctx, addr.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: managerApprove})
	return classify(op, addr, err)
}

// Delete deletes the object that has the uid; another one of the same name is a
// Conflict. What its finalizers wait for goes on after Delete has returned. An
// object that does not exist is a NotFound.
func (c *Client) Delete(ctx context.Context, addr resource.Addr, uid string) error {
	op := "deleting " + addr.String()
	at, err := c.at(op, addr, "")
	if err != nil {
		return err
	}
	options := metav1.DeleteOptions{}
	if uid != "" {
		precondition := types.UID(uid)
		options.Preconditions = &metav1.Preconditions{UID: &precondition}
	}
	return classify(op, addr, at.Delete(ctx, addr.Name, options))
}

// Get reads one object in the version the server prefers.
func (c *Client) Get(ctx context.Context, addr resource.Addr) (resource.Object, error) {
	op := "reading " + addr.String()
	at, err := c.at(op, addr, "")
	if err != nil {
		return resource.Object{}, err
	}
	var u *unstructured.Unstructured
	if u, err = at.Get(ctx, addr.Name, metav1.GetOptions{}); err != nil {
		return resource.Object{}, classify(op, addr, err)
	}
	return stripped(u), nil
}

// at is where the object called addr is, that op is about; in the preferred
// version when version is empty.
func (c *Client) at(op string, addr resource.Addr, version string) (dynamic.ResourceInterface, error) {
	k, err := c.kindOf(op, schema.GroupKind{Group: addr.Group, Kind: addr.Kind})
	if err != nil {
		return nil, err
	}
	if version != "" {
		k.Version = version
	}
	r := c.dynamic.Resource(k.GroupVersionResource)
	if k.namespaced {
		return r.Namespace(addr.Namespace), nil
	}
	return r, nil
}
