package vsphere_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/vsphere"
)

// Who only looks does without what is denied, and nothing else.
func TestReadableNamespacesLeavesOutWhatIsDenied(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.dial(t, vsphere.Config{})
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	for _, name := range []string{"team-a", "team-b"} {
		if err := c.CreateNamespace(t.Context(), namespaceOf(name)); err != nil {
			t.Fatal(err)
		}
	}
	for status, want := range map[int]vsphere.Kind{http.StatusForbidden: vsphere.Denied, http.StatusInternalServerError: vsphere.Failed} {
		s.breakBy(func(call string, w http.ResponseWriter) bool {
			broken := strings.HasSuffix(call, "/instances/v2/team-b")
			if broken {
				w.WriteHeader(status)
			}
			return broken
		})
		if list, err := c.Namespaces(t.Context()); list != nil || vsphere.KindOf(err) != want {
			t.Errorf("%d: all are %d, %v; want an error of kind %s", status, len(list), err, want)
		}
		list, denied, err := c.ReadableNamespaces(t.Context())
		if want == vsphere.Denied {
			if err != nil || len(list) != 1 || list[0].GetName() != "team-a" || len(denied) != 1 || denied["team-b"] == "" {
				t.Errorf("%d: readable are %d, denied %v, %v; want team-a and team-b", status, len(list), denied, err)
			}
		} else if list != nil || vsphere.KindOf(err) != want {
			t.Errorf("%d: readable are %d, %v; want an error of kind %s", status, len(list), err, want)
		}
	}
}
