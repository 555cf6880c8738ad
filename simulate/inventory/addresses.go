package inventory

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"net/netip"
	"strings"
)

// Range is a run of addresses of one family, both ends included.
type Range struct {
	First, Last netip.Addr
}

// ParseRange reads "first-last" or a single address.
func ParseRange(text string) (Range, error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	from, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return Range{}, fmt.Errorf("address range %q: want first-last, such as 10.20.0.10-10.20.0.60: %w", text, err)
	}
	to, err := netip.ParseAddr(strings.TrimSpace(last))
	if err != nil {
		return Range{}, fmt.Errorf("address range %q: want first-last, such as 10.20.0.10-10.20.0.60: %w", text, err)
	}
	if from.Is4() != to.Is4() || to.Less(from) {
		return Range{}, fmt.Errorf("address range %q: the last address must not be below the first, nor of another family", text)
	}
	return Range{First: from, Last: to}, nil
}

// Contains reports whether a is in the range.
func (r Range) Contains(a netip.Addr) bool {
	return a.BitLen() == r.First.BitLen() && !a.Less(r.First) && !r.Last.Less(a)
}

// Count is how many addresses there are in the range, math.MaxInt64 for more.
func (r Range) Count() int64 {
	first, last := r.First.As16(), r.Last.As16()
	high := binary.BigEndian.Uint64(last[:8]) - binary.BigEndian.Uint64(first[:8])
	low, borrow := bits.Sub64(binary.BigEndian.Uint64(last[8:]), binary.BigEndian.Uint64(first[8:]), 0)
	if high != borrow || low >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low) + 1
}

// All yields the addresses from the first to the last.
func (r Range) All() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for a := r.First; a.IsValid() && !r.Last.Less(a); a = a.Next() {
			if !yield(a) {
				return
			}
		}
	}
}
