package vcenter_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/vksync/vksync/reconcile/vsphere"
)

// soapClient is a second client, such as govc, for what the shipping one does not do.
func soapClient(t *testing.T, handler http.Handler) *vim25.Client {
	t.Helper()
	config := serve(t, handler)
	u := *config.URL
	u.Path = vim25.Path
	sc := soap.NewClient(&u, true)
	sc.DefaultTransport().DialContext = config.DialContext
	c, err := vim25.NewClient(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	m := session.NewManager(c)
	if err := m.Login(t.Context(), u.User); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Logout(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestClientLogsInAgainWhenItsSessionsEnd(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 2))
	makeVM(t, v, "team-a", "prod", "one")
	c := dial(t, v.Handler())
	before, err := c.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	terminateOthers(t, soapClient(t, v.Handler()))
	v.ExpireSessions()
	after, err := c.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(after.VMs) != 1 || len(after.Hosts) != len(before.Hosts) {
		t.Errorf("after the sessions ended: %d VMs and %d hosts, want 1 and %d", len(after.VMs), len(after.Hosts), len(before.Hosts))
	}
}

func terminateOthers(t *testing.T, admin *vim25.Client) {
	t.Helper()
	m := session.NewManager(admin)
	own, err := m.UserSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var manager mo.SessionManager
	if err := mo.RetrieveProperties(t.Context(), admin, admin.ServiceContent.PropertyCollector, *admin.ServiceContent.SessionManager, &manager); err != nil {
		t.Fatal(err)
	}
	var others []string
	for _, s := range manager.SessionList {
		if s.Key != own.Key {
			others = append(others, s.Key)
		}
	}
	if len(others) == 0 {
		t.Fatal("no session of another client")
	}
	if err := m.TerminateSession(t.Context(), others); err != nil {
		t.Fatal(err)
	}
}

// withoutSession takes the session from the first times reads of VM details,
// which a vCenter answers with success and every property missing.
func withoutSession(next http.Handler, times int32) http.Handler {
	var seen atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if bytes.Contains(body, []byte("config.hardware.numCPU")) && seen.Add(1) <= times {
			r.Header.Del("Cookie")
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func TestMissingPropertiesAreReadAgainAfterLogin(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 2))
	makeVM(t, v, "team-a", "prod", "one")
	o, err := dial(t, withoutSession(v.Handler(), 1)).Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(o.VMs) != 1 || o.VMs[0].CPUs != 2 {
		t.Errorf("got VMs %+v, want one with 2 CPUs", o.VMs)
	}
}

func TestMissingPropertiesAreUnknownNotAbsent(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 2))
	makeVM(t, v, "team-a", "prod", "one")
	o, err := dial(t, withoutSession(v.Handler(), 100)).Inventory(t.Context())
	if o != nil || vsphere.KindOf(err) != vsphere.Unknown {
		t.Fatalf("got %+v and error %v, want none and an error of kind unknown", o, err)
	}
	if want := "could not be read: NotAuthenticated"; !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}

func TestLoginIsDeniedWithoutPassword(t *testing.T) {
	t.Parallel()
	config := serve(t, start(t, lab(t, 1)).Handler())
	config.URL.User = url.User("administrator")
	if _, err := vsphere.Dial(t.Context(), config); vsphere.KindOf(err) != vsphere.Denied {
		t.Errorf("got %v, want an error of kind denied", err)
	}
}

// TestErrorsNameTheAddressAndHideThePassword plants the password in what the
// server answers, as a proxy that dumps a request does.
func TestErrorsNameTheAddressAndHideThePassword(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"a fault": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			if _, err := io.WriteString(w, `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Fault><faultcode>x</faultcode><faultstring>`+password+`</faultstring></Fault></Body></Envelope>`); err != nil {
				t.Error(err)
			}
		},
		"no SOAP at all": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, password, http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := vsphere.Dial(t.Context(), serve(t, handler))
			if err == nil {
				t.Fatal("no error")
			}
			if text := err.Error(); strings.Contains(text, password) || !strings.Contains(text, "vcenter.lab.example") {
				t.Errorf("error %q has the password or lacks the address", text)
			}
		})
	}
}

func TestUnreachableVCenterIsTransient(t *testing.T) {
	t.Parallel()
	config := serve(t, http.NotFoundHandler())
	config.Timeout = 50 * time.Millisecond
	config.DialContext = (&pipes{}).dial // nobody accepts
	if _, err := vsphere.Dial(t.Context(), config); vsphere.KindOf(err) != vsphere.Transient {
		t.Errorf("got %v, want an error of kind transient", err)
	}
}
