package controllers

import (
	"encoding/binary"
	"math/bits"

	"github.com/google/uuid"
)

// Chance is the only source of randomness in a simulated world: a function of
// the seed and of what is asked about, never of what was asked before. So a
// draw does not depend on the order of events, and one more cluster in a fleet
// changes nothing about the others.
type Chance uint64

// bitsFor hashes the question to 64 well mixed bits.
func (c Chance) bitsFor(parts ...string) uint64 {
	// FNV-64a, with a zero byte behind each part.
	const prime = 1099511628211
	x := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			x = (x ^ uint64(p[i])) * prime
		}
		x *= prime
	}
	x ^= (uint64(c) + 1) * 0x9e3779b97f4a7c15
	// Finalizer of splitmix64: FNV alone leaves the high bits poor.
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// unit is uniform in [0, 1).
func (c Chance) unit(parts ...string) float64 {
	return float64(c.bitsFor(parts...)>>11) / (1 << 53)
}

// UUID makes a version 4 UUID.
func (c Chance) UUID(parts ...string) string {
	a, b := c.bitsFor(append(parts, "hi")...), c.bitsFor(append(parts, "lo")...)
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], a)
	binary.BigEndian.PutUint64(id[8:], b)
	return id.String()
}

// suffixAlphabet is that of Kubernetes' generated names: no vowels, no 0, 1 or 3.
const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789"

const (
	maxNameLength = 63
	suffixLength  = 5
)

// Suffix draws the five characters behind a generated name.
func (c Chance) Suffix(parts ...string) string {
	x := c.bitsFor(parts...)
	out := make([]byte, suffixLength)
	for i := range out {
		var digit uint64
		digit, x = bits.Mul64(x, uint64(len(suffixAlphabet)))
		out[i] = suffixAlphabet[digit]
	}
	return string(out)
}

// generatedName appends a suffix to base, which normally ends in "-", cutting
// base to 58 characters first (domain.md 1.0).
func generatedName(base, suffix string) string {
	if len(base) > maxNameLength-suffixLength {
		base = base[:maxNameLength-suffixLength]
	}
	return base + suffix
}

// labelValue is value where a label can hold it, and its hash otherwise
// (domain.md 1.0: hash_<base64 of FNV-32a>_z).
func labelValue(value string) string {
	if len(value) <= maxNameLength {
		return value
	}
	return "hash_" + hash32(value) + "_z"
}
