package kubeapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// momentLimit is how many lists that are read in pages are kept as they were
// when their first page was read.
const momentLimit = 64

// A moment is what a list covered when its first page was read. Objects never
// change, so keeping it costs their pointers.
type moment struct {
	table     *table
	namespace string
	version   uint64
	objects   []stored
}

// moments are the latest ones, oldest first. They are guarded by the store's lock.
type moments []moment

func (m *moments) keep(one moment) {
	if len(*m) == momentLimit {
		*m = slices.Delete(*m, 0, 1)
	}
	*m = append(*m, one)
}

func (m *moments) find(t *table, namespace string, version uint64) *moment {
	i := slices.IndexFunc(*m, func(one moment) bool {
		return one.table == t && one.namespace == namespace && one.version == version
	})
	if i < 0 {
		return nil
	}
	return &(*m)[i]
}

// A token is where a list goes on.
type token struct {
	Kind    string `json:"v"` // tokenKind
	Version int64  `json:"rv"`
	// Start is the place, "NAMESPACE/NAME", after which it goes on.
	Start string `json:"start"`
}

const (
	tokenKind = "meta.k8s.io/v1"
	// anyVersion in a token goes on with what is there now.
	anyVersion = -1
)

func (t token) encode() string {
	t.Kind = tokenKind
	text, err := json.Marshal(t)
	if err != nil { // two strings and a number
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodeToken(text string) (token, error) {
	var t token
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, &t)
	}
	if err == nil && t.Kind != tokenKind {
		err = fmt.Errorf("server does not recognize this encoded version %q", t.Kind)
	}
	if err != nil {
		return t, apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: continue key is not valid: %v", err))
	}
	return t, nil
}

// A page is the answer to a list request.
type page struct {
	objects   []stored
	version   uint64
	next      string // "" when there is nothing more
	remaining int    // objects after these; -1 is unknown
}

// page reads what a list request asks for.
func (c *call) page(sc scope) (page, error) {
	if err := c.checkListOptions(false); err != nil {
		return page{}, err
	}
	limit, err := c.limit()
	if err != nil {
		return page{}, err
	}
	asked, err := versionIn(c.query)
	if err != nil {
		return page{}, err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := c.query.Get("continue"); text != "" {
		if asked > 0 {
			return page{}, apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		return s.continued(c.table, sc, limit, text)
	}
	if asked > s.version {
		return page{}, versionTooLarge(asked, s.version)
	}
	if asked < s.version && c.query.Get("resourceVersionMatch") == string(metav1.ResourceVersionMatchExact) {
		return page{}, apierrors.NewResourceExpired("The resourceVersion for the provided list is too old.")
	}
	return s.cut(c.table, sc, limit, s.scan(c.table, sc), s.version), nil
}

// cut takes a page of objects that are all in scope.
func (s *Store) cut(t *table, sc scope, limit int, objects []stored, version uint64) page {
	p := page{objects: objects, version: version, remaining: -1}
	if limit == 0 || len(objects) <= limit {
		return p
	}
	p.objects = objects[:limit]
	p.next = token{Version: int64(version), Start: startOf(p.objects[limit-1].object)}.encode()
	if sc.whole() {
		p.remaining = len(objects) - limit
	}
	if version == s.version && s.pages.find(t, sc.namespace, version) == nil {
		s.pages.keep(moment{t, sc.namespace, version, s.all(t, sc.namespace)})
	}
	return p
}

// continued is a later page of a list.
func (s *Store) continued(t *table, sc scope, limit int, text string) (page, error) {
	at, err := decodeToken(text)
	if err != nil {
		return page{}, err
	}
	objects, version, err := s.moment(t, sc.namespace, at)
	if err != nil {
		return page{}, err
	}
	next := sort.Search(len(objects), func(i int) bool { return startOf(objects[i].object) > at.Start })
	return s.cut(t, sc, limit, sc.first(limit, objects[next:]), version), nil
}

// moment is what a list covers that goes on at a token.
func (s *Store) moment(t *table, namespace string, at token) ([]stored, uint64, error) {
	if at.Version != anyVersion {
		if m := s.pages.find(t, namespace, uint64(at.Version)); m != nil {
			return m.objects, m.version, nil
		}
		if uint64(at.Version) != s.version {
			return nil, 0, tooOldToContinue(token{Version: anyVersion, Start: at.Start}.encode())
		}
	}
	return s.all(t, namespace), s.version, nil
}

// startOf orders objects as lists do.
func startOf(u *unstructured.Unstructured) string {
	return resource.Text(u.Object, "metadata", "namespace") + "\x00" + resource.Text(u.Object, "metadata", "name")
}

// all are the objects of a kind in a namespace, "" being any.
func (s *Store) all(t *table, namespace string) []stored {
	var out []stored
	for _, b := range t.buckets(namespace, "") {
		for _, r := range b {
			out = append(out, r.stored)
		}
	}
	return out
}

// tooOldToContinue offers a token to read the rest as it is now.
func tooOldToContinue(next string) error {
	err := apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, " +
		"or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - " +
		"objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.")
	err.ErrStatus.ListMeta = metav1.ListMeta{Continue: next}
	err.ErrStatus.Code = http.StatusGone
	return err
}
