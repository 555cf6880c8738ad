package schema

import (
	"path"
	"slices"
	"strings"
)

// ignoreFile lists what vksync leaves alone below its directory, one pattern a
// line, in the way of .gitignore: "#" starts a comment, "!" takes a pattern
// back, a trailing "/" means directories only, a "/" elsewhere ties the pattern
// to the directory of the file, "*" and "?" stay within a name, "**" does not.
const ignoreFile = ".vksyncignore"

type ignorePattern struct {
	base     string // directory of the ignore file
	segments []string
	dirOnly  bool
	negated  bool
}

func (p ignorePattern) equal(other ignorePattern) bool {
	return p.base == other.base && p.dirOnly == other.dirOnly && p.negated == other.negated && slices.Equal(p.segments, other.segments)
}

// ignores are the patterns of all ignore files read so far; later ones win.
type ignores []ignorePattern

// add reads the ignore file of directory base.
func (ig *ignores) add(base, content string) {
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		p := ignorePattern{base: base}
		line, p.negated = strings.CutPrefix(line, "!")
		line, p.dirOnly = strings.CutSuffix(line, "/")
		tied := strings.Contains(line, "/")
		p.segments = strings.Split(strings.TrimPrefix(line, "/"), "/")
		if !tied {
			p.segments = append([]string{"**"}, p.segments...)
		}
		*ig = append(*ig, p)
	}
}

// match says whether name, a path in the file system, is to be left alone.
func (ig ignores) match(name string, isDir bool) bool {
	ignored := false
	for _, p := range ig {
		if p.dirOnly && !isDir {
			continue
		}
		rest, below := name, true
		if p.base != "." {
			rest, below = strings.CutPrefix(name, p.base+"/")
		}
		if below && matchSegments(p.segments, strings.Split(rest, "/")) {
			ignored = !p.negated
		}
	}
	return ignored
}

func matchSegments(patterns, names []string) bool {
	for i, pattern := range patterns {
		if pattern == "**" {
			for skip := range len(names) + 1 {
				if matchSegments(patterns[i+1:], names[skip:]) {
					return true
				}
			}
			return false
		}
		if len(names) == 0 {
			return false
		}
		if ok, err := path.Match(pattern, names[0]); !ok || err != nil {
			return false
		}
		names = names[1:]
	}
	return len(names) == 0
}
