package vsphere

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/vksync/vksync/reconcile/link"
)

// Kind is what a caller can do about an error.
type Kind string

// The kinds of Error.
const (
	Transient Kind = "transient" // try again later: the network, a busy or restarting vCenter, a deadline
	Denied    Kind = "denied"    // wrong credentials or missing privileges
	NotFound  Kind = "not found"
	Invalid   Kind = "invalid"  // vCenter does not accept the request, nor will it later
	Conflict  Kind = "conflict" // the present state does not allow it: exists already, is being removed, is in use
	Unknown   Kind = "unknown"  // something was not readable, so nothing may be concluded
	Failed    Kind = "failed"   // anything else
)

// Error is why an operation on a vCenter failed.
type Error struct {
	Op      string // gerund with its object: creating vSphere Namespace team-a
	Address string // host:port of the vCenter
	Kind    Kind
	Detail  string // in vCenter's words where it had any
	cause   error
}

// Error is on one line and holds no password.
func (e *Error) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("%s: %s: %s", e.Op, e.Kind, e.Detail)
	}
	return fmt.Sprintf("%s on %s: %s: %s", e.Op, e.Address, e.Kind, e.Detail)
}

// Unwrap is the cause, for errors.Is with context.Canceled and the like. Its text
// is not for users.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the *Error in err, or Failed.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Failed
}

// wrap classifies err, which may be nil.
func (c *Client) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	kind, detail := classify(err)
	return &Error{Op: op, Address: c.address, Kind: kind, Detail: c.hide(detail), cause: err}
}

// hide takes the password and other credentials out of a text.
func (c *Client) hide(text string) string {
	if c.secret != "" {
		text = strings.ReplaceAll(text, c.secret, "***")
	}
	return link.Scrub(text)
}

func classify(err error) (Kind, string) {
	var answer *restError
	var missing *missingError
	var network net.Error
	var untrusted *tls.CertificateVerificationError
	switch fault := faultOf(err); {
	case errors.As(err, &missing):
		return Unknown, missing.Error()
	case errors.As(err, &answer):
		return answer.kind(), answer.Error()
	case fault != nil:
		return kindOfFault(fault), faultText(fault, err)
	case errors.As(err, &untrusted): // before the network: net/http wraps it in such an error
		return Denied, err.Error()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Transient, "no answer in time"
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrClosedPipe):
		return Transient, withoutURL(err).Error()
	}
	return Failed, err.Error()
}

// withoutURL is what happened to a request, without the address that net/http puts
// in front: the operation says which one it was.
func withoutURL(err error) error {
	var sent *url.Error
	if errors.As(err, &sent) {
		return sent.Err
	}
	return err
}

// faultOf is the vCenter fault in err, or nil.
func faultOf(err error) types.BaseMethodFault {
	var f interface{ Fault() types.BaseMethodFault }
	if errors.As(err, &f) {
		return f.Fault()
	}
	return nil
}

// faultKinds are the faults that mean something to a caller, by the name of their type.
var faultKinds = map[Kind][]string{
	Denied:    {"NotAuthenticated", "NoPermission", "InvalidLogin", "InvalidLocale", "PasswordExpired", "RestrictedByAdministrator"},
	NotFound:  {"ManagedObjectNotFound", "NotFound"},
	Invalid:   {"InvalidArgument", "InvalidName", "InvalidRequest", "InvalidType", "InvalidProperty", "NotSupported", "MethodNotFound", "InvalidDatastorePath"},
	Conflict:  {"DuplicateName", "AlreadyExists", "ResourceInUse", "ConcurrentAccess", "InvalidState", "InvalidPowerState"},
	Transient: {"HostCommunication", "HostNotConnected", "HostNotReachable", "TaskInProgress", "Timedout", "RequestCanceled"},
}

func kindOfFault(f types.BaseMethodFault) Kind {
	name := reflect.TypeOf(f).Elem().Name()
	for kind, names := range faultKinds {
		if slices.Contains(names, name) {
			return kind
		}
	}
	return Failed
}

// faultText is the name of the fault with vCenter's message, where it sent one.
func faultText(f types.BaseMethodFault, err error) string {
	words := []string{reflect.TypeOf(f).Elem().Name()}
	if soap.IsSoapFault(err) {
		if text := soap.ToSoapFault(err).String; text != "" {
			words = append(words, text)
		}
	}
	if property, ok := f.(*types.InvalidArgument); ok && property.InvalidProperty != "" {
		words = append(words, property.InvalidProperty)
	}
	for _, m := range f.GetMethodFault().FaultMessage {
		words = append(words, m.Message)
	}
	return strings.Join(words, ": ")
}

// statusKind is for REST answers that say nothing but their status.
func statusKind(status int) Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Denied
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusConflict:
		return Conflict
	case status == http.StatusTooManyRequests, status >= 500 && status != http.StatusInternalServerError:
		return Transient
	case status >= 400 && status < 500:
		return Invalid
	}
	return Failed
}
