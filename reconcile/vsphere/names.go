package vsphere

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// names translate between what people call a thing and what the REST API does.
type names struct {
	kind string
	ids  map[string]string // by name
	back map[string]string // by identifier
}

func newNames(kind string) names {
	return names{kind: kind, ids: map[string]string{}, back: map[string]string{}}
}

func (n names) add(id, name string) { n.ids[name], n.back[id] = id, name }

func (n names) sorted() []string { return slices.Sorted(maps.Keys(n.ids)) }

// id is the identifier of name; what there is instead is in the error.
func (n names) id(name string) (string, error) {
	if id, ok := n.ids[name]; ok {
		return id, nil
	}
	return "", &Error{Kind: Invalid, Detail: fmt.Sprintf("there is no %s %q; the vCenter has %s", n.kind, name, orNone(n.sorted()))}
}

// name is the name of id, or id itself for what is gone but still referred to.
func (n names) name(id string) string {
	if name, ok := n.back[id]; ok {
		return name
	}
	return id
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func escape(segment string) string { return url.PathEscape(segment) }

func (c *Client) supervisorNames(ctx context.Context) (names, error) {
	out := newNames("Supervisor")
	list, err := c.supervisors(ctx)
	for _, s := range list {
		out.add(s.ID, s.Name)
	}
	return out, err
}

func (c *Client) policies(ctx context.Context) (names, error) {
	out := newNames("storage policy")
	var list []struct {
		Policy string `json:"policy"`
		Name   string `json:"name"`
	}
	if err := c.rest.call(ctx, "GET", "/api/vcenter/storage/policies", nil, &list); err != nil {
		return out, fmt.Errorf("reading the storage policies: %w", err)
	}
	for _, p := range list {
		out.add(p.Policy, p.Name)
	}
	return out, nil
}

// libraryNames reads the content libraries; their names take a call each, which
// is made once for each library.
func (c *Client) libraryNames(ctx context.Context) (names, error) {
	out := newNames("content library")
	var ids []string
	if err := c.rest.call(ctx, "GET", "/api/content/library", nil, &ids); err != nil {
		return out, fmt.Errorf("reading the content libraries: %w", err)
	}
	found := make([]string, len(ids))
	err := forEach(ids, func(i int, id string) error {
		name, err := c.libraryName(ctx, id)
		found[i] = name
		return err
	})
	for i, id := range ids {
		out.add(id, found[i])
	}
	return out, err
}

func (c *Client) libraryName(ctx context.Context, id string) (string, error) {
	c.mu.Lock()
	name, known := c.libraries[id]
	c.mu.Unlock()
	if known {
		return name, nil
	}
	var library struct {
		Name string `json:"name"`
	}
	if err := c.rest.call(ctx, "GET", "/api/content/library/"+escape(id), nil, &library); err != nil {
		return "", fmt.Errorf("reading content library %s: %w", id, err)
	}
	c.mu.Lock()
	c.libraries[id] = library.Name
	c.mu.Unlock()
	return library.Name, nil
}

// forEach calls f on all items at once; the REST client limits how many calls
// are in flight. It returns the first error in the order of the items.
func forEach[T any](items []T, f func(int, T) error) error {
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Go(func() { errs[i] = f(i, item) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
