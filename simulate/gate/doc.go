// Package gate stands between a served world and its clients on the network: TLS
// with certificates of its own authority, bearer tokens and the Supervisor's
// login, and the faults that tests ask for. It hides listeners, keys and
// connections; what is behind it is an http.Handler that knows none of them.
//
// Unlike the simulated world, it uses the wall clock and chance: keys, tokens and
// passwords must not be what they were last time.
package gate
