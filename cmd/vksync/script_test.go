package main

import (
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output of scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vksync": main, "get": get, "panicking": panicking, "floor": floor})
}

// The scripts run every command as users do. Beside testscript's own commands
// they have:
//
//	exits CODE COMMAND...    run it and compare its exit code
//	git-commit DIR MESSAGE   commit all files of DIR, making the repository first
//	git-tag DIR NAME         tag the last commit
//	same FILE FILE           fail unless the two are equal, never updating either
//	tools NAME...            have commands that make tools builds, or fail
//	source FILE              set the variables that a shell would set
//	await file FILE          wait until the file is there
//	await REGEXP COMMAND...  run it until it succeeds and its stdout matches
//	exec get URL             print what is served there, whatever the status
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			fleet, err := filepath.Abs(filepath.Join("..", "..", "testdata", "fleet"))
			// 100 columns, no colour and no terminal, wherever the tests run.
			env.Setenv("FLEET", fleet)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("__FANG_TEST_WIDTH", "100")
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":      exits,
			"git-commit": gitCommit,
			"git-tag":    gitTag,
			"same":       same,
			"tools":      tools,
			"source":     sourceFile,
			"await":      await,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func gitCommit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: git-commit DIR MESSAGE")
	}
	dir := ts.MkAbs(args[0])
	repo, err := git.PlainOpen(dir)
	if errors.Is(err, git.ErrRepositoryNotExists) {
		repo, err = git.PlainInitWithOptions(dir, &git.PlainInitOptions{
			InitOptions: git.InitOptions{DefaultBranch: plumbing.Main},
		})
	}
	ts.Check(err)
	tree, err := repo.Worktree()
	ts.Check(err)
	ts.Check(tree.AddWithOptions(&git.AddOptions{All: true}))
	_, err = tree.Commit(args[1], &git.CommitOptions{Author: &object.Signature{Name: "Ada", Email: "ada@lab.example"}})
	ts.Check(err)
}

func gitTag(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: git-tag DIR NAME")
	}
	repo, err := git.PlainOpen(ts.MkAbs(args[0]))
	ts.Check(err)
	head, err := repo.Head()
	ts.Check(err)
	_, err = repo.CreateTag(args[1], head.Hash(), nil)
	ts.Check(err)
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same FILE FILE")
	}
	if ts.ReadFile(args[0]) != ts.ReadFile(args[1]) {
		ts.Fatalf("%s and %s differ", args[0], args[1])
	}
}
