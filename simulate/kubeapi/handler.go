package kubeapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

// Handler serves the Kubernetes API over the store: discovery, OpenAPI v3, get,
// list, watch, create, update, patch, server-side apply, delete and
// deletecollection of every kind and its status, as JSON: whole, as
// PartialObjectMetadata or as Table.
//
// It is lenient where a client cannot tell: anybody may do everything, and
// fields that no schema knows are kept. Bodies of the kinds of Kubernetes itself
// may be protobuf, as typed clients send them; answers are JSON always.
func (s *Store) Handler() http.Handler { return handler{s} }

type handler struct{ store *Store }

// ServeHTTP answers one request.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	steps := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if h.discover(w, r, steps) || h.openAPI(w, r, steps) {
		return
	}
	if err := h.serve(w, r, steps); err != nil {
		writeError(w, err)
	}
}

func (h handler) serve(w http.ResponseWriter, r *http.Request, steps []string) error {
	if asked, ok := reviewAt(steps); ok {
		return asked.serve(&call{store: h.store, w: w, r: r})
	}
	c, ok := h.store.route(steps)
	if !ok {
		http.NotFound(w, r) // as an API server answers for paths that it does not know
		return nil
	}
	c.w, c.r = w, r
	return c.serve()
}

// A call is a request for objects of one kind.
type call struct {
	store *Store
	w     http.ResponseWriter
	r     *http.Request
	query url.Values

	table       *table
	form        form // of the answer; its version is the requested one
	namespace   string
	name        string // "" for a collection
	subresource string // "" or status
}

// route reads [api VERSION | apis GROUP VERSION] [namespaces NAMESPACE] RESOURCE [NAME [status]].
func (s *Store) route(steps []string) (*call, bool) {
	c := &call{store: s}
	group := ""
	switch {
	case len(steps) > 2 && steps[0] == "api":
		steps = steps[1:]
	case len(steps) > 3 && steps[0] == "apis":
		group, steps = steps[1], steps[2:]
	default:
		return nil, false
	}
	c.form.version, steps = steps[0], steps[1:]
	namespaced := len(steps) > 2 && steps[0] == "namespaces" && steps[2] != "status"
	if namespaced {
		c.namespace, steps = steps[1], steps[2:]
	}
	c.table, c.form.version = s.served(group, c.form.version, steps[0])
	if c.table == nil || len(steps) > 3 || namespaced && (c.table.Cluster || c.namespace == "") {
		return nil, false
	}
	if len(steps) > 1 {
		c.name = steps[1]
	}
	if len(steps) > 2 {
		c.subresource = steps[2]
	}
	known := c.subresource == "" || c.subresource == "status" && c.table.Status
	addressed := len(steps) == 1 || c.name != "" && (c.table.Cluster || namespaced)
	return c, known && addressed
}

// served finds the kind behind a resource in one of its versions, and the name
// that the kind has for that version.
func (s *Store) served(group, version, resource string) (*table, string) {
	for _, t := range s.order { // fixed after New
		if t.Resource == resource {
			if name, ok := t.version(schema.GroupVersion{Group: group, Version: version}); ok {
				return t, name
			}
		}
	}
	return nil, ""
}

func (c *call) serve() error {
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if err := c.negotiate(); err != nil {
		return err
	}
	inNamespace := c.table.Cluster || c.namespace != ""
	switch {
	case c.r.Method == http.MethodGet && c.name == "" && c.flag("watch"):
		return c.watch()
	case c.r.Method == http.MethodGet && c.name == "":
		return c.list()
	case c.r.Method == http.MethodGet:
		return c.get()
	case c.r.Method == http.MethodPost && c.name == "" && inNamespace:
		return c.create()
	case c.r.Method == http.MethodPut && c.name != "":
		return c.update()
	case c.r.Method == http.MethodPatch && c.name != "":
		return c.patch()
	case c.r.Method == http.MethodDelete && c.name == "" && inNamespace:
		return c.deleteCollection()
	case c.r.Method == http.MethodDelete && c.name != "" && c.subresource == "":
		return c.delete()
	case !c.table.native() && c.name == "" && !inNamespace:
		http.NotFound(c.w, c.r)
		return nil
	case !c.table.native() && c.name == "" && (c.r.Method == http.MethodPut || c.r.Method == http.MethodPatch):
		return apierrors.NewBadRequest("name must be provided")
	}
	return methodNotAllowed()
}

// methodNotAllowed is what an API server's router answers.
func methodNotAllowed() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusMethodNotAllowed, Reason: metav1.StatusReasonMethodNotAllowed, Details: &metav1.StatusDetails{},
		Message: "the server does not allow this method on the requested resource",
	}}
}

// flag reads a boolean of the query as apimachinery does: present and neither
// false nor 0 is true.
func (c *call) flag(name string) bool {
	values, present := c.query[name]
	if !present {
		return false
	}
	return len(values) == 0 || values[0] != "false" && values[0] != "0"
}

func (c *call) notFound() error { return apierrors.NewNotFound(c.table.groupResource(), c.name) }

// negotiate reads the Accept header: does the client want objects whole, their
// metadata only, or a table? The first of its media types that can be had counts.
func (c *call) negotiate() error {
	accept := strings.Join(c.r.Header.Values("Accept"), ",")
	if accept == "" {
		return nil
	}
	for clause := range strings.SplitSeq(accept, ",") {
		m := mediaTypeOf(clause)
		if m.name != "application/json" && m.name != "application/*" && m.name != "*/*" {
			continue
		}
		if m.parameters["as"] == "" {
			return nil
		}
		gv := schema.GroupVersion{Group: m.parameters["g"], Version: m.parameters["v"]}
		if gv != metav1.SchemeGroupVersion && gv != metav1beta1 {
			continue
		}
		c.form.metaVersion = gv.String()
		switch m.parameters["as"] {
		case asMetadata, asMetadata + "List":
			c.form.as = asMetadata
			return nil
		case asTable:
			var err error
			c.form.as = asTable
			c.form.include, err = includeIn(c.query)
			return err
		}
	}
	e := apierrors.NewGenericServerResponse(http.StatusNotAcceptable, "", schema.GroupResource{}, "", "", 0, false)
	e.ErrStatus.Reason = metav1.StatusReasonNotAcceptable
	e.ErrStatus.Message = "only the following media types are accepted: application/json"
	return e
}

var metav1beta1 = schema.GroupVersion{Group: metav1.GroupName, Version: "v1beta1"}

// media is one clause of an Accept header, or a Content-Type.
type media struct {
	name       string // TYPE/SUBTYPE, lower case
	parameters map[string]string
}

func mediaTypeOf(clause string) media {
	name, rest, _ := strings.Cut(clause, ";")
	m := media{strings.ToLower(strings.TrimSpace(name)), map[string]string{}}
	for parameter := range strings.SplitSeq(rest, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		m.parameters[key] = value
	}
	return m
}

// respond writes one JSON document.
func respond(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs no answer
}

// writeError writes err as a metav1.Status.
func writeError(w http.ResponseWriter, err error) {
	content, err := statusOf(err)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	respond(w, int(resource.Int(content, "code")), appendJSON(nil, content))
}

// statusOf is err as a metav1.Status.
func statusOf(err error) (map[string]any, error) {
	status := metav1.Status{Code: http.StatusInternalServerError, Message: err.Error()}
	if known := apierrors.APIStatus(nil); errors.As(err, &known) {
		status = known.Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	status.Status = metav1.StatusFailure
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return nil, fmt.Errorf("encoding a status: %w", err)
	}
	return content, nil
}
