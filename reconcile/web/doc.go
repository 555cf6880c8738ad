// Package web is what a daemon serves over HTTP: health and readiness, metrics,
// its status, the journals of its runs as they are written, approvals of plans,
// and the webhooks of Git hosts; and the client for the status, the journals and
// approvals. It hides the formats; what is served it is given.
//
// Status and events name clusters and commits, so only this machine may read
// them unless there is a token, and only who has the token may approve. No secret
// is in any of it.
package web
