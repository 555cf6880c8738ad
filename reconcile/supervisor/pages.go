package supervisor

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

// restarts is how often a list begins anew because the server no longer knows
// the version that its first page was read at.
const restarts = 3

// page is a part of a list.
type page struct {
	objects []resource.Object
	metav1.ListMeta
}

// pages reads all pages of a kind, or none: what was read before a failure does
// not count.
func (c *Client) pages(gk schema.GroupKind, read func(kind, metav1.ListOptions) (page, error)) ([]resource.Object, error) {
	k, err := c.kindOf("listing "+gk.String(), gk)
	if err != nil {
		return nil, err
	}
	for begun := 1; ; begun++ {
		all, err := everyPage(k, read)
		if err == nil {
			return all, nil
		}
		// Only a page after the first can be of a version that is gone.
		if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) || begun > restarts {
			return nil, listError(k, err)
		}
	}
}

func everyPage(k kind, read func(kind, metav1.ListOptions) (page, error)) ([]resource.Object, error) {
	var out []resource.Object
	options := metav1.ListOptions{Limit: pageSize}
	for {
		p, err := read(k, options)
		if err != nil {
			return nil, err
		}
		out = append(out, p.objects...)
		left := p.RemainingItemCount
		switch {
		case p.ResourceVersion == "": // a proxy's page, or a Status with 200
			return nil, errors.New("the answer is no list")
		case p.Continue == "" && left != nil && *left > 0:
			return nil, fmt.Errorf("the list ends although %d objects are left", *left)
		case p.Continue == "":
			return out, nil
		case p.Continue == options.Continue:
			return nil, errors.New("the list does not go on: the server repeats a page")
		}
		options.Continue = p.Continue
	}
}
