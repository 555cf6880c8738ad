package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/resource"
)

// within is how long what happens in the background may take.
const within = 30 * time.Second

// A client asks a server for one case, in a namespace of its own.
type client struct {
	*testing.T
	server    Server
	http      *http.Client
	base      string
	namespace string
}

func newClient(t *testing.T, s Server) *client {
	t.Helper()
	h, err := rest.HTTPClientFor(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{T: t, server: s, http: h, base: strings.TrimSuffix(s.Config.Host, "/")}
	made := c.want(http.StatusCreated, c.post("/api/v1/namespaces", content{"apiVersion": "v1", "kind": "Namespace", "metadata": content{"generateName": "case-"}}))
	c.namespace = resource.Text(made, "metadata", "name")
	return c
}

// content is a JSON object.
type content = map[string]any

// Where the kinds of the suite are, in the client's namespace.

func (c *client) clusters(more ...string) string {
	return c.in("apis/cluster.x-k8s.io/v1beta2", "clusters", more)
}
func (c *client) vms(more ...string) string {
	return c.in("apis/vmoperator.vmware.com/v1alpha5", "virtualmachines", more)
}
func (c *client) configMaps(more ...string) string { return c.in("api/v1", "configmaps", more) }

func (c *client) in(groupVersion, resource string, more []string) string {
	return "/" + groupVersion + "/namespaces/" + c.namespace + "/" + strings.Join(append([]string{resource}, more...), "/")
}

// A request is what a case sends.
type request struct {
	method, path string
	query        url.Values
	accept       string
	media        string // of the body
	body         any    // content, or text as it is; nil is none
}

const (
	applyMedia     = "application/apply-patch+yaml"
	mergeMedia     = "application/merge-patch+json"
	jsonPatchMedia = "application/json-patch+json"
	strategicMedia = "application/strategic-merge-patch+json"
)

func (c *client) get(path string, query ...string) answer {
	return c.send(request{method: http.MethodGet, path: path, query: pairs(query)})
}
func (c *client) post(path string, body any, query ...string) answer {
	return c.send(request{method: http.MethodPost, path: path, body: body, query: pairs(query)})
}
func (c *client) put(path string, body any, query ...string) answer {
	return c.send(request{method: http.MethodPut, path: path, body: body, query: pairs(query)})
}
func (c *client) delete(path string, body any, query ...string) answer {
	return c.send(request{method: http.MethodDelete, path: path, body: body, query: pairs(query)})
}
func (c *client) patch(media, path string, body any, query ...string) answer {
	return c.send(request{method: http.MethodPatch, path: path, media: media, body: body, query: pairs(query)})
}

// apply is a server-side apply as manager.
func (c *client) apply(manager, path string, body any, query ...string) answer {
	return c.patch(applyMedia, path, body, append([]string{"fieldManager", manager}, query...)...)
}

// pairs makes a query of alternating names and values.
func pairs(list []string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(list); i += 2 {
		q.Add(list[i], list[i+1])
	}
	return q
}

// open sends a request and leaves the answer's body to be read until ctx ends.
func (c *client) open(ctx context.Context, r request) *http.Response {
	c.Helper()
	var body io.Reader
	switch b := r.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			c.Fatal(err)
		}
		body = bytes.NewReader(encoded)
	}
	q, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path+"?"+r.query.Encode(), body)
	if err != nil {
		c.Fatal(err)
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if r.media != "" {
		q.Header.Set("Content-Type", r.media)
	}
	q.Header.Set("Accept", "application/json")
	if r.accept != "" {
		q.Header.Set("Accept", r.accept)
	}
	q.Header.Set("User-Agent", "tester/1.0")
	response, err := c.http.Do(q)
	if err != nil {
		c.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return response
}

// An answer is what came back.
type answer struct {
	request
	code   int
	header http.Header
	text   string
	body   content // nil when it is no JSON object
}

func (c *client) send(r request) answer {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), within)
	defer cancel()
	response := c.open(ctx, r)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	a := answer{request: r, code: response.StatusCode, header: response.Header, text: string(text)}
	if utiljson.Unmarshal(text, &a.body) != nil {
		a.body = nil
	}
	return a
}

// want checks the code of an answer and returns its body.
func (c *client) want(code int, a answer) content {
	c.Helper()
	if a.code != code {
		c.Fatalf("%s %s %v: %d, want %d: %s", a.method, a.path, a.query, a.code, code, a.text)
	}
	return a.body
}

// refused checks that an answer is this Status; a text of it that ends in "..."
// need only begin so.
func (c *client) refused(a answer, code int, reason, message string) content {
	c.Helper()
	body := c.want(code, a)
	got := resource.Text(body, "message")
	if start, partly := strings.CutSuffix(message, "..."); partly && strings.HasPrefix(got, start) {
		got = message
	}
	c.same("kind", resource.Text(body, "kind"), "Status")
	c.same("apiVersion", resource.Text(body, "apiVersion"), "v1")
	c.same("status", resource.Text(body, "status"), "Failure")
	c.same("code", resource.Int(body, "code"), int64(code))
	c.same("reason", resource.Text(body, "reason"), reason)
	c.same("message", got, message)
	return resource.Fields(body, "details")
}

// same fails when two values differ.
func (c *client) same(what string, got, want any) {
	c.Helper()
	if d := cmp.Diff(want, got); d != "" {
		c.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// eventually asks until met says nothing more is missing.
func (c *client) eventually(what string, met func() (missing string)) {
	c.Helper()
	deadline, tick := time.Now().Add(within), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for missing := met(); missing != ""; missing = met() {
		if time.Now().After(deadline) {
			c.Fatalf("waited %s for %s: %s", within, what, missing)
		}
		<-tick.C
	}
}
