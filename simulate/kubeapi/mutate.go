package kubeapi

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

func (c *call) create() error {
	o, err := c.writeOptions("")
	if err != nil {
		return err
	}
	u, err := c.object()
	if err != nil {
		return err
	}
	stored, err := c.store.createFor(c, o, u)
	if err != nil {
		return err
	}
	c.answer(http.StatusCreated, stored)
	return nil
}

// createFor is a create request for u.
func (s *Store) createFor(c *call, o options, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if versionOf(u) != "" {
		return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
			Code: http.StatusInternalServerError, Message: "resourceVersion should not be set on objects to be created",
		}}
	}
	s.generateName(c.table, u)
	if s.get(c.table.keyOf(u)) != nil {
		return nil, apierrors.NewAlreadyExists(c.table.groupResource(), resource.Text(u.Object, "metadata", "name"))
	}
	u = s.convert(u, c.table.Versions[0])
	if c.table.Status {
		delete(u.Object, "status")
	}
	fields, err := s.track(c.table, c.ask(o), nil, u)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return s.createAdmitted(c, o, u, fields)
}

// createAdmitted stores a new object that came over HTTP.
func (s *Store) createAdmitted(c *call, o options, u *unstructured.Unstructured, fields []any) (*unstructured.Unstructured, error) {
	if err := s.namespaceExists(c.table, u); err != nil {
		return nil, err
	}
	if c.table.isSecret() && resource.Text(u.Object, "type") == "" {
		u.Object["type"] = "Opaque"
	}
	u, err := s.admit(c, o, "create", u, nil)
	if err != nil {
		return nil, err
	}
	u, err = s.create(write{actor: o.manager, fields: fields, dry: o.dry}, c.table, c.table.keyOf(u), u)
	if err != nil || o.dry {
		return u, err
	}
	return atVersion(u, s.version), nil
}

// generateName makes a name from metadata.generateName, the same in every run
// that creates the same objects.
func (s *Store) generateName(t *table, u *unstructured.Unstructured) {
	meta := metadata(u)
	prefix := resource.Text(meta, "generateName")
	if resource.Text(meta, "name") != "" || prefix == "" {
		return
	}
	const alphabet = 27 // of rand.SafeEncodeString
	for n := s.version + s.created*7919; ; n++ {
		digits := make([]byte, 5)
		for i, left := 0, n; i < len(digits); i++ {
			digits[i] = byte(left % alphabet)
			left /= alphabet
		}
		meta["name"] = prefix + rand.SafeEncodeString(string(digits))
		if s.get(t.keyOf(u)) == nil {
			return
		}
	}
}

func (s *Store) namespaceExists(t *table, u *unstructured.Unstructured) error {
	namespace := resource.Text(u.Object, "metadata", "namespace")
	if t.Cluster || s.get(Key{Kind: namespaceKind, Name: namespace}) != nil {
		return nil
	}
	return apierrors.NewNotFound(s.tables.of("v1", namespaceKind).groupResource(), namespace)
}

func (c *call) ask(o options) ask {
	return ask{version: c.form.version, subresource: c.subresource, manager: o.manager}
}

// admit passes a write to admission, in the stored version, and validates it.
func (s *Store) admit(c *call, o options, verb string, u, old *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if u != nil && s.config.Admit != nil {
		u = u.DeepCopy() // admission may write into what u shares with others
	}
	if s.config.Admit != nil && c.subresource == "" {
		r := Request{Verb: verb, Object: u, Old: old, Manager: o.manager, DryRun: o.dry, Get: s.get, List: s.list}
		if err := s.config.Admit(r); err != nil {
			return nil, denied(err)
		}
	}
	if u == nil {
		return nil, nil
	}
	if err := checkJSON(u.Object); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s %s/%s: %v", u.GetKind(), u.GetNamespace(), u.GetName(), err))
	}
	return u, c.validate(u)
}

// denied words a refusal as an API server passes on that of a webhook.
func denied(err error) error {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return err
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: err.Error(),
	}}
}

func (c *call) update() error {
	o, err := c.writeOptions("")
	if err != nil {
		return err
	}
	u, err := c.object()
	if err != nil {
		return err
	}
	stored, err := c.store.updateFor(c, o, func(*unstructured.Unstructured) (*unstructured.Unstructured, error) {
		if versionOf(u) == "" && c.table.Group != "" {
			// As worded by an API server, which names the resource here, not the kind.
			return nil, apierrors.NewInvalid(schema.GroupKind{Group: c.table.Group, Kind: c.table.Resource}, c.name, field.ErrorList{
				field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update"),
			})
		}
		return u, nil
	})
	if err != nil {
		return err
	}
	c.answer(http.StatusOK, stored)
	return nil
}

