// Package supervisor reads and writes the Kubernetes API of a Supervisor. It
// hides client-go: discovery, lists and watches and their caches, server-side
// apply, and the many shapes of an API server's errors.
//
// What could not be read is an error, never an empty result.
package supervisor

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/resource"
)

// Requests a second that a client makes at most when its configuration says
// nothing. The API server has its own fairness; this only keeps a first plan of
// a large fleet from being a burst of thousands.
const (
	requestsPerSecond = 50
	burst             = 200
)

// pageSize is how many objects one list request asks for.
const pageSize = 500

// Client talks to one Supervisor. It is safe for concurrent use.
type Client struct {
	dynamic  dynamic.Interface
	metadata metadata.Interface
	served   map[schema.GroupKind]kind
	// broken are the groups whose discovery failed, with the reason.
	broken map[string]error
}

// kind is a kind that the Supervisor serves.
type kind struct {
	schema.GroupVersionResource
	namespaced bool
}

// Connect finds out what the Supervisor serves. It fails when the Supervisor
// cannot be reached or refuses the credentials.
func Connect(ctx context.Context, config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	if config.QPS == 0 {
		config.QPS, config.Burst = requestsPerSecond, burst
	}
	where := "the Supervisor at " + resource.Redact(config.Host)
	c := &Client{served: map[schema.GroupKind]kind{}, broken: map[string]error{}}
	http, err := rest.HTTPClientFor(config)
	if err == nil {
		c.dynamic, err = dynamic.NewForConfigAndClient(config, http)
	}
	if err == nil {
		c.metadata, err = metadata.NewForConfigAndClient(config, http)
	}
	if err != nil { // nothing was sent yet: the configuration is at fault
		return nil, &Error{Op: "connecting to " + where, Class: Invalid, Message: resource.Redact(err.Error()), cause: err}
	}
	if err := c.discover(ctx, config, http); err != nil {
		return nil, classify("asking "+where+" what it serves", resource.Addr{}, err)
	}
	return c, nil
}

// Serves says whether the Supervisor has a kind.
func (c *Client) Serves(gk schema.GroupKind) bool {
	_, ok := c.served[gk]
	return ok
}

// kindOf finds a kind that op is about, or says why there is none.
func (c *Client) kindOf(op string, gk schema.GroupKind) (kind, error) {
	if k, ok := c.served[gk]; ok {
		return k, nil
	}
	if err := c.broken[gk.Group]; err != nil {
		return kind{}, classify(op, resource.Addr{}, err)
	}
	return kind{}, &Error{Op: op, Class: NotServed, Message: "the Supervisor does not serve " + gk.String()}
}

// List reads all objects of a kind, in the version the server prefers, without
// what nobody compares.
func (c *Client) List(ctx context.Context, gk schema.GroupKind) ([]resource.Object, error) {
	return c.pages(gk, func(k kind, options metav1.ListOptions) ([]resource.Object, string, error) {
		page, err := c.dynamic.Resource(k.GroupVersionResource).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		out := make([]resource.Object, len(page.Items))
		for i := range page.Items {
			out[i] = stripped(&page.Items[i])
		}
		return out, page.GetContinue(), nil
	})
}

// ListNames reads the metadata of all objects of a kind, never their content. It
// is how Secrets are looked at.
func (c *Client) ListNames(ctx context.Context, gk schema.GroupKind) ([]resource.Object, error) {
	return c.pages(gk, func(k kind, options metav1.ListOptions) ([]resource.Object, string, error) {
		page, err := c.metadata.Resource(k.GroupVersionResource).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		out := make([]resource.Object, len(page.Items))
		for i := range page.Items {
			u := &unstructured.Unstructured{Object: map[string]any{}}
			u.SetAPIVersion(k.GroupVersion().String())
			u.SetKind(gk.Kind)
			u.SetNamespace(page.Items[i].Namespace)
			u.SetName(page.Items[i].Name)
			out[i] = resource.Object{Unstructured: u}
		}
		return out, page.Continue, nil
	})
}

// pages calls read for one page after the other until there is none left.
func (c *Client) pages(gk schema.GroupKind, read func(kind, metav1.ListOptions) (page []resource.Object, next string, err error)) ([]resource.Object, error) {
	k, err := c.kindOf("listing "+gk.String(), gk)
	if err != nil {
		return nil, err
	}
	var out []resource.Object
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page, next, err := read(k, options)
		if err != nil {
			return nil, listError(k, err)
		}
		out = append(out, page...)
		if options.Continue = next; next == "" {
			return out, nil
		}
	}
}

// stripped drops what nobody compares: the fields that others manage, and what
// kubectl keeps for itself. The object is changed in place.
func stripped(u *unstructured.Unstructured) resource.Object {
	metadata, _ := u.Object["metadata"].(map[string]any)
	if entries := resource.Items(metadata, "managedFields"); entries != nil {
		var own []any
		for _, entry := range entries {
			if resource.Text(entry, "manager") == resource.FieldManager {
				own = append(own, entry)
			}
		}
		delete(metadata, "managedFields")
		if own != nil {
			metadata["managedFields"] = own
		}
	}
	if annotations := resource.Fields(metadata, "annotations"); annotations != nil {
		delete(annotations, lastApplied)
	}
	return resource.Object{Unstructured: u}
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
