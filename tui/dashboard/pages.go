package dashboard

// pages are the views, in the order of their numbers.
func pages(Config) []page {
	return []page{newFleetPage()}
}
