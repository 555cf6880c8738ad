package reconcile

import (
	"path"
	"strings"

	kresource "k8s.io/apimachinery/pkg/api/resource"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// namespaceOfFolder is the vSphere Namespace of a folder of virtual machines:
// team-a of /dc/vm/Namespaces/team-a/prod (domain.md 1.16). Empty is none.
func namespaceOfFolder(folder string) string {
	for folder != "/" && folder != "." && folder != "" {
		parent := path.Dir(folder)
		if path.Base(parent) == "Namespaces" {
			return path.Base(folder)
		}
		folder = parent
	}
	return ""
}

// quotaSuffix ends the name of a StoragePolicyQuota; before it is the storage class.
const quotaSuffix = "-storagepolicyquota"

// addStorage adds what the StoragePolicyQuotas say is in use by storage class, and,
// where each of a namespace says it, in all. One whose status says nothing is left
// out: that is not nothing.
func addStorage(list *journal.MeterList, quotas, namespaces []resource.Object) {
	sum, unknown := map[string]int64{}, map[string]bool{}
	for _, q := range quotas {
		used, known := usedOf(q)
		if !known {
			unknown[q.GetNamespace()] = true
			continue
		}
		sum[q.GetNamespace()] += used
		class := strings.TrimSuffix(q.GetName(), quotaSuffix)
		list.Add(quota(q.GetNamespace(), journal.QuotaStorage+" "+class, journal.MiB, limitOf(q), used))
	}
	for _, ns := range namespaces {
		if used, known := sum[ns.GetName()]; known && !unknown[ns.GetName()] {
			list.Add(quota(ns.GetName(), journal.QuotaStorage, journal.MiB, resource.Int(ns.Object, "spec", "resources", "storageLimitMiB"), used))
		}
	}
}

// limitOf is the limit of a StoragePolicyQuota in MiB; 0 is none.
func limitOf(q resource.Object) int64 {
	mib, _ := mebibytes(resource.Field(q.Object, "spec", "limit"))
	return mib
}

// usedOf is what is in use by a StoragePolicyQuota, in MiB: of every storage class of
// the policy, what is there and what is being made.
func usedOf(q resource.Object) (sum int64, known bool) {
	for _, class := range resource.Items(q.Object, "status", "total") {
		for _, part := range []string{"used", "reserved"} {
			if mib, ok := mebibytes(resource.Field(class, "scQuotaUsage", part)); ok {
				sum, known = sum+mib, true
			}
		}
	}
	return sum, known
}

// mebibytes reads a quantity of bytes, which JSON may have as a number.
func mebibytes(value any) (int64, bool) {
	switch v := value.(type) {
	case string:
		q, err := kresource.ParseQuantity(v)
		if err != nil {
			return 0, false
		}
		return roundUp(q.Value()), true
	case int64:
		return roundUp(v), true
	}
	return 0, false
}

func roundUp(bytes int64) int64 {
	mib := bytes >> 20
	if bytes&(1<<20-1) != 0 {
		mib++
	}
	return mib
}
