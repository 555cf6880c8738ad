package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// recent are maps that were made last and that clusters have in common: those of a class
// ask for the same templates.
type recent []map[string]any

const recentLimit = 16

// shared is a recent map that is equal to made, else made, which then is the most recent.
func (r *recent) shared(made map[string]any) map[string]any {
	if at := slices.IndexFunc(*r, func(known map[string]any) bool { return resource.Equal(known, made) }); at >= 0 {
		return (*r)[at]
	}
	if len(*r) == recentLimit {
		*r = slices.Delete(*r, 0, 1)
	}
	*r = append(*r, made)
	return made
}
