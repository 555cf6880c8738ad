package dashboard

// pages are the views, in the order of their numbers.
func pages(c Config) []page {
	return []page{newFleetPage(), newClusterPage(), newObjectsPage(), newPlanPage(c), newVspherePage()}
}
