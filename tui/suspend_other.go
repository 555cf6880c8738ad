//go:build !unix

package tui

import tea "charm.land/bubbletea/v2"

// wakeful has nothing to do where no program can be suspended.
func wakeful(_ tea.Model, msg tea.Msg) tea.Msg { return msg }
