package gitsource

import (
	"strings"
	"testing"
	"time"
)

const signersKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

func TestAllowedSignersAreRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line string
		want allowedSigner
	}{
		{"ada@lab.example " + signersKey, allowedSigner{principals: "ada@lab.example"}},
		{"  ada@lab.example\t" + signersKey + " her laptop ", allowedSigner{principals: "ada@lab.example"}},
		{`"ada@lab.example, bob@lab.example" ` + signersKey, allowedSigner{principals: "ada@lab.example, bob@lab.example"}},
		{"* cert-authority " + signersKey, allowedSigner{principals: "*", authority: true}},
		{`a CERT-AUTHORITY,Namespaces="git,file",valid-after=20260102Z,valid-before="202601020304Z" ` + signersKey, allowedSigner{
			principals: "a", authority: true, namespaces: []string{"git", "file"},
			after: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), before: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC),
		}},
		{`a valid-after="20260102030405Z" ` + signersKey, allowedSigner{principals: "a", after: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
	} {
		got, err := parseSigners([]byte("# comment\n\n" + tt.line + "\n"))
		if err != nil || len(got) != 1 {
			t.Errorf("parseSigners(%q) has %d signers: %v", tt.line, len(got), err)
			continue
		}
		g := got[0]
		if g.principals != tt.want.principals || g.authority != tt.want.authority || strings.Join(g.namespaces, " ") != strings.Join(tt.want.namespaces, " ") ||
			!g.after.Equal(tt.want.after) || !g.before.Equal(tt.want.before) || g.key.Type() != "ssh-ed25519" {
			t.Errorf("parseSigners(%q) is %+v, want %+v", tt.line, g, tt.want)
		}
	}
}

func TestABadLineOfSignersIsNamed(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"ada@lab.example":                                    "want PRINCIPALS",
		signersKey:                                           "is no option",
		"ada ssh-ed25519 !!!":                                `"ssh-ed25519" is no option`,
		"ada cert-authority":                                 "the key cannot be read",
		`"ada ` + signersKey:                                 "want PRINCIPALS",
		"ada no-touch-required " + signersKey:                `"no-touch-required" is no option`,
		`ada valid-before="soon" ` + signersKey:              `valid-before: "soon" is no time`,
		`ada valid-before="20261301" ` + signersKey:          "is no time",
		`ada namespaces="git" command="x" ` + signersKey:     "the key cannot be read",
		`ada namespaces="git ` + signersKey:                  "want PRINCIPALS",
		`ada cert-authority command="x" ` + signersKey + " ": "the key cannot be read",
	} {
		_, err := parseSigners([]byte("\n" + line + "\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("parseSigners(%q): %v, want it to begin with 2: and say %q", line, err, want)
		}
	}
}

func TestNamespacesArePatterns(t *testing.T) {
	t.Parallel()
	for patterns, want := range map[string]bool{"git": true, "g*": true, "file": false, "file,git": true, "*,!git": false, "!file,*": true, "[": false} {
		if got := (allowedSigner{namespaces: strings.Split(patterns, ",")}).namespace("git"); got != want {
			t.Errorf("git in %q is %v, want %v", patterns, got, want)
		}
	}
}

func FuzzAllowedSigners(f *testing.F) {
	f.Add([]byte("ada@lab.example " + signersKey + "\n"))
	f.Add([]byte(`"a b" namespaces="git,x",valid-after=20260101,cert-authority ` + signersKey))
	f.Add([]byte("# nothing\n\n\x00"))
	f.Add([]byte(`a "" b`))
	f.Fuzz(func(t *testing.T, text []byte) {
		signers, err := parseSigners(text)
		if err != nil {
			if len(signers) > 0 {
				t.Error("a file that fails has signers")
			}
			return
		}
		for _, s := range signers {
			if s.key == nil || s.principals == "" {
				t.Errorf("a signer without key or principals: %+v", s)
			}
		}
	})
}

func FuzzSignedCommit(f *testing.F) {
	f.Add([]byte("tree 1\ngpgsig -----BEGIN SSH SIGNATURE-----\n A\n -----END SSH SIGNATURE-----\n\nmessage\n"))
	f.Add([]byte("tree 1\ngpgsig-sha256 x\n y\ngpgsig z\n\n"))
	f.Add([]byte(" \n\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := takeApart(raw)
		if err != nil {
			return
		}
		if len(s.payload)+len(s.signature) > len(raw) {
			t.Error("there is more in it than there was")
		}
		// The payload carries no signature, so taking it apart again finds none.
		if _, err := takeApart(s.payload); err == nil {
			t.Errorf("the payload %q is signed itself", s.payload)
		}
	})
}
