package kubeapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Handler serves the Kubernetes API over the store: discovery, get, list, watch,
// create, update, patch, server-side apply, delete and deletecollection of every
// kind and its status, in JSON, whole or as PartialObjectMetadata.
//
// It is lenient where a client cannot tell: lists come whole, whatever limit
// and resourceVersion they ask for; anybody may do everything; fields that no
// schema knows are kept. Strategic merge patches of core kinds are taken as JSON
// merge patches. There is no OpenAPI, Table, protobuf or CBOR; clients that ask
// for them beside JSON get JSON.
func (s *Store) Handler() http.Handler { return handler{s} }

type handler struct{ store *Store }

// ServeHTTP answers one request.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	steps := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if h.discover(w, r, steps) {
		return
	}
	c, ok := h.store.route(steps)
	if !ok {
		http.NotFound(w, r) // as an API server answers for paths that it does not know
		return
	}
	c.w, c.r = w, r
	if err := c.serve(); err != nil {
		writeError(w, err)
	}
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
	c.table = s.served(group, c.form.version, steps[0])
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

// served finds the kind behind a resource in one of its versions.
func (s *Store) served(group, version, resource string) *table {
	for _, t := range s.order { // fixed after New
		if t.Group == group && t.Resource == resource && slices.Contains(t.Versions, version) {
			return t
		}
	}
	return nil
}

func (c *call) serve() error {
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if c.form.metadataOnly, err = acceptable(c.r.Header); err != nil {
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
	}
	return apierrors.NewMethodNotSupported(c.table.groupResource(), strings.ToLower(c.r.Method))
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

func (c *call) key() Key {
	return Key{c.table.Group, c.table.Kind.Kind, c.namespace, c.name}
}

func (c *call) notFound() error { return apierrors.NewNotFound(c.table.groupResource(), c.name) }

// acceptable reads the Accept header: does the client prefer metadata only? The
// first of its media types that can be had counts.
func acceptable(h http.Header) (metadataOnly bool, err error) {
	accept := strings.Join(h.Values("Accept"), ",")
	if accept == "" {
		return false, nil
	}
	for clause := range strings.SplitSeq(accept, ",") {
		media, as := mediaType(clause)
		if media != "application/json" && media != "application/*" && media != "*/*" {
			continue
		}
		switch as {
		case "":
			return false, nil
		case "PartialObjectMetadata", "PartialObjectMetadataList":
			return true, nil
		}
	}
	e := apierrors.NewGenericServerResponse(http.StatusNotAcceptable, "", runtimeResource, "", "", 0, false)
	e.ErrStatus.Reason = metav1.StatusReasonNotAcceptable
	e.ErrStatus.Message = "only the following media types are accepted: application/json"
	return false, e
}

// mediaType splits one clause of an Accept header, or a Content-Type, into its
// type and what it wants objects transformed to.
func mediaType(clause string) (media, as string) {
	media, parameters, _ := strings.Cut(clause, ";")
	for parameter := range strings.SplitSeq(parameters, ";") {
		if value, found := strings.CutPrefix(strings.TrimSpace(parameter), "as="); found {
			as = value
		}
	}
	return strings.ToLower(strings.TrimSpace(media)), as
}

// respond writes one JSON document.
func respond(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs no answer
}

// writeError writes err as a metav1.Status.
func writeError(w http.ResponseWriter, err error) {
	status := metav1.Status{Code: http.StatusInternalServerError, Message: err.Error()}
	if known := apierrors.APIStatus(nil); errors.As(err, &known) {
		status = known.Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	status.Status = metav1.StatusFailure
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		http.Error(w, fmt.Sprintf("encoding a status: %v", err), http.StatusInternalServerError)
		return
	}
	respond(w, int(status.Code), appendJSON(nil, content))
}
