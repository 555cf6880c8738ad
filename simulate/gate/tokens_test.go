package gate

import (
	"testing"
	"time"
)

func TestATokenOfLoginIsGoodForItsLife(t *testing.T) {
	t.Parallel()
	tokens := NewTokens("fixed", 10*time.Hour, func(string, string) bool { return true })
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	token := tokens.issue("ada@lab.example", now)
	for _, test := range []struct {
		token string
		after time.Duration
		want  bool
	}{
		{token, 0, true},
		{token, 10*time.Hour - time.Second, true},
		{token, 10 * time.Hour, false},
		{"fixed", 1000 * time.Hour, true},
		{"", 0, false},
		{".", 0, false},
		{"..", 0, false},
		{token + "x", 0, false},
		{"x" + token, 0, false},
	} {
		if got := tokens.valid(test.token, now.Add(test.after)); got != test.want {
			t.Errorf("%.20q after %s: valid is %t, want %t", test.token, test.after, got, test.want)
		}
	}
	if other := tokens.issue("ada@lab.example", now); other == token {
		t.Error("two logins gave the same token")
	}
	tokens.Expire()
	if tokens.valid(token, now) {
		t.Error("the token outlived its key")
	}
}

// A Supervisor that was given no fixed token has none, rather than the empty one.
func TestNoTokenIsNoKey(t *testing.T) {
	t.Parallel()
	tokens := NewTokens("", time.Hour, func(string, string) bool { return false })
	if tokens.valid("", time.Now()) {
		t.Error("the empty token lets anybody in")
	}
}
