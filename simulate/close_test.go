package simulate_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/vksync/vksync/simulate"
)

// A client that keeps its connection must not keep a closed world with it: forecasts
// make worlds one after the other.
func TestAClosedWorldIsLetGo(t *testing.T) {
	t.Parallel()
	for host, path := range map[string]string{"supervisor.simulated": "/api", "vcenter.simulated": "/sdk/vimServiceVersions.xml"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			client := &http.Client{Transport: &http.Transport{}}
			world := closedWorld(t, client, "http://"+host+path)
			for end := time.Now().Add(20 * time.Second); world.Value() != nil; time.Sleep(time.Millisecond) {
				if runtime.GC(); time.Now().After(end) {
					t.Fatal("something still holds the world")
				}
			}
		})
	}
}

// closedWorld is one that the client has spoken with.
func closedWorld(t *testing.T, client *http.Client, url string) weak.Pointer[simulate.World] {
	t.Helper()
	world, err := simulate.New(simulate.Config{Inventory: labInventory(t)})
	if err != nil {
		t.Fatal(err)
	}
	client.Transport.(*http.Transport).DialContext = world.DialContext
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil { // else the connection is not kept
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	client.Transport = http.DefaultTransport // which knows no world
	if err := world.Close(); err != nil {
		t.Fatal(err)
	}
	return weak.Make(world)
}
