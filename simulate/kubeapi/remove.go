package kubeapi

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

func (c *call) delete() error {
	o, err := c.deleteOptions()
	if err != nil {
		return err
	}
	left, uid, err := c.store.deleteFor(c, o)
	if err != nil {
		return err
	}
	if left != nil { // it waits for finalizers
		c.answer(http.StatusOK, left)
		return nil
	}
	respond(c.w, http.StatusOK, appendJSON(nil, map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": metav1.StatusSuccess,
		"details": map[string]any{"name": c.name, "group": c.table.Group, "kind": c.table.Resource, "uid": uid},
	}))
	return nil
}

// deleteFor is the deletion of the object that c names. It returns the object
// while it is still there.
func (s *Store) deleteFor(c *call, o *metav1.DeleteOptions) (left *unstructured.Unstructured, uid string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := c.table.find(c.namespace, c.name)
	if r == nil {
		return nil, "", c.notFound()
	}
	if err := s.eraseFor(c, o, r); err != nil {
		return nil, "", err
	}
	if live := c.table.find(c.namespace, c.name); live == r {
		left = r.shown()
	}
	if len(o.DryRun) > 0 && len(finalizers(r.object)) == 0 {
		left = nil
	}
	return left, r.uid, nil
}

// eraseFor checks and does the deletion of one object.
func (s *Store) eraseFor(c *call, o *metav1.DeleteOptions, r *record) error {
	if p := o.Preconditions; p != nil {
		// As worded by an API server, which names the kind here, not the resource.
		kind := schema.GroupResource{Group: c.table.Group, Resource: c.table.Kind.Kind}
		if p.UID != nil && string(*p.UID) != r.uid {
			return apierrors.NewConflict(kind, r.name, fmt.Errorf(
				"the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, r.uid))
		}
		if v := formatVersion(r.version); p.ResourceVersion != nil && *p.ResourceVersion != v {
			return apierrors.NewConflict(kind, r.name, fmt.Errorf(
				"the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, v))
		}
	}
	dry := len(o.DryRun) > 0
	actor := c.userAgent()
	if _, err := s.admit(c, options{manager: actor, dry: dry}, "delete", nil, r.object); err != nil {
		return err
	}
	if dry {
		return nil
	}
	policy := metav1.DeletePropagationBackground
	if o.PropagationPolicy != nil {
		policy = *o.PropagationPolicy
	}
	switch policy {
	case metav1.DeletePropagationForeground:
		s.eraseForeground(actor, r)
	case metav1.DeletePropagationOrphan:
		s.abandon(r.uid)
		s.erase(actor, r)
	default:
		s.erase(actor, r)
	}
	return nil
}

// deleteCollection deletes what the selectors match and returns it as it was.
func (c *call) deleteCollection() error {
	o, err := c.deleteOptions()
	if err != nil {
		return err
	}
	sc, err := c.scope()
	if err != nil {
		return err
	}
	if c.table.isNamespace() { // as on an API server
		return methodNotAllowed()
	}
	objects, version, err := c.store.deleteAllFor(c, o, sc)
	if err != nil {
		return err
	}
	c.answerList(page{objects: objects, version: version, remaining: -1})
	return nil
}

func (s *Store) deleteAllFor(c *call, o *metav1.DeleteOptions, sc scope) ([]stored, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	objects := s.scan(c.table, sc)
	for _, one := range objects {
		u := one.object
		r := c.table.find(resource.Text(u.Object, "metadata", "namespace"), resource.Text(u.Object, "metadata", "name"))
		if r == nil {
			continue
		}
		if err := s.eraseFor(c, o, r); err != nil {
			return nil, 0, err
		}
	}
	return objects, s.version, nil
}
