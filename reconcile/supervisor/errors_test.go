package supervisor_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/supervisor"
)

func TestErrorsHaveTheClassThatACallerCanActOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		code    int32
		reason  metav1.StatusReason
		message string
		cause   metav1.CauseType
		want    supervisor.Class
		text    string // empty is the message
	}{
		{"another manager", 409, metav1.StatusReasonConflict, "Apply failed", metav1.CauseTypeFieldManagerConflict, supervisor.Conflict, "field manager kubectl owns spec.paused (--force-conflicts takes over)"},
		{"another uid", 409, metav1.StatusReasonConflict, "Precondition failed: UID in precondition: a, UID in object meta: b", "", supervisor.Conflict, ""},
		{"a write in between", 409, metav1.StatusReasonConflict, "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again", "", supervisor.Transient, ""},
		{"exists", 409, metav1.StatusReasonAlreadyExists, "already exists", "", supervisor.Conflict, ""},
		{"not found", 404, metav1.StatusReasonNotFound, "not found", "", supervisor.NotFound, ""},
		{"invalid", 422, metav1.StatusReasonInvalid, "spec is invalid", "", supervisor.Invalid, ""},
		{"bad request", 400, metav1.StatusReasonBadRequest, "cannot decode", "", supervisor.Invalid, ""},
		{"too large", 413, metav1.StatusReasonRequestEntityTooLarge, "too large", "", supervisor.Invalid, ""},
		{"not allowed here", 405, metav1.StatusReasonMethodNotAllowed, "method not allowed", "", supervisor.Invalid, ""},
		{"forbidden", 403, metav1.StatusReasonForbidden, "cannot patch", "", supervisor.Denied, ""},
		{"unauthorized", 401, metav1.StatusReasonUnauthorized, "Unauthorized", "", supervisor.Denied, ""},
		{"a webhook", 403, metav1.StatusReasonForbidden, `admission webhook "v.cluster.dev" denied the request: no such class`, "", supervisor.Denied, "no such class (v.cluster.dev)"},
		{"a webhook with a status of its own", 418, "", `admission webhook "v.cluster.dev" denied the request: no`, "", supervisor.Denied, "no (v.cluster.dev)"},
		{"a webhook that does not answer", 500, metav1.StatusReasonInternalError, "failed calling webhook", "", supervisor.Transient, ""},
		{"a namespace that is being deleted", 403, metav1.StatusReasonForbidden, "is being terminated", "NamespaceTerminating", supervisor.Transient, ""},
		{"a list that took too long", 410, metav1.StatusReasonExpired, "the provided continue parameter is too old", "", supervisor.Transient, ""},
		{"too many requests", 429, metav1.StatusReasonTooManyRequests, "slow down", "", supervisor.Transient, ""},
		{"a time-out", 504, metav1.StatusReasonTimeout, "timed out", "", supervisor.Transient, ""},
		{"not available", 503, metav1.StatusReasonServiceUnavailable, "restarting", "", supervisor.Transient, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			c := s.connect(t)
			status := metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
				Code: test.code, Reason: test.reason, Message: test.message,
			}
			if test.cause != "" {
				status.Details = &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: test.cause, Field: ".spec.paused", Message: `conflict with "kubectl" using v1`}}}
			}
			body, err := json.Marshal(status)
			if err != nil {
				t.Fatal(err)
			}
			s.fail("/clusters/", int(test.code), string(body))
			_, err = c.Apply(t.Context(), cluster("c1", nil), false)
			var e *supervisor.Error
			if !errors.As(err, &e) {
				t.Fatalf("Apply: %v", err)
			}
			text := test.text
			if text == "" {
				text = test.message
			}
			if e.Class != test.want || e.Text() != text || e.Transient() != (test.want == supervisor.Transient) {
				t.Errorf("class %q, transient %t, text %q; want %q, %q", e.Class, e.Transient(), e.Text(), test.want, text)
			}
			if e.Addr != cluster("c1", nil).Addr() || !strings.HasPrefix(e.Error(), "applying Cluster team-a/c1: ") {
				t.Errorf("the error does not say what it is about: %v", e)
			}
		})
	}
}

func TestAnUnreachableSupervisorIsTransient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // client-go tries ten times, a second apart
		s := serve(t)
		c := s.connect(t)
		s.breakBy(func(http.ResponseWriter, *http.Request) bool {
			panic(http.ErrAbortHandler) // the connection breaks
		})
		_, err := c.Get(t.Context(), cluster("c1", nil).Addr())
		if supervisor.ClassOf(err) != supervisor.Transient {
			t.Errorf("Get: %v, want a transient error", err)
		}
	})
}

func TestErrorsHoldNoCredentials(t *testing.T) {
	t.Parallel()
	const canary = "canary-0f9a"
	for _, test := range []struct {
		name string
		fail func(t *testing.T, s *server) error
	}{
		{"in the address, when the Supervisor is down", func(t *testing.T, s *server) error {
			s.config.Host = "http://admin:" + canary + "@x"
			s.config.BearerToken = ""
			s.fail("/", http.StatusServiceUnavailable, "down")
			_, err := supervisor.Connect(t.Context(), s.config)
			return err
		}},
		{"in an address that is none", func(t *testing.T, s *server) error {
			s.config.Host = "http://admin:" + canary + "@x:port:port"
			_, err := supervisor.Connect(t.Context(), s.config)
			return err
		}},
		{"a token", func(t *testing.T, s *server) error {
			s.config.BearerToken = canary
			s.fail("/", http.StatusUnauthorized, "who are you")
			_, err := supervisor.Connect(t.Context(), s.config)
			return err
		}},
		{"in a proxy's URL that the server repeats", func(t *testing.T, s *server) error {
			c := s.connect(t)
			s.fail("/clusters/", http.StatusUnprocessableEntity, `{"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"Invalid value: http://u:`+canary+`@proxy:3128"}`)
			_, err := c.Apply(t.Context(), cluster("c1", nil), false)
			return err
		}},
		{"in a class variable that the server repeats", func(t *testing.T, s *server) error {
			c := s.connect(t)
			s.fail("/clusters/", http.StatusUnprocessableEntity, `{"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"spec.topology.variables[registry].value: Invalid value: {\"user\":\"u\",\"auth\":\"`+canary+`\"}: no"}`)
			_, err := c.DryRunApply(t.Context(), cluster("c1", map[string]any{"spec": map[string]any{"topology": map[string]any{"variables": []any{
				map[string]any{"name": "registry", "value": map[string]any{"user": "u", "auth": canary}},
				map[string]any{"name": "vmClass", "value": "best-effort-small"},
			}}}}), false)
			if err != nil && !strings.Contains(err.Error(), "spec.topology.variables[registry].value: Invalid value") {
				t.Errorf("the message is gone: %v", err)
			}
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.fail(t, serve(t))
			if err == nil {
				t.Fatal("no error")
			}
			if text := err.Error(); strings.Contains(text, canary) {
				t.Errorf("the error holds the canary: %s", text)
			}
		})
	}
}
