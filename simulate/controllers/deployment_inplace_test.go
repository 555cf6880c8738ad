package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

func TestASetKeepsAHistoryOfItsRevisions(t *testing.T) {
	t.Parallel()
	deployment := fields{"spec": fields{"replicas": int64(1)}}
	set := edit(&unstructured.Unstructured{Object: fields{}}, time.Time{})
	for _, c := range []struct{ revision, history string }{{"1", ""}, {"1", ""}, {"3", "1"}, {"3", "1"}, {"4", "1,3"}} {
		propagate(set, deployment, "np", c.revision, false)
		annotations := resource.Fields(set.root, "metadata", "annotations")
		if got := resource.Text(annotations, annotationRevisionHistory); got != c.history || annotations[annotationRevision] != c.revision {
			t.Errorf("revision %v has the history %q, want %s and %q", annotations[annotationRevision], got, c.revision, c.history)
		}
	}
}
