package supervisor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vksync/vksync/reconcile/resource"
)

// Event is what kubectl describe is to show of an object.
type Event struct {
	// About needs only apiVersion, kind, namespace, name and uid.
	About resource.Object
	// Reason is one word: PlanFailed. Message is for people; it is cut at 1 KiB,
	// as the API server would refuse a longer one.
	Reason, Message string
	// Warning is that something is wrong, rather than that something was done.
	Warning bool
}

const (
	reportingComponent = "vksync"
	longestMessage     = 1024 // bytes, the API's limit (k8s.io/kubernetes pkg/apis/core/validation)
	longestEventName   = 200
)

// An object may have eventBurst events at once and one each eventInterval after
// that, as client-go's own filter allows. An event that comes again is counted up
// while it is among the last seriesKept.
const (
	eventBurst    = 25
	eventInterval = 5 * time.Minute
	seriesKept    = 4096
)

var kindEvent = schema.GroupKind{Kind: "Event"}

// events remembers what was emitted, to count up what comes again.
type events struct {
	mu     sync.Mutex // guards what is below
	series map[string]*series
	rates  map[string]*rate.Limiter // by the object
	silent bool                     // writing events is forbidden, which was said
}

// series is an event that may come again.
type series struct {
	mu    sync.Mutex // held while it is written
	name  string
	count int64
	first time.Time
}

// Emit writes an event, or counts up the one that says the same. Events of an
// object that come too often are dropped. Where vksync may not write events that
// is logged once, and Emit does nothing.
func (c *Client) Emit(ctx context.Context, e Event) error {
	e.Message = cut(resource.Redact(e.Message), longestMessage)
	s, ok := c.events.next(e)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := c.write(ctx, e, s)
	if ClassOf(err) == Denied || ClassOf(err) == NotServed {
		c.events.mute(err)
		return nil
	}
	return err
}

// next is the series an event belongs to, and whether it may be written.
func (v *events) next(e Event) (*series, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	object := cmp.Or(string(e.About.GetUID()), e.About.Addr().String())
	if v.silent {
		return nil, false
	}
	if v.series == nil || len(v.series) >= seriesKept {
		v.series, v.rates = map[string]*series{}, map[string]*rate.Limiter{}
	}
	if v.rates[object] == nil {
		v.rates[object] = rate.NewLimiter(rate.Every(eventInterval), eventBurst)
	}
	if !v.rates[object].Allow() {
		return nil, false
	}
	key := strings.Join([]string{object, e.Reason, e.Message, e.kind()}, "\x00")
	if v.series[key] == nil {
		v.series[key] = &series{}
	}
	return v.series[key], true
}

func (v *events) mute(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.silent {
		slog.Warn("no Kubernetes events will be written", "error", err)
	}
	v.silent = true
}

func (e Event) kind() string {
	if e.Warning {
		return "Warning"
	}
	return "Normal"
}

// write creates the event, or counts it up.
func (c *Client) write(ctx context.Context, e Event, s *series) error {
	op := "writing an event about " + e.About.Addr().String()
	k, err := c.kindOf(op, kindEvent)
	if err != nil {
		return err
	}
	namespace := cmp.Or(e.About.GetNamespace(), metav1.NamespaceDefault)
	at := c.dynamic.Resource(k.GroupVersionResource).Namespace(namespace)
	now := time.Now().UTC()
	if s.count > 0 {
		patch, err := json.Marshal(map[string]any{"count": s.count + 1, "lastTimestamp": now.Format(time.RFC3339)})
		if err != nil {
			return err
		}
		_, err = at.Patch(ctx, s.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: resource.FieldManager})
		if err == nil {
			s.count++
			return nil
		}
		if err = classify(op, e.About.Addr(), err); ClassOf(err) != NotFound {
			return err
		}
		s.count = 0 // events live an hour
	}
	s.first, s.name = now, e.name(now)
	if _, err := at.Create(ctx, e.object(namespace, s), metav1.CreateOptions{FieldManager: resource.FieldManager}); err != nil {
		return classify(op, e.About.Addr(), err)
	}
	s.count = 1
	return nil
}

// name is that of the object with something that no other event has.
func (e Event) name(now time.Time) string {
	sum := fnv.New64a()
	// It cannot fail.
	_, _ = fmt.Fprintf(sum, "%s\x00%s\x00%s\x00%s\x00%d", e.About.GetUID(), e.About.Addr(), e.Reason, e.Message, now.UnixNano())
	return fmt.Sprintf("%s.%016x", strings.TrimRight(cut(e.About.GetName(), longestEventName), ".-"), sum.Sum64())
}

func (e Event) object(namespace string, s *series) *unstructured.Unstructured {
	at := s.first.Format(time.RFC3339)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{"name": s.name, "namespace": namespace},
		"involvedObject": map[string]any{
			"apiVersion": e.About.GetAPIVersion(), "kind": e.About.GetKind(),
			"namespace": e.About.GetNamespace(), "name": e.About.GetName(), "uid": string(e.About.GetUID()),
		},
		"reason": e.Reason, "message": e.Message, "type": e.kind(), "count": int64(1),
		"firstTimestamp": at, "lastTimestamp": at,
		"source":             map[string]any{"component": reportingComponent},
		"reportingComponent": reportingComponent, "reportingInstance": "",
	}}
}

// cut is the beginning of text, at most n bytes, with whole characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
