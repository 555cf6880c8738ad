package topology

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// blocksAreValid refuses what is no block of addresses. Whether blocks overlap is
// not looked at by any webhook.
func blocksAreValid(path *field.Path, blocks []any) field.ErrorList {
	var errs field.ErrorList
	for i, b := range blocks {
		text, _ := b.(string)
		if _, err := netip.ParsePrefix(text); err != nil {
			errs = append(errs, field.Invalid(path.Index(i), text, "invalid CIDR address: "+text))
		}
	}
	return errs
}
