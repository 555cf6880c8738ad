// Package trace holds the simulator to recordings of the real controllers. It
// decodes a recording (every change of every object, JSON lines) and the script of
// what was asked in it, makes the same of what was played in a simulated world,
// and compares the two, step by step. It is pure: no I/O, no clock.
//
// What is compared, of every object that is not ignored:
//
//   - that it was created, marked for deletion and gone in a step;
//   - owners, with their changes; finalizers, as they were when the object was
//     complete and as they went when it was deleted;
//   - labels with their values, and the keys of annotations, at the end of a step
//     or of the object;
//   - of each condition the values Status/Reason that it took, in their order, and
//     so of the phase.
//
// And between objects:
//
//   - how many machines of a pool or control plane there are at once: existing, on
//     their way in, on their way out, running;
//   - the order in which one thing follows from another, by a table of Rules.
//
// Names are normalised: a random suffix is ~. Siblings that only it tells apart
// are paired, with all that bears a Machine's name: control planes in order of
// creation, workers by best match.
//
// What is not compared: messages, other fields, versions of APIs, times, Events; how
// often a value or a cycle of values came again in a row; and of values that come
// back (the summary over machines that come and go one by one) the order of cycles,
// only which one followed upon which. Times inside a guest and inside vSphere are
// fake in the recordings and decide what a controller that looks once a second gets
// to see: so what one of several siblings did is as good as what its counterpart
// did, and so is a way that one of them went in another step, if it begins and ends
// in the same way.
package trace
