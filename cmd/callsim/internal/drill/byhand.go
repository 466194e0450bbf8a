// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

// ByHand is a drill of what callsim cannot reach: people play it, and callsim prints the
// steps.
type ByHand struct {
	Name, Alert, Severity string
	// Steps that are to be done, and the one that ends the failure.
	Steps []string
}

// AllByHand are the drills that docs/drills.md has beside All.
var AllByHand = []ByHand{
	{"archive-down", "LegatoArchiveWriteFailing", "critical", []string{
		"run `callsim -live -target URL` against a Collector of a test system, whose archive is a PostgreSQL",
		"stop that PostgreSQL: `systemctl stop postgresql`",
		"when the alert has arrived, start it again: `systemctl start postgresql`",
	}},
	{"collector-down", "LegatoCollectorDown", "critical", []string{
		"stop a Collector of a test system: `systemctl stop legato`",
		"when the alert has arrived, after six minutes, start it again: `systemctl start legato`",
	}},
}

// FindByHand returns the drill of a name.
func FindByHand(name string) (ByHand, bool) {
	for _, d := range AllByHand {
		if d.Name == name {
			return d, true
		}
	}
	return ByHand{}, false
}
