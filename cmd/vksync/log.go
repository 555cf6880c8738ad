package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A terminalLog writes log lines for people who watch: the time of day, what
// happened, and what it is about. Lines that are no news (of INFO) carry no level,
// and attributes that are the same in every line are left out.
type terminalLog struct {
	out   io.Writer
	mu    *sync.Mutex // one line at a time
	level slog.Level
	omit  []string
	attrs string // those of With, written out
}

var _ slog.Handler = (*terminalLog)(nil)

func newTerminalLog(out io.Writer, level slog.Level, omit ...string) *terminalLog {
	return &terminalLog{out: out, mu: new(sync.Mutex), level: level, omit: omit}
}

func (h *terminalLog) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// WithGroup is not used by vksync; groups are flat.
func (h *terminalLog) WithGroup(string) slog.Handler { return h }

func (h *terminalLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	for _, a := range attrs {
		with.attrs += h.attr(a)
	}
	return &with
}

func (h *terminalLog) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Time.Format(time.TimeOnly))
	b.WriteByte(' ')
	if r.Level != slog.LevelInfo {
		fmt.Fprintf(&b, "%s ", r.Level)
	}
	b.WriteString(shown(r.Message))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(h.attr(a))
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, b.String())
	return err
}

// attr is " key=value", with quotes where the value needs them, and nothing for an
// empty one.
func (h *terminalLog) attr(a slog.Attr) string {
	resolved := a.Value.Resolve()
	value := shown(resolved.String())
	if resolved.Kind() == slog.KindTime {
		value = resolved.Time().Local().Format(time.DateTime)
	}
	if value == "" || slices.Contains(h.omit, a.Key) {
		return ""
	}
	if strings.ContainsAny(value, " \"=\n") {
		value = strconv.Quote(value)
	}
	return " " + a.Key + "=" + value
}
