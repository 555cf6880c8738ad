package report

import "github.com/vksync/vksync/tui/paint"

// A warning is a row of the table of warnings.
type warning struct {
	First, Last   string
	Times         string
	Object        string
	Reason, Words string
	Cluster       string
}

func warningOf(w *warned) warning {
	object := w.Kind + " " + w.Name
	cluster := w.Cluster
	if w.Namespace != "" {
		object = w.Kind + " " + w.Namespace + "/" + w.Name
	}
	if cluster != "" && w.Namespace != "" {
		cluster = w.Namespace + "/" + cluster
	}
	return warning{
		First: paint.Clock(w.first), Last: paint.Clock(w.last), Times: paint.Count(w.times),
		Object: say(object), Reason: say(w.Reason), Words: say(w.Message), Cluster: say(cluster),
	}
}

// list are all warnings that were kept, in the order in which they came.
func (r *Run) list() []warning {
	var out []warning
	for _, w := range r.order {
		out = append(out, warningOf(w))
	}
	return out
}

// place names a cluster.
type place struct{ namespace, name string }

// byGoal are the warnings of objects of each cluster.
func (r *Run) byGoal() map[place][]warning {
	out := map[place][]warning{}
	for _, w := range r.order {
		if w.Cluster != "" {
			at := place{w.Namespace, w.Cluster}
			out[at] = append(out[at], warningOf(w))
		}
	}
	return out
}
