package journal

// Level is how near a meter is to its capacity.
type Level int

// The levels. The zero one is Fine, also of what has no limit.
const (
	Fine  Level = iota
	Tight       // 80 % and more
	Full        // 95 % and more: what comes next may not fit
)

// The shares at which levels begin.
const (
	TightShare = 0.80
	FullShare  = 0.95
)

// CPUsPerCore is how many virtual CPUs may share a core of a host. It is a rule of
// thumb, and what a simulated vCenter goes by; a real one has no such bound.
const CPUsPerCore = 4

// Level is how near the meter is to its capacity. The cores of a host are shared, so
// its CPU is measured by CPUsPerCore; and a quota of CPU slows machines down, but
// keeps none from starting, so it is never more than Tight.
func (m Meter) Level() Level {
	share, limited := m.Fill()
	switch {
	case !limited || share < TightShare:
		return Fine
	case m.Kind == Quota && m.Unit == MHz:
		if share <= 1 {
			return Fine
		}
		return Tight
	case share < FullShare:
		return Tight
	}
	return Full
}

// Fill is the share of what can be given out: that of the capacity, but of a host's
// CPU that of CPUsPerCore times as much. False when there is no limit, or none known.
func (m Meter) Fill() (float64, bool) {
	share, limited := m.Share()
	if m.Kind == HostCPU {
		share /= CPUsPerCore
	}
	return share, limited
}
