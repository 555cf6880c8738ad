package schema

import (
	"time"
)

// Config is what the file of --config says: the Supervisors and vCenters to act
// on, the Git sources to follow, and how. LoadConfig has filled in the defaults
// and made relative paths of files absolute or relative to the working directory:
// in the file they are relative to the directory of the file.
type Config struct {
	// Supervisors, at least one, with unique names.
	Supervisors []SupervisorConfig
	// Sources have unique names. A one-shot apply needs none.
	Sources []SourceConfig
	Server  ServerConfig
	// LeaderElection says which replica acts for a source.
	LeaderElection LeaderElectionConfig
	// Shard is a Kubernetes label selector, as "tier=prod,region in (eu,us)": only
	// Clusters with such labels are acted on. "" is all.
	Shard string
}

// SupervisorConfig is one Supervisor and the vCenter it belongs to.
type SupervisorConfig struct {
	// Name is what spec.supervisor of a VSphereNamespace refers to.
	Name       string
	VCenter    VCenterConfig
	Kubernetes KubernetesConfig
}

// VCenterConfig is how to reach a vCenter and log in.
type VCenterConfig struct {
	// URL is https://HOST, with an optional port; the path is /sdk.
	URL         string
	Credentials Credentials
	TLS         TLSConfig
}

// KubernetesConfig is how to reach the Supervisor's Kubernetes API: either by a
// kubeconfig or by logging in.
type KubernetesConfig struct {
	// Kubeconfig is a file. "" with a nil Login is what kubectl would take:
	// $KUBECONFIG, or the file in the home directory.
	Kubeconfig string
	// Context of the kubeconfig; "" is its current one.
	Context string
	// Login is set where vksync logs in itself, and then the others are "".
	Login *LoginConfig
}

// LoginConfig is a login at the Supervisor's /wcp/login.
type LoginConfig struct {
	// Address is the Supervisor's HOST or HOST:PORT; the port is 443 by default.
	Address string
	// API is HOST:PORT of the Kubernetes API; "" is the host of Address at 6443.
	API string
	// Credentials are those of the vCenter where the file gives none.
	Credentials Credentials
	TLS         TLSConfig
}

// TLSConfig says what else than the system's authorities is trusted. The zero
// value is what nearly everybody wants: the certificate is verified.
type TLSConfig struct {
	// CAFile holds PEM certificates, in place of the system's.
	CAFile string
	// Thumbprint, SHA-1 or SHA-256 in hex with or without colons, accepts that one
	// certificate.
	Thumbprint string
	// Insecure accepts any certificate.
	Insecure bool
}

// Credentials are a user, as "administrator@vsphere.local", and a password.
type Credentials struct {
	Username UserRef
	Password SecretRef
}

// SourceConfig is one Git repository to follow.
type SourceConfig struct {
	// Name is a DNS label. It goes into the label of every object the source owns:
	// renaming a source disowns them.
	Name string
	// URL is https://, ssh:// or user@host:path, or the path of a local repository,
	// bare or not. It holds no password.
	URL string
	// Branch to follow; "" is the remote's HEAD.
	Branch string
	// Path is the directory in the repository, slash-separated; "" is all of it.
	Path string
	// Supervisor is where the source's Clusters live; the only one by default. A
	// VSphereNamespace names its own.
	Supervisor string
	// Poll is how often a remote is asked, at least 1s; 30s by default.
	Poll   time.Duration
	Auth   AuthConfig
	Verify VerifyConfig
	// Webhook is nil where none is accepted.
	Webhook *WebhookConfig
	// AllowRewrite says whether the branch may move to a commit that does not
	// descend from the last one.
	AllowRewrite bool
	Policy       Policy
}

// AuthConfig is how to log in at a remote. The zero value is for public
// repositories and for local ones. Either Password or Token or SSHKeyFile.
type AuthConfig struct {
	// Username goes with Password; with Token it is what the server wants there,
	// as "oauth2".
	Username UserRef
	Password SecretRef
	// Token is for HTTP.
	Token SecretRef
	// SSHKeyFile is a private key in PEM or OpenSSH form without a passphrase.
	SSHKeyFile string
	// KnownHostsFile holds the host keys accepted for ssh; "" is ~/.ssh/known_hosts.
	KnownHostsFile string
	// CAFile holds PEM certificates, in place of the system's.
	CAFile string
}

// VerifyConfig says whose signature a commit needs: one that either file knows.
// With the zero value signatures are not looked at.
type VerifyConfig struct {
	// OpenPGPKeysFile is an armored keyring of public keys.
	OpenPGPKeysFile string
	// SSHAllowedSignersFile is in the form of ssh-keygen's ALLOWED SIGNERS.
	SSHAllowedSignersFile string
}

// Required says whether commits have to be signed.
func (v VerifyConfig) Required() bool { return v != VerifyConfig{} }

// WebhookConfig is a webhook that says when to look at the remote.
type WebhookConfig struct {
	// Provider is "github", "gitlab", "gitea" or "bitbucket"; Forgejo is gitea.
	Provider string
	// Secret is shared with the provider, which signs every delivery by it.
	Secret SecretRef
}

// The modes of a Policy.
const (
	ModeAutomatic = "automatic" // what a plan says is done
	ModePlanOnly  = "plan-only" // plans are made and shown
	ModeApproval  = "approval"  // a plan is done once it is approved by annotation
)

// What is done about drift.
const (
	DriftCorrect = "correct" // put right
	DriftObserve = "observe" // reported
)

// Policy is what vksync may do on its own for one source.
type Policy struct {
	// Mode is ModeAutomatic by default.
	Mode string
	// Prune says whether what is no longer in Git is deleted; PruneLimit is how
	// many resources one run may delete, 5 by default, 0 for no limit.
	Prune      bool
	PruneLimit int
	// Adopt takes over objects that exist already and belong to nobody.
	Adopt bool
	// ForceConflicts takes fields from other field managers.
	ForceConflicts bool
	// Drift is DriftCorrect by default.
	Drift string
	// Freeze are the times when nothing is changed.
	Freeze []Window
}

// ServerConfig is the daemon's HTTP server.
type ServerConfig struct {
	// Address is HOST:PORT, 127.0.0.1:8090 by default. Any other than a loopback
	// address needs a Token.
	Address string
	// Token is the bearer token of the API; /healthz, /readyz, /metrics and
	// webhooks need none. The zero value is none.
	Token SecretRef
}

// LeaderElectionConfig is about the Leases that replicas hold in turn: one for
// each source on each Supervisor, called NAME-SOURCE, so that replicas share the
// sources out.
type LeaderElectionConfig struct {
	// Namespace is that of the Leases on each Supervisor, "vksync" by default. The
	// ConfigMap vksync-SOURCE, in which a source's state is kept, is there too,
	// also when election is disabled.
	Namespace string
	// Name is what the Leases' names begin with, "vksync" by default. Replicas of
	// another shard need another name.
	Name string
	// Disabled is for a single replica: it always acts.
	Disabled bool
}
