package trace

import (
	"maps"
	"strings"
)

// object is what is known of an object at some place of a recording.
type object struct {
	id          ID
	born        int
	values      map[string]string
	labels      map[string]string
	annotations map[string]bool
	more        bool
	now         *history // of the present step; nil: nothing yet
}

func (o *object) annotate(changes []string) {
	for _, change := range changes {
		key, value, _ := strings.Cut(change, "=")
		switch {
		case key == "" && value == "null":
			o.annotations, o.more = map[string]bool{}, false
		case key == "":
			o.more = true
		case value == "null":
			delete(o.annotations, key)
		default:
			o.annotations[key] = true
		}
	}
}

// note writes a value down if it is another than before.
func (o *object) note(at int, t int64, attribute, value string) {
	if old, known := o.values[attribute]; known && old == value || !known && value == "" {
		return
	}
	o.values[attribute] = value
	if o.now != nil {
		o.now.touched = true
		o.now.part.To = t
		o.now.series[attribute] = append(o.now.series[attribute], moment{at, t, value})
	}
}

// close takes the state of an object into its history.
func (o *object) close(names Names) {
	h := o.now
	h.labels = map[string]string{}
	for key, value := range o.labels {
		h.labels[key] = names.label(key, value)
	}
	h.cluster = names.clusterOf(o)
	h.pool = o.labels["topology.cluster.x-k8s.io/deployment-name"]
	h.annotations, h.unknownAnnotations = maps.Clone(o.annotations), o.more
}
