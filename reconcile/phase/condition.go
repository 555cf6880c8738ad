package phase

import "github.com/vksync/vksync/reconcile/resource"

// AsItShouldBe reports that a condition of an object of a kind shows nothing
// wrong: most are good when True, those that name an activity when it is over, and
// those that nobody heeds always (domain.md 1.0; observed.md 6.4).
func AsItShouldBe(kind string, c resource.Condition) bool { return asItShouldBe(kind, c) }
