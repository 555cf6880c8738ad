package simulate_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"
	"weak"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/simulate"
)

// A client that keeps its connection must not keep a closed world with it: forecasts
// make worlds one after the other.
func TestAClosedWorldIsLetGo(t *testing.T) {
	t.Parallel()
	for name, speak := range map[string]func(testing.TB, *simulate.World){
		"client-go": func(t testing.TB, w *simulate.World) {
			client, err := dynamic.NewForConfig(w.KubeConfig())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")).List(t.Context(), metav1.ListOptions{}); err != nil {
				t.Fatal(err)
			}
		},
		"connection that is kept": func(t testing.TB, w *simulate.World) {
			client := &http.Client{Transport: &http.Transport{DialContext: w.DialContext}}
			get(t, client, "http://"+w.VSphereConfig().URL.Host+"/sdk/vimServiceVersions.xml")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := closedWorld(t, speak)
			for end := time.Now().Add(2 * time.Minute); world.Value() != nil; time.Sleep(time.Millisecond) {
				if runtime.GC(); time.Now().After(end) {
					t.Fatal("something still holds the world")
				}
			}
		})
	}
}

// closedWorld is one that somebody has spoken with.
func closedWorld(t testing.TB, speak func(testing.TB, *simulate.World)) weak.Pointer[simulate.World] {
	t.Helper()
	world, err := simulate.New(simulate.Config{Inventory: labInventory(t)})
	if err != nil {
		t.Fatal(err)
	}
	speak(t, world)
	if err := world.Close(); err != nil {
		t.Fatal(err)
	}
	return weak.Make(world)
}

func get(t testing.TB, client *http.Client, url string) {
	t.Helper()
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
}
