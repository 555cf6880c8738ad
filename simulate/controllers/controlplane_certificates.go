package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	annotationCertificatesExpiry = "machine.cluster.x-k8s.io/certificates-expiry"
	// certificateLife is how long kubeadm's API server certificates are valid.
	certificateLife = 365 * 24 * time.Hour
)

// createCertificates makes the four key pairs of the cluster. Their content is
// never looked at by anybody here, so it is only a marker.
func (m *Manager) createCertificates(p *controlPlane) error {
	for _, purpose := range []string{"ca", "sa", "proxy", "etcd"} {
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

// createKubeconfig makes the Secret that names the endpoint, so there must be one.
func (m *Manager) createKubeconfig(p *controlPlane) error {
	if p.census.secrets {
		return nil
	}
	_, err := m.createSecret(actorKCP, p.home, p.home.name+"-kubeconfig", m.controllerRef(p.u), kubeconfigData)
	p.census.secrets = err == nil
	return err
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
