// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// coSpace is a virtual meeting room. Its correlator outlives every meeting.
type coSpace struct {
	id, name, user, owner, tenant, tag string
	correlator                         string
	metaData                           bool
	free                               time.Time // from when it can host again
}

// maxSpaces bounds the rooms of a cluster, so that they are used again.
const maxSpaces = 12

var spaceNames = []string{
	"Weekly sync", "R&D <東京> \"朝会\" Ω", "Board", "Größenwahn & Söhne", "All hands",
	"Café de l'Étoile", "Project <X>", "Совет", "Support", "Town hall", "Design review", "1:1",
}

// bookSpace finds a room that is free now and books it until the end of a meeting,
// a rest longer than any observer's tolerance included.
func (w *World) bookSpace(clustered bool, end time.Time) *coSpace {
	rest := time.Duration(w.timing.rest)*time.Second + 2*w.cfg.Skew
	s := w.freeSpace(clustered)
	if s == nil {
		s = w.newSpace(clustered)
	}
	s.free = end.Add(rest)
	return s
}

// freeSpace prefers a used room; a new one is opened by chance.
func (w *World) freeSpace(clustered bool) *coSpace {
	all := w.spaces[clustered]
	free := slices.DeleteFunc(slices.Clone(all), func(s *coSpace) bool { return s.free.After(w.now) })
	if len(free) == 0 || len(all) < maxSpaces && w.dice.Chance(0.2) {
		return nil
	}
	return chance.Pick(w.dice, free)
}

func (w *World) newSpace(clustered bool) *coSpace {
	n := len(w.spaces[clustered])
	s := &coSpace{
		id: w.dice.GUID(), correlator: w.dice.GUID(), metaData: w.dice.Chance(0.3),
		name: spaceNames[n%len(spaceNames)], user: fmt.Sprintf("space%d", n+1),
	}
	if w.dice.Chance(0.7) {
		s.owner = chance.Pick(w.dice, people).name
	}
	if w.dice.Chance(0.4) {
		s.tenant, s.tag = w.dice.GUID(), "board"
	}
	w.spaces[clustered] = append(w.spaces[clustered], s)
	return s
}
