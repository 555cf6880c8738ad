package dashboard

import "testing"

func TestFleetFrames(t *testing.T) {
	t.Parallel()
	frames(t, "fleet")
}
