package schema

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
)

// check judges one resource: is its kind known, does its definition accept it,
// do its fields agree with each other.
func (d *definitions) check(doc *node) Problems {
	for _, n := range []*node{doc, doc.field("apiVersion"), doc.field("kind")} {
		if n != nil && n.shape == broken {
			return nil // which has been reported
		}
	}
	definition, problem := d.definitionOf(doc)
	switch {
	case problem != nil && doc.isBroken() && doc.field("kind") == nil:
		return nil // what could not be read has been reported, and may be all of it
	case problem != nil:
		return Problems{*problem}
	}
	if problem := doc.unseenName(nil); problem != nil {
		problem.Addr = doc.addr()
		return Problems{*problem}
	}
	problems := d.judge(definition, doc)
	problems = append(problems, relations(doc)...)
	addr := doc.addr()
	for i := range problems {
		problems[i].Addr = addr
	}
	return problems
}

// unseenName finds a field whose name holds what nobody sees: control characters,
// or those that only format the text around them.
func (n *node) unseenName(path []string) *Problem {
	for _, f := range n.fields {
		at := append(slices.Clone(path), f.name)
		if strings.ContainsFunc(f.name, invisible) {
			return &Problem{Pos: f.pos, Path: dotted(at), Message: "the name of the field holds characters that cannot be seen", Hint: "write the name anew"}
		}
		if problem := f.node.unseenName(at); problem != nil {
			return problem
		}
	}
	for i, item := range n.items {
		if problem := item.unseenName(append(slices.Clone(path), strconv.Itoa(i))); problem != nil {
			return problem
		}
	}
	return nil
}

// judge asks CUE. The definition is shared; what is built for doc lives in a
// context of its own and is garbage afterwards.
func (d *definitions) judge(definition cue.Value, doc *node) Problems {
	unread := doc.brokenNodes()
	if len(unread) == 0 {
		v := definition.Unify(newContext().Encode(doc.content(nil)))
		if v.Validate(cue.Concrete(true)) == nil {
			return nil
		}
	}
	return d.explain(definition, doc, unread)
}

// definitionOf finds the definition for doc by its apiVersion and kind.
func (d *definitions) definitionOf(doc *node) (cue.Value, *Problem) {
	if doc.shape != record {
		return cue.Value{}, &Problem{
			Pos: doc.pos, Message: "a manifest has to be a map with apiVersion and kind",
			Found: show(doc, nil), Hint: notAManifest,
		}
	}
	for _, name := range []string{"apiVersion", "kind"} {
		n := doc.field(name)
		switch {
		case n == nil:
			return cue.Value{}, &Problem{
				Pos: doc.pos, Message: "the manifest has no " + name,
				Allowed: allowedKinds(), Hint: notAManifest,
			}
		case n.shape != text:
			return cue.Value{}, &Problem{
				Pos: n.pos, Path: name, Message: "must be text", Found: show(n, nil), Allowed: allowedKinds(),
			}
		}
	}
	kind := doc.field("apiVersion").str() + " " + doc.field("kind").str()
	definition, known := d.kinds[kind]
	if !known {
		return cue.Value{}, &Problem{
			Pos: doc.field("kind").pos, Addr: doc.addr(), Path: "kind", Message: "vksync does not manage this kind",
			Found: showText(kind), Allowed: allowedKinds(), Hint: notAManifest,
		}
	}
	return definition, nil
}

const notAManifest = "files that are not for vksync are listed in .vksyncignore, one pattern a line"
