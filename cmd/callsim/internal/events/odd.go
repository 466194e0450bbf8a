// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"strconv"
)

// unknownIndex is an index that no client uses.
const unknownIndex = int64(1) << 40

// drawOdd decides by chance whether something odd happens now.
func (c *Cluster) drawOdd() bool {
	return c.opts.Faults.Odd > 0 && c.chance.Float64() < c.opts.Faults.Odd
}

// insertOdd inserts an odd message before the head of a queue, or makes the head odd, by
// chance. Neither changes the state of calls and people.
func (c *Cluster) insertOdd(k *socket) {
	head := &k.queue[0]
	if head.odd != nil || !c.drawOdd() {
		return
	}
	k.server.account.Faults["odd"]++
	roster := head.kind == messageRoster && len(head.entries) > 0
	ghost := elements{"participant": c.guid()}
	switch n := c.chance.IntN(6); {
	case n == 0 && roster:
		alias := buildMessage(k.queue[:1])
		alias.Type = "callRosterUpdate"
		for i, e := range *alias.Updates {
			(*alias.Updates)[i] = withTextBooleans(e)
		}
		*head = item{odd: &alias}
	case n == 1 && roster && head.entries[0]["updateType"] == kindUpdate:
		e := maps.Clone(head.entries[0])
		e["newElement"] = []int{1, 2}
		head.entries[0] = e
	case n == 2 && roster:
		e := elements{"updateType": kindUpdate, "state": "onHold"}
		maps.Copy(e, ghost)
		k.prepend(messageRoster, head.index, []elements{e, removalOf(ghost)})
	case n == 3 && roster:
		k.prepend(messageRoster, head.index, []elements{removalOf(ghost)})
	case n == 4:
		e := elements{"updateType": kindUpdate, "audioMuted": true}
		maps.Copy(e, ghost)
		k.prepend(messageRoster, unknownIndex, []elements{e})
	default:
		index := head.index
		odd := message{Type: "quantumUpdate", SubscriptionIndex: &index, Payload: elements{"x": 1}}
		k.queue = append([]item{{odd: &odd}}, k.queue...)
	}
}

// removalOf returns the removal of an object.
func removalOf(e elements) elements {
	removal := maps.Clone(e)
	removal["updateType"] = kindRemove
	return removal
}

// prepend inserts a message before all others.
func (k *socket) prepend(kind string, index int64, entries []elements) {
	m := buildMessage([]item{{kind: kind, index: index, entries: entries}})
	k.queue = append([]item{{odd: &m}}, k.queue...)
}

// withTextBooleans returns the elements with booleans as text, as some servers send them.
func withTextBooleans(e elements) elements {
	text := maps.Clone(e)
	for name, value := range e {
		if b, ok := value.(bool); ok {
			text[name] = strconv.FormatBool(b)
		}
	}
	return text
}
