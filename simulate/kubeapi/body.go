package kubeapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/resource"
)

// bodyLimit is the size of the largest request body in bytes, as an API server has it.
const bodyLimit = 3 << 20

// depthLimit is how deep maps and lists of a body may be nested.
const depthLimit = 1000

func (c *call) body() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", bodyLimit))
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("reading the body: %v", err))
	}
	return body, nil
}

// object reads an object of the call's kind and version.
func (c *call) object() (*unstructured.Unstructured, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	content, err := c.content(body)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: content}
	return u, c.fits(u)
}

// content decodes a body by its Content-Type.
func (c *call) content(body []byte) (map[string]any, error) {
	switch mediaTypeOf(c.r.Header.Get("Content-Type")).name {
	case "", "application/json":
		return decodeMap(body, false)
	case "application/yaml":
		return decodeMap(body, true)
	case protobufMedia:
		if c.table == nil || c.table.native() {
			return fromProtobuf(body)
		}
	}
	return nil, unsupportedMedia("application/json, application/yaml")
}

func unsupportedMedia(accepted string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: "the body of the request was in an unknown format - accepted media types include: " + accepted,
	}}
}

func decodeMap(body []byte, isYAML bool) (map[string]any, error) {
	if isYAML && !json.Valid(body) {
		asJSON, err := yaml.YAMLToJSON(body)
		if err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding YAML: %v", err))
		}
		body = asJSON
	}
	var content map[string]any
	if err := utiljson.Unmarshal(body, &content); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized: %v", err))
	}
	if tooDeep(content, depthLimit) {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the object provided is nested deeper than %d levels", depthLimit))
	}
	return content, nil
}

func tooDeep(v any, left int) bool {
	if left == 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			if tooDeep(value, left-1) {
				return true
			}
		}
	case []any:
		for _, value := range v {
			if tooDeep(value, left-1) {
				return true
			}
		}
	}
	return false
}

// fits compares an object with the path it was sent to, and fills in the namespace.
func (c *call) fits(u *unstructured.Unstructured) error {
	gvk := c.table.gvk(c.form.version)
	meta, ok := u.Object["metadata"].(map[string]any)
	switch {
	case resource.Text(u.Object, "kind") == "":
		return apierrors.NewBadRequest("Object 'Kind' is missing in the body of the request")
	case resource.Text(u.Object, "apiVersion") == "":
		return apierrors.NewBadRequest("Object 'apiVersion' is missing in the body of the request")
	case resource.Text(u.Object, "apiVersion") != gvk.GroupVersion().String():
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", resource.Text(u.Object, "apiVersion"), gvk.GroupVersion()))
	case resource.Text(u.Object, "kind") != gvk.Kind:
		return apierrors.NewBadRequest(fmt.Sprintf("the kind in the data (%s) does not match the expected kind (%s)", resource.Text(u.Object, "kind"), gvk.Kind))
	case !ok:
		return apierrors.NewBadRequest("metadata must be a map")
	}
	if _, err := objectMeta(u); err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("metadata: %v", err))
	}
	if resource.Text(meta, "namespace") == "" && !c.table.Cluster {
		meta["namespace"] = c.namespace
	}
	if resource.Text(meta, "namespace") != c.namespace {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	if c.name != "" && resource.Text(meta, "name") == "" {
		meta["name"] = c.name
	}
	if c.name != "" && resource.Text(meta, "name") != c.name {
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", resource.Text(meta, "name"), c.name))
	}
	if c.table.isSecret() {
		return foldStringData(u)
	}
	return nil
}

// objectMeta decodes metadata, which fails where its fields have wrong types.
func objectMeta(u *unstructured.Unstructured) (*metav1.ObjectMeta, error) {
	encoded, err := json.Marshal(u.Object["metadata"])
	if err != nil {
		return nil, err
	}
	var meta metav1.ObjectMeta
	return &meta, utiljson.Unmarshal(encoded, &meta) // encoding/json would take nAme for name
}

// validate refuses metadata that an API server would refuse.
func (c *call) validate(u *unstructured.Unstructured) error {
	meta, err := objectMeta(u)
	if err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("metadata: %v", err))
	}
	valid := apivalidation.NameIsDNSSubdomain
	if c.table.isNamespace() {
		valid = apivalidation.ValidateNamespaceName
	}
	if problems := apivalidation.ValidateObjectMeta(meta, !c.table.Cluster, valid, field.NewPath("metadata")); len(problems) > 0 {
		return apierrors.NewInvalid(c.table.gk, meta.Name, problems)
	}
	return nil
}

// options are those of writes.
type options struct {
	manager string
	dry     bool
	force   bool
}

// writeOptions reads the query of a create, update or patch; how is empty but
// for patches.
func (c *call) writeOptions(how types.PatchType) (options, error) {
	patch := &metav1.PatchOptions{DryRun: c.query["dryRun"], FieldManager: c.query.Get("fieldManager"), FieldValidation: c.query.Get("fieldValidation")}
	if c.query.Has("force") {
		force := c.flag("force")
		patch.Force = &force
	}
	kind, problems := "PatchOptions", field.ErrorList(nil)
	switch {
	case how != "":
		problems = validation.ValidatePatchOptions(patch, how)
	case c.name == "":
		kind = "CreateOptions"
		problems = validation.ValidateCreateOptions(&metav1.CreateOptions{DryRun: patch.DryRun, FieldManager: patch.FieldManager, FieldValidation: patch.FieldValidation})
	default:
		kind = "UpdateOptions"
		problems = validation.ValidateUpdateOptions(&metav1.UpdateOptions{DryRun: patch.DryRun, FieldManager: patch.FieldManager, FieldValidation: patch.FieldValidation})
	}
	if len(problems) > 0 {
		return options{}, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", problems)
	}
	o := options{manager: patch.FieldManager, dry: len(patch.DryRun) > 0, force: patch.Force != nil && *patch.Force}
	if o.manager == "" {
		o.manager = c.userAgent()
	}
	return o, nil
}

// userAgent is the field manager of a client that names none: the product of
// its User-Agent.
func (c *call) userAgent() string {
	product, _, _ := strings.Cut(c.r.UserAgent(), "/")
	product = strings.ToValidUTF8(product, "")
	if len(product) > validation.FieldManagerMaxLength {
		product = product[:validation.FieldManagerMaxLength]
	}
	if product == "" {
		return "unknown"
	}
	return product
}

// deleteOptions reads them from the body, or else from the query.
func (c *call) deleteOptions() (*metav1.DeleteOptions, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	o := &metav1.DeleteOptions{DryRun: c.query["dryRun"]}
	if p := c.query.Get("propagationPolicy"); p != "" {
		policy := metav1.DeletionPropagation(p)
		o.PropagationPolicy = &policy
	}
	if len(body) > 0 {
		content, err := c.content(body)
		if err != nil {
			return nil, err
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, o); err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("the options provided are unrecognized: %v", err))
		}
	}
	if problems := validation.ValidateDeleteOptions(o); len(problems) > 0 {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "DeleteOptions"}, "", problems)
	}
	return o, nil
}
