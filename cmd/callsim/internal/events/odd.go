// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"maps"
	"strconv"
)

// unheard is an index no client gives out.
const unheard = int64(1) << 40

// strange draws whether something odd happens now.
func (c *Cluster) strange() bool {
	return c.opts.Faults.Odd > 0 && c.chance.Float64() < c.opts.Faults.Odd
}

// embellish puts something odd at the head of a queue, or makes what is there
// odd, now and then. None of it changes what is true of calls and people.
func (c *Cluster) embellish(k *socket) {
	head := &k.queue[0]
	if head.odd != nil || !c.strange() {
		return
	}
	k.server.account.Faults["odd"]++
	roster := head.kind == messageRoster && len(head.entries) > 0
	ghost := elements{"participant": c.guid()}
	switch n := c.chance.IntN(6); {
	case n == 0 && roster:
		alias := build(k.queue[:1])
		alias.Type = "callRosterUpdate"
		for i, e := range *alias.Updates {
			(*alias.Updates)[i] = quoted(e)
		}
		*head = item{odd: &alias}
	case n == 1 && roster && head.entries[0]["updateType"] == kindUpdate:
		e := maps.Clone(head.entries[0])
		e["newElement"] = []int{1, 2}
		head.entries[0] = e
	case n == 2 && roster:
		e := elements{"updateType": kindUpdate, "state": "onHold"}
		maps.Copy(e, ghost)
		k.prepend(messageRoster, head.index, []elements{e, gone(ghost)})
	case n == 3 && roster:
		k.prepend(messageRoster, head.index, []elements{gone(ghost)})
	case n == 4:
		e := elements{"updateType": kindUpdate, "audioMuted": true}
		maps.Copy(e, ghost)
		k.prepend(messageRoster, unheard, []elements{e})
	default:
		index := head.index
		odd := message{Type: "quantumUpdate", SubscriptionIndex: &index, Payload: elements{"x": 1}}
		k.queue = append([]item{{odd: &odd}}, k.queue...)
	}
}

func gone(e elements) elements {
	removal := maps.Clone(e)
	removal["updateType"] = kindRemove
	return removal
}

// prepend puts a message of its own before all others.
func (k *socket) prepend(kind string, index int64, entries []elements) {
	m := build([]item{{kind: kind, index: index, entries: entries}})
	k.queue = append([]item{{odd: &m}}, k.queue...)
}

// quoted writes the booleans as text, as some do.
func quoted(e elements) elements {
	text := maps.Clone(e)
	for name, value := range e {
		if b, ok := value.(bool); ok {
			text[name] = strconv.FormatBool(b)
		}
	}
	return text
}
