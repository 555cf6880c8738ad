package vsphere

import (
	"context"
	"fmt"
	"reflect"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// properties are what was read of one object.
type properties struct {
	ref    types.ManagedObjectReference
	values map[string]types.AnyType
}

// property is the value at path, or T's zero value when vCenter has none.
func property[T any](p properties, path string) T {
	v, _ := p.values[path].(T)
	return v
}

// missingError is a property that vCenter did not let be read. Without a session
// it answers reads with success and all properties missing, so whoever takes
// missing for absent sees an empty inventory.
type missingError struct {
	ref   types.ManagedObjectReference
	path  string
	fault types.BaseMethodFault
}

func (e *missingError) Error() string {
	return fmt.Sprintf("%s of %s %s could not be read: %s", e.path, e.ref.Type, e.ref.Value, reflect.TypeOf(e.fault).Elem().Name())
}

// Fault is why; it makes a lost session look the same here as anywhere else.
func (e *missingError) Fault() types.BaseMethodFault { return e.fault }

// retrieve reads properties, page by page. Any one that is missing is an error.
func (c *Client) retrieve(ctx context.Context, spec types.PropertyFilterSpec) ([]properties, error) {
	collector := c.vim.ServiceContent.PropertyCollector
	first, err := methods.RetrievePropertiesEx(ctx, c.vim, &types.RetrievePropertiesEx{
		This: collector, SpecSet: []types.PropertyFilterSpec{spec},
	})
	if err != nil || first.Returnval == nil {
		return nil, err // vCenter returns nothing at all for an empty result
	}
	out, err := decode(nil, first.Returnval.Objects)
	for token := first.Returnval.Token; token != "" && err == nil; {
		var next *types.ContinueRetrievePropertiesExResponse
		next, err = methods.ContinueRetrievePropertiesEx(ctx, c.vim, &types.ContinueRetrievePropertiesEx{This: collector, Token: token})
		if err == nil {
			out, err = decode(out, next.Returnval.Objects)
			token = next.Returnval.Token
		}
	}
	return out, err
}

func decode(out []properties, objects []types.ObjectContent) ([]properties, error) {
	for _, o := range objects {
		for _, m := range o.MissingSet {
			return nil, &missingError{ref: o.Obj, path: m.Path, fault: m.Fault.Fault}
		}
		p := properties{ref: o.Obj, values: make(map[string]types.AnyType, len(o.PropSet))}
		for _, d := range o.PropSet {
			p.values[d.Name] = d.Val
		}
		out = append(out, p)
	}
	return out, nil
}

// inView selects everything in a container view, with the paths wanted per type.
func inView(view types.ManagedObjectReference, paths []types.PropertySpec) types.PropertyFilterSpec {
	return types.PropertyFilterSpec{
		PropSet: paths,
		ObjectSet: []types.ObjectSpec{{
			Obj:       view,
			Skip:      types.NewBool(true),
			SelectSet: []types.BaseSelectionSpec{&types.TraversalSpec{Type: view.Type, Path: "view"}},
		}},
	}
}

// of selects the objects given.
func of(refs []types.ManagedObjectReference, kind string, paths ...string) types.PropertyFilterSpec {
	spec := types.PropertyFilterSpec{PropSet: []types.PropertySpec{{Type: kind, PathSet: paths}}}
	for _, ref := range refs {
		spec.ObjectSet = append(spec.ObjectSet, types.ObjectSpec{Obj: ref, Skip: types.NewBool(false)})
	}
	return spec
}
