package schema

import (
	"embed"
	"fmt"

	"github.com/vksync/vksync/reconcile/resource"
)

//go:embed lab.yaml
var lab embed.FS

// Lab is the embedded lab: one Inventory and nothing desired. Each call returns
// content of its own.
func Lab() *Desired {
	desired, problems := Load(lab, ".")
	if err := problems.Err(); err != nil {
		panic(fmt.Sprintf("schema: the embedded lab: %v", err))
	}
	return desired
}

// LabInventory is the Inventory of Lab.
func LabInventory() resource.Object { return Lab().Inventories[0] }
