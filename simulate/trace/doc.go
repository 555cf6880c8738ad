// Package trace holds the simulator to recordings of the real controllers. It
// decodes a recording (every change of every object, JSON lines) and the script of
// what was asked in it, makes the same of what was played in a simulated world,
// and compares the two, step by step. It is pure: no I/O, no clock.
//
// What is compared, of every object that is not ignored:
//
//   - that it was created, marked for deletion and gone in a step;
//   - owners and finalizers, each with its changes;
//   - labels with their values, and the keys of annotations, at the end of a step
//     or of the object;
//   - of each condition the values Status/Reason that it took, in their order, and
//     so of the phase;
//   - of machines, how many of a pool or control plane there are at once: existing,
//     on their way in, on their way out, running;
//   - the order in which one thing follows from another, by a table of Rules.
//
// What is not: messages, other fields, versions of APIs, times, Events, and how
// often a value or a cycle of values came again in a row.
package trace
