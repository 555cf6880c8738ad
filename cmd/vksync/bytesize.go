package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/vksync/vksync/schema"
)

// byteSize is a flag for the memory of an evaluation, as Kubernetes writes
// sizes: "512Mi".
type byteSize int

func (b *byteSize) String() string {
	if *b == 0 { // pflag's idea of no default
		return ""
	}
	return resource.NewQuantity(int64(*b), resource.BinarySI).String()
}

func (b *byteSize) Type() string { return "size" }

// mostMemory is more than any manifest is worth.
const mostMemory = 64 << 30

func (b *byteSize) Set(text string) error {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.CmpInt64(schema.MinMemory) < 0 || q.CmpInt64(mostMemory) > 0 {
		return fmt.Errorf("want a size of %dMi or more, such as 512Mi or 1Gi", schema.MinMemory>>20)
	}
	*b = byteSize(q.Value())
	return nil
}
