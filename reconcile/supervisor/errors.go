package supervisor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/resource"
)

// Class is what a caller can do about an error.
type Class string

// The classes of Error.
const (
	Transient Class = "transient"  // try again later
	Conflict  Class = "conflict"   // another field manager owns a field, or the object is not the one that was seen
	Denied    Class = "denied"     // a webhook or the API server's authorization said no
	Invalid   Class = "invalid"    // the object does not fit its schema or a validating webhook
	NotFound  Class = "not found"  // the object or its namespace does not exist
	NotServed Class = "not served" // the Supervisor has no such kind
)

// Error is why a request failed.
type Error struct {
	Op    string        // gerund with its object: "applying Cluster team-a/prod"
	Addr  resource.Addr // the zero Addr for lists
	Class Class
	// Message is the API server's or the webhook's own text, without credentials.
	Message string
	// Manager and Fields name who owns what, when Class is Conflict.
	Manager string
	Fields  []string
	cause   error
}

// Error is on one line.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %s", e.Op, e.Class, e.Message) }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.cause }

// Transient says whether the same request may succeed later.
func (e *Error) Transient() bool { return e.Class == Transient }

// Reason is the class, as a journal holds it.
func (e *Error) Reason() string { return string(e.Class) }

// Text is the message without what was attempted.
func (e *Error) Text() string { return e.Message }

// ClassOf is the class of the *Error in err, and "" when there is none.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// clean hides credentials in what a server or a proxy wrote.
func clean(text string) string { return link.Scrub(resource.Redact(text)) }

// classify makes an *Error of what client-go returned. A context that was
// cancelled is left as it is: it says nothing of the server. A deadline that
// passed does: it is Transient.
func classify(op string, addr resource.Addr, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", op, err)
	}
	e := &Error{Op: op, Addr: addr, Class: Transient, Message: clean(withoutURL(err).Error()), cause: err}
	var status apierrors.APIStatus
	var login *Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &login): // on the way to this request
		e.Class, e.Message = login.Class, login.Op+": "+login.Message
		return e
	case errors.As(err, &untrusted):
		e.Class = Denied
		return e
	case !errors.As(err, &status):
		return e
	}
	answer := status.Status()
	e.Message = clean(webhookText(answer.Message))
	e.Class = classOf(err, answer)
	if e.Class == Conflict {
		e.readConflict(answer)
	}
	return e
}

// withoutURL is what happened to a request. Which one it was, the operation says;
// its address with all parameters says less to people.
func withoutURL(err error) error {
	var sent *url.Error
	if errors.As(err, &sent) {
		return sent.Err
	}
	return err
}

func classOf(err error, answer metav1.Status) Class {
	switch {
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err), // a list that took too long to be read to its end
		apierrors.HasStatusCause(err, namespaceTerminating), lostRace(answer):
		return Transient
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return Conflict
	case apierrors.IsNotFound(err):
		return NotFound
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return Invalid
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), strings.HasPrefix(answer.Message, "admission webhook"):
		return Denied
	case answer.Code >= http.StatusBadRequest && answer.Code < http.StatusInternalServerError &&
		answer.Code != http.StatusTooManyRequests && answer.Code != http.StatusRequestTimeout:
		return Invalid
	}
	return Transient
}

// namespaceTerminating is the cause of a refusal in a Namespace that is being
// deleted (k8s.io/api/core/v1.NamespaceTerminatingCause): it may come again.
const namespaceTerminating metav1.CauseType = "NamespaceTerminating"

// lostRace says whether another write came in between. vksync states no
// resourceVersion, so it is the server that gave up trying.
func lostRace(answer metav1.Status) bool {
	return answer.Reason == metav1.StatusReasonConflict && strings.Contains(answer.Message, "the object has been modified")
}

// denial is how the API server introduces a webhook's own words.
var denial = regexp.MustCompile(`^admission webhook "([^"]+)" denied the request: `)

// webhookText puts the webhook's words first and its name behind them.
func webhookText(message string) string {
	m := denial.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	return strings.TrimPrefix(message, m[0]) + " (" + m[1] + ")"
}

// conflictWith is how server-side apply names the other manager.
var conflictWith = regexp.MustCompile(`conflict with "([^"]+)"`)

// readConflict takes the managers and the fields out of the causes of a conflict
// of server-side apply.
func (e *Error) readConflict(answer metav1.Status) {
	if answer.Details == nil {
		return
	}
	fields := map[string][]string{} // by manager
	for _, cause := range answer.Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		manager := "that is not named"
		if m := conflictWith.FindStringSubmatch(cause.Message); m != nil {
			manager = m[1]
		}
		field := strings.TrimPrefix(cause.Field, ".")
		e.Fields = append(e.Fields, field)
		fields[manager] = append(fields[manager], field)
	}
	if len(e.Fields) == 0 {
		return
	}
	slices.Sort(e.Fields)
	managers := slices.Sorted(maps.Keys(fields))
	e.Manager = strings.Join(managers, ", ")
	var owns []string
	for _, m := range managers {
		slices.Sort(fields[m])
		owns = append(owns, fmt.Sprintf("field manager %s owns %s", m, strings.Join(fields[m], ", ")))
	}
	e.Message = strings.Join(owns, "; ") + " (--force-conflicts takes over)"
}

// listError says of a list that was refused what a user has to be told.
func listError(k kind, err error) error {
	name := k.GroupResource().String()
	wrapped := classify("listing "+name, resource.Addr{}, err)
	var e *Error
	if errors.As(wrapped, &e) && apierrors.IsForbidden(err) {
		e.Message = "forbidden to list " + name
	}
	return wrapped
}
