package kubeapi

// Compact forgets all versions but the present one, as an API server does every
// few minutes: a list that is continued, or a watch that is resumed, from before
// is answered with 410 Gone.
func (s *Store) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history.forget(s.version)
	s.pages = nil
}
