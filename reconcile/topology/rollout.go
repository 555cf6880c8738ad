package topology

import (
	"fmt"
	"regexp"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// rolloutsAreValid refuses node pools that could never be replaced.
func rolloutsAreValid(path *field.Path, topology map[string]any) field.ErrorList {
	var errs field.ErrorList
	for _, pool := range resource.Items(topology, "workers", "machineDeployments") {
		at := path.Child("workers", "machineDeployments").Key(resource.Text(pool, "name")).Child("rollout", "strategy")
		errs = append(errs, strategyIsValid(at, resource.Fields(pool, "rollout", "strategy"))...)
	}
	return errs
}

// percentage is how a share of the machines is written.
var percentage = regexp.MustCompile(`^[0-9]+%$`)

// strategyIsValid refuses a rolling update that is none.
func strategyIsValid(path *field.Path, strategy map[string]any) field.ErrorList {
	var errs field.ErrorList
	rolling := resource.Fields(strategy, "rollingUpdate")
	for _, name := range []string{"maxUnavailable", "maxSurge"} {
		if text, ok := rolling[name].(string); ok && !percentage.MatchString(text) {
			errs = append(errs, field.Invalid(path.Child("rollingUpdate", name), text,
				"must be either an int or a percentage: invalid value for IntOrString: invalid type: string is not a percentage"))
		}
	}
	unavailable, haveUnavailable := whole(rolling["maxUnavailable"])
	surge, haveSurge := whole(rolling["maxSurge"])
	if haveUnavailable && haveSurge && unavailable == 0 && surge == 0 {
		errs = append(errs, field.Invalid(path.Child("rollingUpdate"), "0", "maxUnavailable and maxSurge cannot both be 0"))
	}
	return errs
}

// whole is a value that is a number and no percentage.
func whole(v any) (int64, bool) {
	switch v.(type) {
	case int64, int, float64:
		return resource.Int(v), true
	}
	return 0, false
}

// concurrencyIsValid refuses an upgrade-concurrency that is no number of pools.
func concurrencyIsValid(cluster map[string]any) field.ErrorList {
	const key = "topology.cluster.x-k8s.io/upgrade-concurrency"
	if !annotated(cluster, key) {
		return nil
	}
	path := field.NewPath("metadata", "annotations", key)
	text := resource.Text(cluster, "metadata", "annotations", key)
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return field.ErrorList{field.Invalid(path, text, fmt.Sprintf("could not parse the value of the annotation: %v", err))}
	case n < 1:
		return field.ErrorList{field.Invalid(path, text, "value cannot be less than 1")}
	}
	return nil
}
