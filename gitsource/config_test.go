package gitsource_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
)

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config gitsource.Config
		says   string
	}{
		{"no URL", gitsource.Config{}, "there is no URL: want https://HOST/PATH"},
		{"a password in the URL", gitsource.Config{URL: "https://ada:c4nary@git.lab.example/fleet.git", Dir: "d"}, "holds a password: leave it out"},
		{"a password in a broken URL", gitsource.Config{URL: "https://ada:c4nary@git.lab.example:x/%zz", Dir: "d"}, "is not a URL"},
		{"http", gitsource.Config{URL: "http://git.lab.example/fleet.git", Dir: "d"}, "in the clear: use https://"},
		{"git", gitsource.Config{URL: "git://git.lab.example/fleet.git", Dir: "d"}, `has the scheme "git", which is not followed`},
		{"no host", gitsource.Config{URL: "https:///fleet.git", Dir: "d"}, "names no host"},
		{"a host that is an option", gitsource.Config{URL: "ssh://-oProxyCommand=x/fleet.git", Dir: "d"}, "names no host"},
		{"no path", gitsource.Config{URL: "https://git.lab.example/", Dir: "d"}, "names no repository"},
		{"a query", gitsource.Config{URL: "https://git.lab.example/fleet.git?x=1", Dir: "d"}, "holds a query"},
		{"another machine's file", gitsource.Config{URL: "file://host/fleet.git"}, "names another machine"},
		{"no directory", gitsource.Config{URL: "https://git.lab.example/fleet.git"}, "needs a directory for its mirror"},
		{"a path that leaves", gitsource.Config{URL: "x", Path: "../x"}, `the path "../x" is not one inside a repository`},
		{"an absolute path", gitsource.Config{URL: "x", Path: "/x"}, "is not one inside a repository"},
		{"Git's own path", gitsource.Config{URL: "x", Path: ".git/hooks"}, "is not one inside a repository"},
		{"a branch that is none", gitsource.Config{URL: "x", Branch: "a..b"}, `"a..b" is not the name of a branch`},
		{"a branch that is an option", gitsource.Config{URL: "x", Branch: "--upload-pack=x"}, "is not the name of a branch"},
		{"a negative poll", gitsource.Config{URL: "x", Poll: -time.Second}, "is negative"},
		{"a password for ssh", gitsource.Config{URL: "ssh://git.lab.example/fleet.git", Dir: "d", Auth: gitsource.Auth{Username: "a", Password: secret("c4nary")}}, "they are for https"},
		{"a password without a name", gitsource.Config{URL: "https://git.lab.example/fleet.git", Dir: "d", Auth: gitsource.Auth{Password: secret("c4nary")}}, "needs a user name"},
		{"a token and a password", gitsource.Config{URL: "https://git.lab.example/fleet.git", Dir: "d", Auth: gitsource.Auth{Username: "a", Token: secret("x"), Password: secret("x")}}, "exclude each other"},
		{"a token for a local one", gitsource.Config{URL: "fleet.git", Auth: gitsource.Auth{Token: secret("c4nary")}}, "takes no password and no token"},
		{"an ssh key for https", gitsource.Config{URL: "https://git.lab.example/fleet.git", Dir: "d", Auth: gitsource.Auth{SSHKeyFile: "k"}}, "they are for ssh"},
		{"a CA for ssh", gitsource.Config{URL: "git@git.lab.example:fleet.git", Dir: "d", Auth: gitsource.Auth{CAFile: "k"}}, "it is for https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.config.Name = "fleet"
			s, err := gitsource.Follow(t.Context(), tt.config)
			if err == nil {
				s.Close()
				t.Fatal("it is followed")
			}
			if !strings.HasPrefix(err.Error(), "source fleet: ") || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "c4nary") {
				t.Errorf("Follow: %v, want it to say %q and no secret", err, tt.says)
			}
		})
	}
}

func TestAPathThatIsNoRepositoryIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	untilSays(t, follow(t, gitsource.Config{URL: dir}), "source fleet: "+dir+" is no Git repository: want a bare one")
}
