package vsphere

import (
	"context"
	"net/url"
	"reflect"
	"sync"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// session is a SOAP round tripper that logs in again when vCenter says that the
// session is not authenticated, and repeats the call once. Once, because vCenter
// answers the same to a user without rights.
type session struct {
	next    soap.RoundTripper
	manager *types.ManagedObjectReference
	user    *url.Userinfo
	note    func(what string, err error) // is told how logins went

	mu    sync.Mutex // held while logging in
	count int        // logins so far
}

var _ soap.RoundTripper = (*session)(nil)

// RoundTrip runs one call.
func (s *session) RoundTrip(ctx context.Context, req, res soap.HasFault) error {
	before := s.logins()
	err := s.next.RoundTrip(ctx, req, res)
	if !lostSession(err) {
		return err
	}
	if err := s.renew(ctx, before); err != nil {
		return err
	}
	// The response still carries the fault, and decoding would leave it there.
	reflect.ValueOf(res).Elem().SetZero()
	return s.next.RoundTrip(ctx, req, res)
}

func (s *session) logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// renew logs in, unless somebody else did since there had been so many logins.
func (s *session) renew(ctx context.Context, before int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count > before || s.manager == nil {
		return nil
	}
	err := s.login(ctx)
	s.note("logging in", err)
	if err == nil {
		s.count++
	}
	return err
}

func (s *session) login(ctx context.Context) error {
	if s.count > 0 {
		// vCenter refuses a login within a session that it does know after all.
		if err := s.logout(ctx); err != nil {
			return err
		}
	}
	password, _ := s.user.Password()
	_, err := methods.Login(ctx, s.next, &types.Login{This: *s.manager, UserName: s.user.Username(), Password: password})
	return err
}

func (s *session) logout(ctx context.Context) error {
	if s.manager == nil {
		return nil
	}
	_, err := methods.Logout(ctx, s.next, &types.Logout{This: *s.manager})
	if lostSession(err) {
		return nil
	}
	return err
}

// lostSession reports whether vCenter did not know the session.
func lostSession(err error) bool {
	_, lost := faultOf(err).(*types.NotAuthenticated)
	return lost
}
