// Package dashboard is the operator's window: the phase timeline of every cluster,
// live, simulated or replayed. It reads events of journals and nothing else, and
// hides layout, keys and what is remembered of what was seen.
//
//	sources --Event--> Board (a Stream each) --take--> page --draw--> a frame
//
// A source is a run in this process, a player of a file, a daemon's event stream or
// a world that is watched. It tells its Stream, at any rate. The Model looks at the
// board at most a dozen times a second and only after a change: the page that is
// shown takes what it shows, no more than fits, and draws it without the board's
// lock. So a frame costs the same in a fleet of ten clusters and of ten thousand,
// but for one pass over the goals.
//
// There is one Bubble Tea model; pages are plain structs. A page's take runs under
// the lock, draw is pure, and press changes only the page and the scene. Nothing
// does I/O in Update or View: that is for commands.
package dashboard
