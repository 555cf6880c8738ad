// Package supervisor reads and writes the Kubernetes API of a Supervisor. It
// hides client-go: discovery, lists and watches and their caches, server-side
// apply, and the many shapes of an API server's errors.
//
// What could not be read is an error, never an empty result.
package supervisor

import (
	"context"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/link"
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
	config   *rest.Config // without the Link
	dynamic  dynamic.Interface
	cached   dynamic.Interface // for what a Cache holds
	metadata metadata.Interface
	http     *http.Client
	events   events
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
	return ConnectThrough(ctx, config, nil)
}

// ConnectThrough is Connect with a Link, which repeats reads that failed and knows
// how the Supervisor is. client-go's own repetition of what carries Retry-After
// does not come on top.
func ConnectThrough(ctx context.Context, config *rest.Config, l *link.Link) (*Client, error) {
	config = rest.CopyConfig(config)
	// Deprecation warnings are for those who write manifests, and go to stderr.
	config.WarningHandlerWithContext = rest.NoWarnings{}
	if config.QPS == 0 {
		config.QPS, config.Burst = requestsPerSecond, burst
	}
	where := "the Supervisor at " + resource.Redact(config.Host)
	c := &Client{config: rest.CopyConfig(config), served: map[schema.GroupKind]kind{}, broken: map[string]error{}}
	config.Wrap(l.Wrap)
	client, err := rest.HTTPClientFor(config)
	if err == nil {
		c.dynamic, err = dynamicFor(config, client, false)
	}
	if err == nil {
		c.cached, err = dynamicFor(config, client, true)
	}
	if err == nil {
		c.metadata, err = metadata.NewForConfigAndClient(config, client)
	}
	if err != nil { // nothing was sent yet: the configuration is at fault
		return nil, &Error{Op: "connecting to " + where, Class: Invalid, Message: clean(err.Error()), cause: err}
	}
	c.http = client
	if err := c.discover(ctx, config, client); err != nil {
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
	return c.pages(gk, func(k kind, options metav1.ListOptions) (page, error) {
		list, err := c.dynamic.Resource(k.GroupVersionResource).List(ctx, options)
		if err != nil {
			return page{}, err
		}
		out := make([]resource.Object, len(list.Items))
		for i := range list.Items {
			out[i] = stripped(&list.Items[i])
		}
		return page{out, metav1.ListMeta{ResourceVersion: list.GetResourceVersion(), Continue: list.GetContinue(), RemainingItemCount: list.GetRemainingItemCount()}}, nil
	})
}

// ListNames reads the metadata of all objects of a kind, never their content. It
// is how Secrets are looked at.
func (c *Client) ListNames(ctx context.Context, gk schema.GroupKind) ([]resource.Object, error) {
	return c.pages(gk, func(k kind, options metav1.ListOptions) (page, error) {
		list, err := c.metadata.Resource(k.GroupVersionResource).List(ctx, options)
		if err != nil {
			return page{}, err
		}
		out := make([]resource.Object, len(list.Items))
		for i := range list.Items {
			u := &unstructured.Unstructured{Object: map[string]any{}}
			u.SetAPIVersion(k.GroupVersion().String())
			u.SetKind(gk.Kind)
			u.SetNamespace(list.Items[i].Namespace)
			u.SetName(list.Items[i].Name)
			out[i] = resource.Object{Unstructured: u}
		}
		return page{out, list.ListMeta}, nil
	})
}
