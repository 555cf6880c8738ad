package vcenter

import (
	"crypto/subtle"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// supervisorUser is who the Supervisor's VM Service is in events and tasks.
const supervisorUser = `VSPHERE.LOCAL\wcp-vmop-user`

// RequireLogin lets nobody log in, over SOAP or REST, but user with password.
// Until it is called anybody may who has a name and a password. Sessions that are
// open stay so.
func (v *VCenter) RequireLogin(user, password string) {
	v.login.Store(&login{user, password})
}

// login is the one pair of name and password that is accepted.
type login struct{ user, password string }

// Allows reports whether user may log in with password.
func (v *VCenter) Allows(user, password string) bool {
	l := v.login.Load()
	if l == nil {
		return user != "" && password != ""
	}
	return l.matches(user, password)
}

// matches compares without telling by its duration how much was right. Names are
// the same in either case of their letters, as vCenter has it.
func (l *login) matches(user, password string) bool {
	sameUser := subtle.ConstantTimeCompare([]byte(strings.ToLower(user)), []byte(strings.ToLower(l.user)))
	samePassword := subtle.ConstantTimeCompare([]byte(password), []byte(l.password))
	return sameUser&samePassword == 1
}

// checkLogins has vcsim ask Allows, and name users in sessions and events as
// vCenter does: DOMAIN\name for name@domain.
func (v *VCenter) checkLogins() {
	v.registry.SessionManager().ValidLogin = func(l *types.Login) bool {
		if !v.Allows(l.UserName, l.Password) {
			return false
		}
		l.UserName = principal(l.UserName)
		return true
	}
}

// principal is how vCenter writes who user@domain is.
func principal(user string) string {
	name, domain, ok := strings.Cut(user, "@")
	if !ok {
		return user
	}
	return strings.ToUpper(domain) + `\` + name
}

// EndSessions ends every session of clients, SOAP's and REST's, as a restart of
// vCenter does. Clients have to log in again.
func (v *VCenter) EndSessions() {
	v.ExpireSessions()
	v.direct.Lock()
	defer v.direct.Unlock()
	ctx := v.context()
	manager := v.registry.SessionManager()
	seen, ok := v.session.Get(manager.Self).(*simulator.SessionManager)
	if !ok {
		return
	}
	var keys []string
	for _, s := range seen.SessionList {
		keys = append(keys, s.Key)
	}
	manager.TerminateSession(ctx, &types.TerminateSession{This: manager.Self, SessionId: keys})
}
