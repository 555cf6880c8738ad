package phase

import "strings"

// Fix is what to do next about the end of a causal chain: a sentence or two, and
// commands to look closer or to act, ready for a shell. A link without a condition
// whose Reason is that of a refused action of vksync is understood too. Advice is
// empty for a step that only takes its time, and both are for an empty chain.
func Fix(chain []Link) (advice string, commands []string) {
	if len(chain) == 0 {
		return "", nil
	}
	cluster := ""
	if chain[0].Kind == "Cluster" {
		cluster = chain[0].Name
	}
	for i := len(chain) - 1; i >= 0; i-- {
		for _, r := range remedies {
			if r.helps(chain[i]) {
				return r.prescribe(chain[i], cluster)
			}
		}
		if chain[i].Condition != Warning {
			break // what is above only repeats it
		}
	}
	last := chain[len(chain)-1]
	return remedy{commands: []string{lookAt(last.Kind)}}.prescribe(last, cluster)
}

// A remedy is advice for the links that fit all of its lists; an empty list fits any.
type remedy struct {
	kinds, conditions, reasons []string
	// said are parts of messages, in lower case, one of which is in it.
	said []string
	// advice and commands have {ns}, {kind} and {name} of the link, {cluster}, and
	// {it}: what the message puts in quotes, or else the words of it.
	advice, it string
	commands   []string
}

func (r remedy) helps(l Link) bool {
	return among(r.kinds, l.Kind) && among(r.conditions, l.Condition) && among(r.reasons, l.Reason) &&
		says(strings.ToLower(l.Reason+": "+l.Message), r.said)
}

func among(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return len(list) == 0
}

func says(message string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(message, part) {
			return true
		}
	}
	return len(parts) == 0
}

func (r remedy) prescribe(l Link, cluster string) (advice string, commands []string) {
	it := quoted(l.Message)
	if it == "" {
		it = r.it
	}
	words := strings.NewReplacer("{ns}", l.Namespace, "{kind}", l.Kind, "{name}", l.Name, "{cluster}", cluster, "{it}", it)
	advice = words.Replace(r.advice)
	in := strings.NewReplacer(
		"-n {ns} ", inNamespace(l.Namespace), "{ns}", Quote(l.Namespace), "{kind}", Quote(ResourceOf(l.Kind, "")),
		"{name}", Quote(l.Name), "{cluster}", Quote(cluster), "{vm}", PathOfVM(l.Name), "{it}", Quote(it),
	)
	for _, c := range r.commands {
		if strings.Contains(c, "{cluster}") && cluster == "" {
			continue
		}
		commands = append(commands, in.Replace(c))
	}
	return advice, commands
}

// quoted is the first thing in double quotes that is a name, and not a webhook's.
func quoted(message string) string {
	for {
		_, rest, found := strings.Cut(message, `"`)
		if !found {
			return ""
		}
		name, after, closed := strings.Cut(rest, `"`)
		if !closed {
			return ""
		}
		if name != "" && len(name) <= 253 && !strings.ContainsAny(name, " \t\n/") && !strings.Contains(name, "webhook") && !strings.HasPrefix(name, "validation.") && !strings.HasPrefix(name, "default.") {
			return name
		}
		message = after
	}
}

func lookAt(kind string) string {
	switch kind {
	case "vSphere VM":
		return "govc vm.info {vm}"
	case "VSphereNamespace":
		return "govc namespace.info {name}"
	}
	return "kubectl -n {ns} describe {kind} {name}"
}
