package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/vksync/vksync/reconcile/resource"
)

// explainCUE words the errors of CUE itself: syntax, references, conflicts
// between the user's own values. addr finds the resource a path leads into; nil
// where nothing is evaluated yet.
func explainCUE(err error, addr func(path []string) resource.Addr) Problems {
	var problems Problems
	seen := map[string]int{} // problem by path
	for _, e := range errors.Errors(err) {
		path := pathOf(e)
		p := Problem{Path: dotted(path), Message: wordCUE(e, path)}
		var others []string
		p.Pos, others = placesOf(e)
		if len(others) > 0 {
			p.Hint = "see also " + strings.Join(others, ", ")
		}
		if p.Message == "" {
			continue
		}
		if strings.HasPrefix(p.Message, "builtin package ") {
			p.Hint = "imports come from the repo, from " + importPath + ", and from CUE itself, as strings, list and net"
		}
		if addr != nil {
			p.Addr = addr(path)
		}
		key := p.Pos.String() + " " + p.Path
		if _, known := seen[key]; !known || len(path) == 0 {
			seen[key] = len(problems)
			problems = append(problems, p)
		}
	}
	return problems
}

// pathOf is the path of e without the names of definitions and without quotes.
func pathOf(e errors.Error) []string {
	var path []string
	for _, name := range e.Path() {
		if strings.HasPrefix(name, "#") {
			continue
		}
		if unquoted, err := literal.Unquote(name); err == nil {
			name = unquoted
		}
		path = append(path, name)
	}
	return path
}

// placesOf is the first place of a user's file that e names, and the others.
func placesOf(e errors.Error) (first resource.Position, others []string) {
	for _, at := range append([]token.Pos{e.Position()}, e.InputPositions()...) {
		p := position(at)
		switch {
		case !isUsers(at) || p == first || slices.Contains(others, p.String()):
		case first.File == "":
			first = p
		default:
			others = append(others, p.String())
		}
	}
	const most = 3
	return first, others[:min(len(others), most)]
}

// numbers are the verbs that do not take the text that an argument has become.
var numbers = regexp.MustCompile(`%[-+# 0]*[dxXobcUeEfFgGtT]`)

// wordCUE is the message of e with its values shown or hidden; "" for a message
// that only counts others.
func wordCUE(e errors.Error, path []string) string {
	format, args := e.Msg()
	if strings.Contains(format, "errors in empty disjunction") {
		return ""
	}
	words := make([]any, len(args))
	for i, arg := range args {
		s := fmt.Sprint(arg)
		if r, is := arg.(rune); is {
			s = fmt.Sprintf("%U", r)
		}
		if secret(path) && strings.ContainsAny(s, `"'0123456789`) {
			s = resource.Hidden
		}
		words[i] = shorten(resource.Redact(s))
	}
	if strings.HasPrefix(format, "conflicting values") && len(words) >= 2 {
		return fmt.Sprintf("two different values, %s and %s", words[0], words[1])
	}
	// The parser quotes what it stumbled over, which may be part of a secret.
	message, _, _ := strings.Cut(fmt.Sprintf(numbers.ReplaceAllString(format, "%v"), words...), ", found '")
	return resource.Redact(message)
}

// dotted is a path in the form users read, for values that are not at hand.
func dotted(path []string) string {
	var b strings.Builder
	for _, name := range path {
		if i, is := index(name); is {
			fmt.Fprintf(&b, "[%d]", i)
			continue
		}
		writeName(&b, name)
	}
	return b.String()
}

// index says whether name is that of a list item.
func index(name string) (int, bool) {
	i := 0
	for _, c := range name {
		if c < '0' || c > '9' || i > maxNodes {
			return 0, false
		}
		i = i*10 + int(c-'0')
	}
	return i, name != ""
}
