package vcenter

import (
	"net/http"
	"slices"
)

// getAccess answers with the role of one subject.
func (v *VCenter) getAccess(r *http.Request) (any, error) {
	name, entry := accessEntry(r)
	spec, ok := v.namespaces.get(name)
	if !ok {
		return nil, refuse(notFound, "There is no vSphere Namespace with the name %q.", name)
	}
	i := entry.in(spec.Permissions)
	if i < 0 {
		return nil, entry.unknown(name)
	}
	return map[string]string{"role": spec.Permissions[i].Role}, nil
}

// setAccess gives one subject a role: POST where it has none yet, PUT where it has one.
func (v *VCenter) setAccess(r *http.Request) (any, error) {
	name, entry := accessEntry(r)
	var body struct {
		Role string `json:"role"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	entry.Role = body.Role
	return nil, v.namespaces.update(name, func(spec *NamespaceSpec) error {
		if err := entry.check(); err != nil {
			return err
		}
		i := entry.in(spec.Permissions)
		switch {
		case r.Method == http.MethodPost && i >= 0:
			return refuse(alreadyExists, "%s@%s has a role on %q already.", entry.Subject, entry.Domain, name)
		case r.Method == http.MethodPut && i < 0:
			return entry.unknown(name)
		case i >= 0:
			spec.Permissions[i].Role = entry.Role
		default:
			spec.Permissions = append(spec.Permissions, Permission{Subject: entry.Subject, Domain: entry.Domain, Type: entry.SubjectType, Role: entry.Role})
		}
		return nil
	})
}

func (v *VCenter) deleteAccess(r *http.Request) (any, error) {
	name, entry := accessEntry(r)
	return nil, v.namespaces.update(name, func(spec *NamespaceSpec) error {
		i := entry.in(spec.Permissions)
		if i < 0 {
			return entry.unknown(name)
		}
		spec.Permissions = slices.Delete(spec.Permissions, i, i+1)
		return nil
	})
}

// accessEntry is the namespace and the subject that the URL names.
func accessEntry(r *http.Request) (namespace string, entry wireAccess) {
	return r.PathValue("namespace"), wireAccess{
		SubjectType: r.URL.Query().Get("type"), Subject: r.PathValue("subject"), Domain: r.PathValue("domain"),
	}
}

func (a wireAccess) in(list []Permission) int {
	return slices.IndexFunc(list, func(p Permission) bool {
		return p.Subject == a.Subject && p.Domain == a.Domain && p.Type == a.SubjectType
	})
}

func (a wireAccess) unknown(namespace string) error {
	return refuse(notFound, "%s@%s (%s) has no role on %q.", a.Subject, a.Domain, a.SubjectType, namespace)
}
