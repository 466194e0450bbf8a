// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import "strings"

// node is one place in the tree of documented elements.
//
//	callLeg ── rxAudio ── codec            (field CallLegRxAudioCodec)
//	        │          └─ packetStatistics ── packetLossBursts ── duration
//	        └─ alarm ── @type
type node struct {
	field FieldID // Unknown for a container
	kind  Kind
	alarm bool // the <alarm> element
	// children by element name, attributes by "@name".
	children map[string]*node
}

var roots = func() (r [objectCount]*node) {
	for o := range r {
		r[o] = &node{}
	}
	for id := Unknown + 1; id < FieldCount; id++ {
		d := definitions[id]
		n := r[d.Object]
		for name := range strings.SplitSeq(d.Path, "/") {
			n = n.add(name)
		}
		n.field, n.kind = id, d.Kind
	}
	leg := r[CallLeg]
	leg.child("alarm").alarm = true
	leg.add("alarms").alias("alarm", leg.child("alarm"))
	leg.alias("groupID", leg.child("groupId"))
	leg.alias("multiStreamVideo", leg.child("multistreamVideo"))
	usage := leg.child("mediaUsagePercentages")
	usage.alias("multiStreamVideo", usage.child("multistreamVideo"))
	return r
}()

// child returns the documented child of that name. A nil node has none.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	return n.children[name]
}

func (n *node) add(name string) *node {
	if c := n.children[name]; c != nil {
		return c
	}
	c := &node{}
	n.alias(name, c)
	return c
}

func (n *node) alias(name string, c *node) {
	if n.children == nil {
		n.children = make(map[string]*node)
	}
	n.children[name] = c
}
