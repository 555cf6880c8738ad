package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// mostPatience is the longest that a controller waits after an error.
const mostPatience = 1000 * time.Second

// unreadable says what a KubeadmConfig takes from a Secret that is not there, or has
// no such key; "" if there is nothing of that kind.
func (m *Manager) unreadable(namespace string, spec map[string]any) string {
	for _, file := range resource.Items(spec, "files") {
		if !m.readable(namespace, resource.Fields(file, "contentFrom", "secret")) {
			return "Failed to prepare spec.files"
		}
	}
	for _, user := range resource.Items(spec, "users") {
		if !m.readable(namespace, resource.Fields(user, "passwdFrom", "secret")) {
			return "Failed to read password from secrets for spec.users"
		}
	}
	return ""
}

// readable says whether a key of a Secret is there; where none is named it need not be.
func (m *Manager) readable(namespace string, source map[string]any) bool {
	name := resource.Text(source, "name")
	if name == "" {
		return true
	}
	secret := contentOf(m.get(kindSecret, namespace, name))
	for _, data := range []string{"data", "stringData"} {
		if _, there := resource.Fields(secret, data)[resource.Text(source, "key")]; there {
			return true
		}
	}
	return false
}

// patience is how long to wait after an error: as long again as it has lasted.
func (d *draft) patience(kind string) time.Duration {
	since := d.since(kind)
	if since.IsZero() {
		return pace
	}
	return min(max(d.now.Sub(since), pace), mostPatience)
}
