// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import "strings"

// node is a node of the tree of documented elements.
//
//	callLeg ── rxAudio ── codec            (field CallLegRxAudioCodec)
//	        │          └─ packetStatistics ── packetLossBursts ── duration
//	        └─ alarm ── @type
type node struct {
	field FieldID // Unknown for a container
	kind  Kind
	alarm bool // the <alarm> element
	// elements and attributes below this one.
	elements, attributes nodeTable
}

// nodeTable maps names to nodes. It is a hash table with open addressing, whose hash uses the
// length and three letters of a name. For the few dozen names of the guide it is several
// times faster than a map, see BenchmarkDecode.
type nodeTable struct {
	table []entry // a power of two long, at most half full; nil if empty
	count int
}

type entry struct {
	name string
	node *node // nil if the slot is free
}

func (t *nodeTable) find(name string) *node {
	if t.count == 0 || name == "" {
		return nil
	}
	for i := hashOf(name); ; i++ {
		e := &t.table[i&(len(t.table)-1)]
		if e.node == nil || e.name == name {
			return e.node
		}
	}
}

func hashOf(name string) int {
	return len(name)*7 + int(name[0])*31 + int(name[len(name)-1])*17 + int(name[len(name)/2])
}

func (t *nodeTable) insert(name string, n *node) {
	if 2*(t.count+1) > len(t.table) {
		larger := nodeTable{table: make([]entry, max(4, 2*len(t.table)))}
		for _, e := range t.table {
			if e.node != nil {
				larger.insert(e.name, e.node)
			}
		}
		*t = larger
	}
	i := hashOf(name)
	for t.table[i&(len(t.table)-1)].node != nil {
		i++
	}
	t.table[i&(len(t.table)-1)] = entry{name, n}
	t.count++
}

var roots = func() (r [objectCount]*node) {
	for o := range r {
		r[o] = &node{}
	}
	for id := Unknown + 1; id < FieldCount; id++ {
		d := definitions[id]
		n := r[d.Object]
		for name := range strings.SplitSeq(d.Path, "/") {
			n = n.getOrAdd(name)
		}
		n.field, n.kind = id, d.Kind
	}
	leg := r[CallLeg]
	leg.child("alarm").alarm = true
	leg.getOrAdd("alarms").elements.insert("alarm", leg.child("alarm"))
	leg.elements.insert("groupID", leg.child("groupId"))
	leg.elements.insert("multiStreamVideo", leg.child("multistreamVideo"))
	usage := leg.child("mediaUsagePercentages")
	usage.elements.insert("multiStreamVideo", usage.child("multistreamVideo"))
	return r
}()

// child returns the documented child element of that name. A nil node has none.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	return n.elements.find(name)
}

// attribute returns the documented attribute of that name.
func (n *node) attribute(name string) *node {
	if n == nil {
		return nil
	}
	return n.attributes.find(name)
}

// getOrAdd returns the node of one step of a path ("codec", "@type"), and adds a missing one.
func (n *node) getOrAdd(step string) *node {
	table := &n.elements
	name, isAttribute := strings.CutPrefix(step, "@")
	if isAttribute {
		table = &n.attributes
	}
	if known := table.find(name); known != nil {
		return known
	}
	added := &node{}
	table.insert(name, added)
	return added
}
