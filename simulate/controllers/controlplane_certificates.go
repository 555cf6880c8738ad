package controllers

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	annotationCertificatesExpiry = "machine.cluster.x-k8s.io/certificates-expiry"
	// certificateLife is how long kubeadm's API server certificates are valid.
	certificateLife = 365 * 24 * time.Hour
)

// certificates are the purposes of the key pairs of a cluster; the first is all that
// a worker needs to join.
var certificates = []string{"ca", "sa", "proxy", "etcd"}

// hasCertificates says whether those are there that a machine needs to join.
func (m *Manager) hasCertificates(cluster *view, controlPlane bool) bool {
	needed := certificates[:1]
	if controlPlane {
		needed = certificates
	}
	return len(m.missingCertificates(cluster, needed)) == 0
}

// missingCertificates are those purposes of which there is no Secret.
func (m *Manager) missingCertificates(cluster *view, purposes []string) []string {
	var missing []string
	for _, purpose := range purposes {
		if m.get(kindSecret, cluster.namespace, cluster.name+"-"+purpose) == nil {
			missing = append(missing, purpose)
		}
	}
	return missing
}

// noCertificates says which are missing.
func noCertificates(missing []string) string {
	noun := "certificate"
	if len(missing) > 1 {
		noun += "s"
	}
	return "Cluster " + noun + " for " + strings.Join(missing, ", ") + areOrIs(len(missing)) + "not available, please check cluster certificate secrets"
}

// createCertificates makes the four key pairs of the cluster, unless a machine uses
// them already: what is lost then is lost. Their content is never looked at by anybody
// here, so it is only a marker.
func (m *Manager) createCertificates(p *controlPlane) error {
	if !p.census.secrets && p.d.isTrue("Initialized") {
		if missing := m.missingCertificates(p.home, certificates); len(missing) > 0 {
			p.d.condition("CertificatesAvailable", "False", "NotAvailable", noCertificates(missing))
			back := p.d.now.Add(syncPeriod) // nobody tells when they are
			p.await(back)
			p.wake(back)
			return nil
		}
	}
	for _, purpose := range certificates {
		if p.census.secrets {
			break
		}
		if _, err := m.createSecret(actorKCP, p.home, p.home.name+"-"+purpose, m.controllerRef(p.u), certificateData); err != nil {
			return err
		}
	}
	p.d.condition("CertificatesAvailable", "True", "Available", "")
	return nil
}

// createKubeconfig makes the Secret that names the endpoint, so there must be one. It
// is signed by the cluster's CA: without that there is nothing else to be done.
func (m *Manager) createKubeconfig(p *controlPlane) (step, error) {
	name := p.home.name + "-kubeconfig"
	switch {
	case p.census.secrets:
		return step{}, nil
	case m.get(kindSecret, p.namespace, name) == nil && !m.hasCertificates(p.home, false):
		return step{taken: true, again: certificateRetry}, nil
	}
	_, err := m.createSecret(actorKCP, p.home, name, m.controllerRef(p.u), kubeconfigData)
	p.census.secrets = err == nil && p.d.isTrue("CertificatesAvailable")
	return step{}, err
}

// The data of generated Secrets. They have keys but no values: there is nothing in
// them that could leak.
var (
	certificateData = map[string]any{"tls.crt": "", "tls.key": ""}
	kubeconfigData  = map[string]any{"value": ""}
	bootstrapData   = map[string]any{"value": "", "format": ""}
)

// createSecret makes a generated Secret of a cluster.
func (m *Manager) createSecret(actor string, cluster *view, name string, owner, data map[string]any) (*unstructured.Unstructured, error) {
	return m.create(actor, kindSecret, map[string]any{
		"metadata": map[string]any{
			"namespace": cluster.namespace, "name": name,
			"labels":          cluster.clusterLabels(),
			"ownerReferences": []any{owner},
		},
		"type": secretType,
		"data": data,
	})
}

// noteCertificates writes down, once a Machine serves the API, when its
// certificates expire. It comes last: only a control plane with nothing to do gets
// to it.
func (m *Manager) noteCertificates(p *controlPlane) error {
	if !p.inspected {
		return nil
	}
	for _, machine := range p.machines {
		config := machine.config
		switch {
		case config == nil || config == machine.kept.certified:
			continue
		case m.expiryOf(config) != "":
			machine.kept.certified = config
			continue
		case machine.deleting || !m.hasNode(machine):
			continue
		}
		joined := m.guest(machine).joined
		if joined.IsZero() {
			continue
		}
		d := edit(config, m.now())
		d.set(joined.Add(certificateLife).UTC().Format(time.RFC3339), "metadata", "annotations", annotationCertificatesExpiry)
		if err := m.commit(actorKCP, d); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) expiryOf(config *unstructured.Unstructured) string {
	return resource.Text(m.view(config).annotations, annotationCertificatesExpiry)
}