// updateFor is an update request: next gets the present object in the requested
// version and returns what it shall be.
func (s *Store) updateFor(c *call, o options, next func(*unstructured.Unstructured) (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := c.table.find(c.namespace, c.name)
	if r == nil {
		return nil, c.notFound()
	}
	u, err := next(s.convert(r.shown(), c.form.version))
	if err != nil {
		return nil, err
	}
	if err := checkPut(r, u); err != nil {
		return nil, err
	}
	u = withServerFields(c.restrict(s.convert(u, c.table.Versions[0]), r.object), r.object)
	fields, err := s.track(c.table, c.ask(o), r.object, u)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	delete(metadata(u), "managedFields") // they are in fields
	return s.updateAdmitted(c, o, r, u, fields)
}

func (s *Store) updateAdmitted(c *call, o options, r *record, u *unstructured.Unstructured, fields []any) (*unstructured.Unstructured, error) {
	u, err := s.admit(c, o, "update", withServerFields(u, r.object), r.object)
	if err != nil {
		return nil, err
	}
	if c.table.keyOf(u) != r.key() {
		return nil, apierrors.NewBadRequest("metadata.name and metadata.namespace cannot be changed")
	}
	if fields == nil {
		fields = []any{} // none are left, which is not the same as keep what is there
	}
	if u, err = s.update(write{actor: o.manager, fields: fields, dry: o.dry}, r, u); err != nil {
		return nil, err
	}
	return atVersion(u, r.version), nil
}

// withServerFields copies u as far as needed to give it the server fields of
// old, but for managedFields, which a client may edit.
func withServerFields(u, old *unstructured.Unstructured) *unstructured.Unstructured {
	fields, given := metadata(u)["managedFields"]
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	setServerFields(u, old, nil)
	if given {
		metadata(u)["managedFields"] = fields
	}
	return u
}

// restrict returns of u what the request may write: the status, or all but that.
func (c *call) restrict(u, old *unstructured.Unstructured) *unstructured.Unstructured {
	if !c.table.Status {
		return u
	}
	from, to := old, &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	if c.subresource == "status" {
		from, to = u, &unstructured.Unstructured{Object: maps.Clone(old.Object)}
	}
	if status, ok := from.Object["status"]; ok {
		to.Object["status"] = status
	} else {
		delete(to.Object, "status")
	}
	return to
}

func (c *call) patch() error {
	how := types.PatchType(mediaTypeOf(c.r.Header.Get("Content-Type")).name)
	if !slices.Contains(c.table.patches(), how) {
		return unsupportedMedia("application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")
	}
	o, err := c.writeOptions(how)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if how == types.ApplyPatchType {
		return c.apply(o, body)
	}
	change, err := patchOf(how, c.table.gvk(c.form.version), body)
	if err != nil {
		return err
	}
	stored, err := c.store.updateFor(c, o, func(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		patched, err := change(u.Object)
		if err != nil {
			return nil, err
		}
		u = &unstructured.Unstructured{Object: patched}
		return u, c.fits(u)
	})
	if err != nil {
		return err
	}
	c.answer(http.StatusOK, stored)
	return nil
}

// patches are the kinds of patch that the kind can be changed with.
func (t *table) patches() []types.PatchType {
	all := []types.PatchType{types.JSONPatchType, types.MergePatchType, types.ApplyPatchType}
	if t.native() {
		all = append(all, types.StrategicMergePatchType)
	}
	return all
}

// apply is a server-side apply.
func (c *call) apply(o options, body []byte) error {
	content, err := decodeMap(body, true)
	if err != nil {
		return err
	}
	patch := &unstructured.Unstructured{Object: content}
	if err := c.fits(patch); err != nil {
		return err
	}
	if metadata(patch)["managedFields"] != nil {
		return apierrors.NewBadRequest("metadata.managedFields must be nil")
	}
	stored, created, err := c.store.applyFor(c, o, patch)
	if err != nil {
		return err
	}
	code := http.StatusOK
	if created {
		code = http.StatusCreated
	}
	c.answer(code, stored)
	return nil
}

func (s *Store) applyFor(c *call, o options, patch *unstructured.Unstructured) (stored *unstructured.Unstructured, created bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := c.table.find(c.namespace, c.name)
	if r == nil {
		stored, err = s.applyNew(c, o, patch)
		return stored, true, err
	}
	if err := checkPut(r, patch); err != nil {
		return nil, false, err
	}
	u, fields, err := s.merge(c.table, c.ask(o), r.object, patch, o.force)
	if err != nil {
		return nil, false, unmergeable(err)
	}
	delete(metadata(u), "managedFields") // they are in fields
	stored, err = s.updateAdmitted(c, o, r, c.restrict(u, r.object), fields)
	return stored, false, err
}

// applyNew creates an object by applying it.
func (s *Store) applyNew(c *call, o options, patch *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	switch {
	case c.subresource != "":
		return nil, c.notFound()
	case uidOf(patch) != "":
		return nil, apierrors.NewConflict(c.table.groupResource(), c.name,
			fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uidOf(patch)))
	case versionOf(patch) != "":
		return nil, c.notFound()
	}
	u, fields, err := s.merge(c.table, c.ask(o), nil, patch, o.force)
	if err != nil {
		return nil, unmergeable(err)
	}
	if c.table.Status {
		delete(u.Object, "status")
	}
	return s.createAdmitted(c, o, u, fields)
}

// unmergeable passes on conflicts; what else can go wrong in merging is that the
// object does not fit its schema.
func unmergeable(err error) error {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return err
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusInternalServerError, Message: err.Error(),
	}}
}
